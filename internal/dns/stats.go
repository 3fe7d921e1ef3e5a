package dns

import "sync/atomic"

type counters struct {
	hits, misses, shared, packets, tcp atomic.Uint64
	failures                           [len(failureNames)]atomic.Uint64
	latency                            Histogram
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
		Failures: map[Failure]uint64{}, Latency: r.stats.latency.Snapshot(),
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
