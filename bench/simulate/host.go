package main

import "time"

// host is one machine that receives mail.
type host struct {
	clock   *clock
	site    *site
	cpu     *station
	links   []*link // by shard
	pending fifo[*question]
	record  record
	open    int // sessions

	lost    [buckets]bool
	probing bool
}

// part is what can be lost without the others: a bucket of a cluster, else the one server.
func (h *host) part(bucket uint8) uint8 {
	if h.site.cluster() {
		return bucket
	}
	return 0
}

// lose marks a part as lost, and has the prober begin.
func (h *host) lose(part uint8) {
	h.lost[part] = true
	if !h.probing {
		h.probing = true
		h.probeAfter(firstProbe)
	}
}

// probeAfter asks what is lost after a pause, one part after the other, and again until nothing is.
func (h *host) probeAfter(pause time.Duration) {
	h.clock.after(pause, func() {
		h.probe(0, func() {
			if h.probing = h.lost != [buckets]bool{}; h.probing {
				h.probeAfter(min(2*pause, lastProbe))
			}
		})
	})
}

// probe asks the lost parts from this one on. A probe is sent whatever is known to be lost.
func (h *host) probe(part int, then func()) {
	for part < buckets && !h.lost[part] {
		part++
	}
	if part == buckets {
		then()
		return
	}
	q := &question{host: h, open: 1, deadline: h.clock.now + callTimeout}
	q.waiting[part] = 1
	q.done = func(ok bool) {
		if ok {
			h.lost[part] = false
		}
		h.probe(part+1, then)
	}
	h.watch(q)
	h.links[h.site.shardOf(uint8(part))].send(command{kind: get, bucket: uint8(part), of: q})
}
