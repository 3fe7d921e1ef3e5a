package rbl

import (
	"sync/atomic"
	"time"
)

// latencyBounds are the upper bounds of the latency histogram's buckets; the last bucket has none.
var latencyBounds = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// Latency is a histogram of how long answers took on the wire. Failures are not in it.
type Latency struct {
	Bounds []time.Duration // upper bounds of all buckets but the last
	Counts []uint64        // one more than Bounds; not cumulative
	Sum    time.Duration
}

// Count is the number of answers in the histogram.
func (l Latency) Count() (n uint64) {
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// Mean is the average, 0 without answers.
func (l Latency) Mean() time.Duration {
	if n := l.Count(); n > 0 {
		return l.Sum / time.Duration(n)
	}
	return 0
}

type histogram struct {
	counts [len(latencyBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (h *histogram) took(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *histogram) snapshot() Latency {
	l := Latency{Bounds: latencyBounds[:], Counts: make([]uint64, len(h.counts)), Sum: time.Duration(h.sum.Load())}
	for i := range h.counts {
		l.Counts[i] = h.counts[i].Load()
	}
	return l
}

type counters struct {
	hits, misses, shared, packets, tcp atomic.Uint64
	failures                           [len(failureNames)]atomic.Uint64
	histogram
}

func (c *counters) count(f Failure) { c.failures[f].Add(1) }

// ResolverStats is a snapshot of a [Resolver]'s counters since its start.
type ResolverStats struct {
	Hits     uint64             // questions answered from the cache
	Misses   uint64             // questions that went to the DNS
	Shared   uint64             // questions that joined one already on its way
	Packets  uint64             // sent, by UDP or TCP, retries included
	TCP      uint64             // fallbacks to TCP
	Failures map[Failure]uint64 // questions without a usable answer, by kind; every kind is present
	Latency  Latency
	Names    int    // answers in the cache
	Evicted  uint64 // answers dropped for want of room
	Open     int    // questions being asked now
	Queued   int    // questions waiting for their turn
}

// Stats is what happened since the start.
func (r *Resolver) Stats() ResolverStats {
	s := ResolverStats{
		Hits: r.stats.hits.Load(), Misses: r.stats.misses.Load(), Shared: r.stats.shared.Load(),
		Packets: r.stats.packets.Load(), TCP: r.stats.tcp.Load(),
		Failures: map[Failure]uint64{}, Latency: r.stats.snapshot(),
	}
	for f := range r.stats.failures {
		s.Failures[Failure(f)] = r.stats.failures[f].Load()
	}
	s.Names, s.Evicted = r.cache.size()
	r.mu.Lock()
	s.Open, s.Queued = r.running, len(r.queue)
	r.mu.Unlock()
	return s
}
