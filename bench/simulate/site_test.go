package main

import (
	"bytes"
	"flag"
	"math"
	"os"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/small.md")

// small is a twentieth of the site.
var small = scale{of: 0.05, settles: 500 * time.Millisecond, lasts: time.Second, afterThatBefall: 3 * time.Second}

// TestSame: the same seed gives the same tables, however many windows are played at once.
func TestSame(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	report{to: &got, seed: 1, workers: 3}.all(small)
	if *update {
		if err := os.WriteFile("testdata/small.md", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/small.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("another table; go test ./bench/simulate -run Same -update writes it:\n%s", got.Bytes())
	}
}

// of plays the small site in the busiest hour.
func of(change func(*size), befalls func(*site)) result {
	s := small.site(busiestHour)
	change(&s)
	v := small.window("", s)
	v.lasts, v.befalls = small.afterThatBefall, befalls
	return v.play(3)
}

func unchanged(*size) {}

func TestNothingBefalls(t *testing.T) {
	t.Parallel()
	r := of(unchanged, nil)
	if r.falsely+r.turnedAway+r.forgotten+r.unchecked+r.unlearned+r.dropped+r.overload > 0 {
		t.Errorf("%+v", r.tally)
	}
	if took := r.quantile(1); took > 50*time.Millisecond {
		t.Errorf("the slowest answer took %v", took)
	}
	rate := float64(r.messages) / r.lasts.Seconds()
	near(t, "messages a second", rate, small.site(busiestHour).rate, 0.05)
	near(t, "open sessions", r.sessions.mean(r.from, r.from+r.lasts), rate*openFor(), 0.1)
}

// openFor is for how many seconds a session is open for each of its messages: the connection's
// share, the pause to the next message, DATA where somebody is accepted.
func openFor() float64 {
	of := usualMail
	return (1-of.another)*beforeRcpt.Seconds() + of.another*betweenMessages.Seconds() + (1-of.spam-of.fresh)*dataTakes.Seconds()
}

func TestShardDies(t *testing.T) {
	t.Parallel()
	dies := func(w *site) { w.busiest().dead = true }
	r := of(unchanged, dies)
	if slow := r.quantile(0.999); slow < callTimeout || r.quantile(1) > 3*callTimeout {
		t.Errorf("answers took %v and at most %v", slow, r.quantile(1))
	}
	if r.quantile(0.5) > 20*time.Millisecond {
		t.Error("the breaker does not open")
	}
	if r.falsely == 0 || r.unchecked == 0 {
		t.Error("nobody misses the shard")
	}
	apart := of(spread, dies)
	if 2*r.unchecked > apart.unchecked {
		t.Errorf("%d unchecked with a triplet in one bucket, %d in three", r.unchecked, apart.unchecked)
	}
}

// TestShardComesBack: the prober finds it.
func TestShardComesBack(t *testing.T) {
	t.Parallel()
	w := newSite(small.site(1), 1)
	w.begin()
	w.clock.run(time.Second)
	w.busiest().dead = true
	w.clock.run(3 * time.Second)
	if w.hosts[0].lost == [buckets]bool{} {
		t.Fatal("nothing is lost")
	}
	w.busiest().dead = false
	w.clock.run(30 * time.Second)
	for _, h := range w.hosts {
		if h.lost != [buckets]bool{} || h.probing {
			t.Fatalf("still lost: %v", h.lost)
		}
	}
}

func TestShardPauses(t *testing.T) {
	t.Parallel()
	r := of(spread, func(w *site) { w.busiest().lag = 50 * time.Millisecond })
	if half := r.quantile(0.5); half < 20*time.Millisecond || half > 300*time.Millisecond {
		t.Errorf("half of the answers take %v", half)
	}
	if r.falsely+r.unchecked > 0 {
		t.Errorf("%d false refusals, %d unchecked", r.falsely, r.unchecked)
	}
}

// TestShardIsSlow: one that takes long for each command is as good as dead.
func TestShardIsSlow(t *testing.T) {
	t.Parallel()
	r := of(unchanged, func(w *site) { w.busiest().slow = 50 * time.Millisecond })
	if r.quantile(0.99) < callTimeout || r.quantile(0.5) > 20*time.Millisecond || r.unchecked == 0 {
		t.Errorf("p50 %v, p99 %v, %d unchecked", r.quantile(0.5), r.quantile(0.99), r.unchecked)
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	quiet := of(unchanged, nil)
	flood := of(func(s *size) { s.flood = 25_000 * small.of }, nil)
	worse := of(func(s *size) { s.flood = 100_000 * small.of }, nil)
	if flood.turnedAway > 0 || flood.busiest < 1.3*quiet.busiest {
		t.Errorf("%d turned away, the busiest shard works %s, without a flood %s", flood.turnedAway, percent(flood.busiest), percent(quiet.busiest))
	}
	if worse.overload == 0 || worse.turnedAway == 0 || worse.falsely > 0 {
		t.Error("sessions have no bound")
	}
}

// TestRecordOverflows: what has no room is dropped, and a database that is there writes the rest,
// so many at a time.
func TestRecordOverflows(t *testing.T) {
	t.Parallel()
	w := newSite(size{hosts: 1, cores: 1, shards: 1, prefix: usualPrefix, writers: 1}, 1)
	r := &w.hosts[0].record
	for range recordQueue + 7 {
		r.add(1)
	}
	if r.dropped != 7 {
		t.Errorf("%d dropped", r.dropped)
	}
	w.clock.run(time.Minute)
	if want := recordQueue/recordBatch*recordCommit + recordQueue*recordEntry; r.waiting > 0 || w.database.worked != want {
		t.Errorf("%d wait, the database has worked for %v, want %v", r.waiting, w.database.worked, want)
	}
}

// TestShardDoesNotKeepUp: times of a shard that has too much to do are not told; those of one that
// waits for its disk are.
func TestShardDoesNotKeepUp(t *testing.T) {
	t.Parallel()
	much := of(func(s *size) { s.shards, s.rate = 1, 6000 }, nil)
	if middle(&much) != "does not keep up" || most.of(&much) != "–" {
		t.Errorf("p50 %s, p99 %s, the shard works %s", middle(&much), most.of(&much), percent(much.busiest))
	}
	pauses := of(unchanged, func(w *site) { w.busiest().lag = 50 * time.Millisecond })
	if pauses.busiest < fullShare || pauses.full {
		t.Errorf("a shard that pauses works %s, and is full: %v", percent(pauses.busiest), pauses.full)
	}
}

func TestRowsLive(t *testing.T) {
	t.Parallel()
	if got := rowsLive(1); got != pendingLives {
		t.Errorf("a row lives for %v", got)
	}
	if got := rowsLive(rowsOfASpace / 60); got.Round(time.Second) != time.Minute {
		t.Errorf("a row lives for %v", got)
	}
	near(t, "what comes too late", tooLate(firstRetry+retriesAfter), 1/math.E, 0.01)
	if got := tooLate(firstRetry); got != 1 {
		t.Errorf("%v comes too late", got)
	}
}

// TestComparison: the model says what was measured, within the stated factor.
func TestComparison(t *testing.T) {
	t.Parallel()
	for _, m := range measurements() {
		of := m.modelled(2) / m.real
		if of < 1/m.within || of > m.within {
			t.Errorf("%s, %s: %.2f of what was measured", m.what, m.unit, of)
		}
	}
}
