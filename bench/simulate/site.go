package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// size is what a site is made of, and what comes to it.
type size struct {
	hosts, cores int     // cores of each that are mailweir's
	shards       int     // 1 is a single server
	prefix       string  // of the keys, by which buckets fall to shards
	writers      int     // commits that the database works at, at once
	rate         float64 // messages a second
	flood        float64 // connections a second besides, from addresses that nobody knows
	mail         mixture
	byNet        bool // place=net: the rows about a client are in one bucket
}

// words are what the names of all keys begin with: internal/state/redis_names.go.
func (s size) words() string {
	if s.byNet {
		return s.prefix + "@net"
	}
	return s.prefix
}

// site is everything.
type site struct {
	size
	clock    *clock
	random   *rand.Rand
	arrivals *rand.Rand // of its own: the same mail comes whatever befalls the site
	hosts    []*host
	shards   []*shard
	database *station
	onShard  [buckets]int
	seen     tally // since the window began
}

func newSite(s size, seed uint64) *site {
	c := &clock{}
	w := &site{size: s, clock: c, random: rand.New(rand.NewPCG(seed, 0)), arrivals: rand.New(rand.NewPCG(seed, 1)), database: &station{clock: c, servers: s.writers}}
	for b := range w.onShard {
		w.onShard[b] = shardOfBucket(s.words(), b, s.shards)
	}
	for range s.shards {
		w.shards = append(w.shards, &shard{clock: c, costs: redisCosts, delay: networkDelay})
	}
	for range s.hosts {
		h := &host{clock: c, site: w, cpu: &station{clock: c, servers: s.cores}}
		h.record.host = h
		for _, to := range w.shards {
			h.links = append(h.links, &link{clock: c, shard: to, write: clientWrite, delay: networkDelay})
		}
		w.hosts = append(w.hosts, h)
	}
	return w
}

func (w *site) cluster() bool { return w.size.shards > 1 }

func (w *site) shardOf(bucket uint8) int { return w.onShard[bucket] }

// shardOfBucket is the shard that has a bucket, where the slots are divided evenly, as redis-cli
// does it. The slot is that of the words in braces of the keys' names.
func shardOfBucket(words string, bucket, shards int) int {
	return int(slotOf(words+":"+strconv.Itoa(bucket))) * shards / clusterSlots
}

const clusterSlots = 16384

// slotOf is the slot of a key in a Redis Cluster: CRC16 as XMODEM has it, see the cluster
// specification of Redis.
func slotOf(key string) uint16 {
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc % clusterSlots
}

// begin has mail come from now on.
func (w *site) begin() {
	if w.rate > 0 {
		w.clock.after(w.gap(w.rate*(1-w.mail.another)), w.nextConnection)
	}
	if w.flood > 0 {
		w.clock.after(w.gap(w.flood), w.nextOfFlood)
	}
}

// pace is how many times the mean rate it is now.
func (w *site) pace() float64 {
	const share = float64(burstLasts) / float64(burstEvery)
	const quiet = 1 / (1 - share + share*burstFactor)
	if at := w.clock.now % burstEvery; at >= burstFrom && at < burstFrom+burstLasts {
		return quiet * burstFactor
	}
	return quiet
}

func (w *site) nextConnection() {
	w.connect(false)
	w.clock.after(w.gap(w.rate*(1-w.mail.another)*w.pace()), w.nextConnection)
}

func (w *site) nextOfFlood() {
	w.connect(true)
	w.clock.after(w.gap(w.flood), w.nextOfFlood)
}

// gap is the time to the next of events that come at random, so many a second.
func (w *site) gap(rate float64) time.Duration {
	return exponential(w.arrivals, time.Duration(float64(time.Second)/rate))
}

// about is a time that is that long on average.
func (w *site) about(mean time.Duration) time.Duration { return exponential(w.random, mean) }

func exponential(random *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(-math.Log(1-random.Float64()) * float64(mean))
}

func (w *site) chance(share float64) bool { return w.random.Float64() < share }

func (w *site) anyBucket() uint8 { return uint8(w.random.IntN(buckets)) }

// bucketsOf is how many buckets each shard has.
func bucketsOf(words string, shards int) []int {
	of := make([]int, shards)
	for b := range buckets {
		of[shardOfBucket(words, b, shards)]++
	}
	return of
}

// mostBuckets is how many buckets the busiest shard has.
func mostBuckets(words string, shards int) int { return slices.Max(bucketsOf(words, shards)) }

// busiest is the shard that has most buckets.
func (w *site) busiest() *shard {
	of := bucketsOf(w.words(), len(w.shards))
	return w.shards[slices.Index(of, slices.Max(of))]
}
