package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// near fails unless a figure is what theory says, within a share of it.
func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within*want {
		t.Errorf("%s is %.4g, want %.4g within %.0f %%", what, got, want, 100*within)
	}
}

// feed has jobs come at random, and returns how long they were there on average, and how many at
// once.
func feed(servers int, rate float64, takes func(*rand.Rand) time.Duration) (stay time.Duration, inside float64) {
	const jobs = 400_000
	c := &clock{}
	s := &station{clock: c, servers: servers}
	random := rand.New(rand.NewPCG(7, 7))
	var sum time.Duration
	var there level
	var come func()
	left := jobs
	come = func() {
		begun := c.now
		there.change(c.now, 1)
		s.serve(takes(random), func() {
			sum += c.now - begun
			there.change(c.now, -1)
		})
		if left--; left > 0 {
			c.after(exponential(random, time.Duration(float64(time.Second)/rate)), come)
		}
	}
	c.after(0, come)
	end := time.Duration(jobs / rate * float64(time.Second))
	c.run(2 * end)
	return sum / jobs, there.sum / end.Seconds()
}

// TestStationMM1: with random service the time in the station is S/(1-ρ).
func TestStationMM1(t *testing.T) {
	t.Parallel()
	for _, load := range []float64{0.3, 0.6, 0.9} {
		stay, _ := feed(1, load*1000, func(r *rand.Rand) time.Duration { return exponential(r, time.Millisecond) })
		near(t, "the stay", stay.Seconds(), 0.001/(1-load), 0.05)
	}
}

// TestStationMD1: with equal service the wait is half of that, as Pollaczek and Khinchine say.
func TestStationMD1(t *testing.T) {
	t.Parallel()
	for _, load := range []float64{0.3, 0.6, 0.9} {
		stay, _ := feed(1, load*1000, func(*rand.Rand) time.Duration { return time.Millisecond })
		near(t, "the stay", stay.Seconds(), 0.001*(1+load/(2*(1-load))), 0.05)
	}
}

// TestStationMM2: with two servers the stay is S/(1-ρ²).
func TestStationMM2(t *testing.T) {
	t.Parallel()
	stay, _ := feed(2, 0.8*2000, func(r *rand.Rand) time.Duration { return exponential(r, time.Millisecond) })
	near(t, "the stay", stay.Seconds(), 0.001/(1-0.8*0.8), 0.05)
}

// TestLittle: how many are there is the rate times the stay.
func TestLittle(t *testing.T) {
	t.Parallel()
	const rate = 700
	stay, inside := feed(1, rate, func(r *rand.Rand) time.Duration { return exponential(r, time.Millisecond) })
	near(t, "how many are there", inside, rate*stay.Seconds(), 0.02)
}

// TestShardAlone: a question to a shard that does nothing else takes a write, the way there and
// back, and its work.
func TestShardAlone(t *testing.T) {
	t.Parallel()
	w := newSite(size{hosts: 1, cores: 1, shards: 1, prefix: usualPrefix, writers: 1}, 1)
	var took time.Duration
	w.hosts[0].ask([]asked{{get, 1}, {get, 2}, {step, 3}}, func(bool) { took = w.clock.now })
	w.clock.run(time.Second)
	c := redisCosts
	if want := clientWrite + 2*networkDelay + c.wake + c.turn + c.read + 2*c.of[get] + c.of[step]; took != want {
		t.Errorf("it took %v, want %v", took, want)
	}
	if s := w.shards[0]; s.reads != 1 || s.commands != 3 {
		t.Errorf("%d reads, %d commands", s.reads, s.commands)
	}
}

// TestShardGoesRound: what comes while a shard is at work shares its next time round, so a shard
// that has too much to do takes less for each.
func TestShardGoesRound(t *testing.T) {
	t.Parallel()
	of := func(rate float64) result {
		s := size{hosts: 8, cores: 4, shards: 1, prefix: usualPrefix, writers: 8, rate: rate, mail: usualMail}
		return window{size: s, settles: time.Second, lasts: 2 * time.Second}.play(1)
	}
	little, much := of(500), of(3500)
	if much.reads > 0.8*little.reads || much.server > 0.9*little.server {
		t.Errorf("%.1f reads and %.0f µs under load, %.1f and %.0f without", much.reads, much.server, little.reads, little.server)
	}
}

// TestSlots are those of the cluster specification, and where the buckets fall.
func TestSlots(t *testing.T) {
	t.Parallel()
	if got := slotOf("123456789"); got != 0x31C3 {
		t.Errorf("slot %#x", got)
	}
	for _, c := range []struct {
		prefix       string
		shards, most int
	}{{usualPrefix, 3, 8}, {usualPrefix, 8, 3}, {usualPrefix, 16, 3}, {evenPrefix, 12, 2}, {evenPrefix, 4, 4}, {evenByNet + "@net", 12, 2}} {
		if got := mostBuckets(c.prefix, c.shards); got != c.most {
			t.Errorf("%s on %d shards: one has %d buckets, want %d", c.prefix, c.shards, got, c.most)
		}
	}
}
