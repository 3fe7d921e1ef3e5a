package dns

import (
	"context"
	"fmt"
	"time"
)

// attempted is what came of asking one server once.
type attempted struct {
	server int
	answer Answer
	ttl    time.Duration
}

// question asks one server after the other, the one that answered last time first, until one gives
// an answer that can be used, each has said that it can't, or the time is over. After
// AttemptTimeout without an answer the next is asked, but the answer of the one before still
// counts: a server that is always slow is heard, too.
func (r *Resolver) question(f *flight) (Answer, time.Duration) {
	if f.ctx.Err() != nil {
		return contextFailure(f.ctx.Err()), 0
	}
	began := r.opt.Clock()
	last := &Error{Failure: Timeout}
	gaveUp := make([]bool, len(r.servers))
	left, open, next := len(r.servers), 0, int(r.first.Load())
	answers := make(chan attempted, r.mostAttempts()) // so that nobody need be there to hear a late one
	silence := time.NewTimer(0)
	defer silence.Stop()
	for left > 0 && (open > 0 || f.ctx.Err() == nil) {
		var a attempted
		select {
		case a = <-answers:
			open--
		case <-silence.C:
			if f.ctx.Err() != nil {
				continue
			}
			for gaveUp[next%len(r.servers)] {
				next++
			}
			n := next % len(r.servers)
			next++
			open++
			r.wg.Go(func() { answers <- r.try(f, n) })
			silence.Reset(r.opt.AttemptTimeout)
			continue
		}
		if a.answer.Status != Failed {
			r.first.Store(uint32(a.server))
			r.stats.latency.Took(r.opt.Clock().Sub(began))
			return a.answer, a.ttl
		}
		if last.Failure == Timeout || a.answer.Err.Failure != Timeout {
			last = a.answer.Err // silence at the end tells less than what was seen before
		}
		if a.answer.Err.Failure != Timeout && !gaveUp[a.server] {
			gaveUp[a.server] = true
			left--
			silence.Reset(0)
		}
	}
	if f.ctx.Err() == context.Canceled {
		return failed(Cancelled, ""), 0
	}
	r.stats.count(last.Failure)
	return Answer{Err: last}, r.ttl.failure
}

// mostAttempts is how often the servers can be asked one question: at once after each failure, and
// after each silence.
func (r *Resolver) mostAttempts() int {
	return 2*len(r.servers) + int(r.opt.QuestionTimeout/r.opt.AttemptTimeout) + 1
}

// try asks one server once.
func (r *Resolver) try(f *flight, server int) (a attempted) {
	a.server = server
	defer func() {
		// Bytes from the network are read here: a defect in reading them must cost one answer, not
		// the process.
		if p := recover(); p != nil {
			a.answer, a.ttl = failed(Malformed, fmt.Sprint("panic: ", p)), 0
		}
	}()
	s := r.servers[server]
	m, err := r.attempt(f.ctx, s, f.question)
	if err == nil {
		if a.answer, a.ttl = readAnswer(f.question, m, r.ttl); a.answer.Status != Failed {
			return a
		}
		err = a.answer.Err
	}
	err.Server = s.addr
	a.answer = Answer{Err: err}
	return a
}
