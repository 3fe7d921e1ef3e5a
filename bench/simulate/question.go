package main

import "time"

// question is what is asked of the state in one go, by one call of state.Store.Do.
type question struct {
	host     *host
	open     int            // commands without an answer
	waiting  [buckets]uint8 // the same, by bucket
	failed   bool           // a command could not be sent
	deadline time.Duration
	done     func(ok bool) // nil once it was called
}

// asked is one thing to be asked, in some bucket.
type asked struct {
	kind   kind
	bucket uint8
}

// ask puts a question, and calls done when every command has its answer, or at the deadline. What
// lies in a part that is known to be lost fails at once and has the question fail; the others are
// waited for all the same.
func (h *host) ask(what []asked, done func(ok bool)) {
	q := &question{host: h, done: done, deadline: h.clock.now + callTimeout}
	for _, a := range what {
		if h.lost[h.part(a.bucket)] {
			q.failed = true
			continue
		}
		q.open++
		q.waiting[a.bucket]++
	}
	if q.open == 0 {
		q.end(!q.failed)
		return
	}
	h.watch(q)
	for _, a := range what {
		if q.waiting[a.bucket] > 0 {
			h.links[h.site.shardOf(a.bucket)].send(command{kind: a.kind, bucket: a.bucket, of: q})
		}
	}
}

func (q *question) answered(c command) {
	if q.done == nil {
		return // nobody waits any more
	}
	q.waiting[c.bucket]--
	if q.open--; q.open == 0 {
		q.end(!q.failed)
	}
}

func (q *question) end(ok bool) {
	done := q.done
	q.done = nil
	done(ok)
}

// expire ends a question that was not answered in time: the parts that were waited for are lost.
func (q *question) expire() {
	for bucket, n := range q.waiting {
		if n > 0 {
			q.host.lose(q.host.part(uint8(bucket)))
		}
	}
	q.end(false)
}

// watch has a question expire. All have the same time, so they do in the order in which they were
// put.
func (h *host) watch(q *question) {
	h.pending.push(q)
	if h.pending.len() == 1 {
		h.clock.after(q.deadline-h.clock.now, h.sweep)
	}
}

// sweep ends what has expired, and comes again for the first that may.
func (h *host) sweep() {
	for h.pending.len() > 0 {
		q := h.pending.head()
		switch {
		case q.done == nil:
		case q.deadline <= h.clock.now:
			q.expire()
		default:
			h.clock.after(q.deadline-h.clock.now, h.sweep)
			return
		}
		h.pending.pop()
	}
}
