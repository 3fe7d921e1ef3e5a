package main

import "time"

// window is what is played: a site, for how long, and what befalls it when the measuring begins.
type window struct {
	name    string
	size    size
	settles time.Duration // before it is measured
	lasts   time.Duration
	befalls func(*site) // nil: nothing
}

// fullShare is the share of the time from which on a shard is taken to have more than it can do.
const fullShare = 0.995

// result is what came of it.
type result struct {
	window
	tally
	busiest, shards, hosts, database float64 // shares of the time that they work
	full                             bool    // a shard does not keep up: what waits for it grows
	reads, commands, server          float64 // a message; server in microseconds
	octets                           float64 // a second, of the busiest shard
	dropped                          int
}

// play plays a window.
func (v window) play(seed uint64) result {
	w := newSite(v.size, seed)
	w.begin()
	w.clock.run(v.settles)
	w.measure()
	if v.befalls != nil {
		v.befalls(w)
	}
	w.clock.run(v.settles + v.lasts)
	return w.result(v)
}

// measure forgets what has been seen so far.
func (w *site) measure() {
	open := w.seen.sessions.now
	w.seen = tally{from: w.clock.now, sessions: level{now: open, since: w.clock.now}}
	for _, s := range w.shards {
		s.worked, s.reads, s.commands, s.octets = 0, 0, 0, 0
	}
	for _, h := range w.hosts {
		h.cpu.worked, h.record.dropped = 0, 0
	}
	w.database.worked = 0
}

func (w *site) result(v window) result {
	r := result{window: v, tally: w.seen}
	r.tally.sort()
	seconds := v.lasts.Seconds()
	messages := float64(max(r.messages, 1))
	for _, s := range w.shards {
		share := min(1, s.worked.Seconds()/seconds)
		if share > r.busiest {
			r.busiest, r.octets = share, float64(s.octets)/seconds
		}
		r.full = r.full || share >= fullShare && s.lag == 0 && s.slow == 0
		r.shards += share / float64(len(w.shards))
		r.reads += float64(s.reads) / messages
		r.commands += float64(s.commands) / messages
		r.server += float64(s.worked.Microseconds()) / messages
	}
	for _, h := range w.hosts {
		r.hosts += h.cpu.worked.Seconds() / seconds / float64(len(w.hosts)*w.cores)
		r.dropped += h.record.dropped
	}
	r.database = w.database.worked.Seconds() / seconds / float64(w.writers)
	return r
}
