package dns

import (
	"sync/atomic"
	"time"
)

// latencyBounds are the upper bounds of the latency Histogram's buckets; the last bucket has none.
var latencyBounds = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// Latency is a Histogram of how long answers took on the wire. Failures are not in it.
type Latency struct {
	Bounds []time.Duration // upper bounds of all buckets but the last
	Counts []uint64        // one more than Bounds; not cumulative
	Sum    time.Duration
}

// Count is the number of answers in the Histogram.
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

// Histogram counts how long answers took. The zero Histogram is empty and ready; it may be used
// from several goroutines.
type Histogram struct {
	counts [len(latencyBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// Took counts one answer.
func (h *Histogram) Took(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Snapshot is what has been counted so far.
func (h *Histogram) Snapshot() Latency {
	l := Latency{Bounds: latencyBounds[:], Counts: make([]uint64, len(h.counts)), Sum: time.Duration(h.sum.Load())}
	for i := range h.counts {
		l.Counts[i] = h.counts[i].Load()
	}
	return l
}
