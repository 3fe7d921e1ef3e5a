package policy

import (
	"context"
	"sync"
)

// afterwork runs a session's work that must not delay an answer, one piece after the other.
type afterwork struct {
	runner *Runner
	mu     sync.Mutex
	room   sync.Cond
	queue  []func()
	busy   bool
}

// maxAfterwork is how many pieces may wait; beyond it the session itself waits, so that memory stays bounded.
const maxAfterwork = 256

func newAfterwork(rn *Runner) *afterwork {
	a := &afterwork{runner: rn}
	a.room.L = &a.mu
	return a
}

// do queues one piece of work.
func (a *afterwork) do(work func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) >= maxAfterwork {
		a.room.Wait()
	}
	a.queue = append(a.queue, work)
	if a.busy {
		return
	}
	a.busy = true
	a.runner.crew.do(a.run)
}

// idle reports whether nothing is queued or at work.
func (a *afterwork) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.busy
}

func (a *afterwork) run() {
	for {
		a.mu.Lock()
		if len(a.queue) == 0 {
			a.busy, a.queue = false, nil
			a.mu.Unlock()
			return
		}
		work := a.queue[0]
		a.queue[0] = nil
		a.queue = a.queue[1:]
		a.room.Signal()
		a.mu.Unlock()
		a.guarded(work)
	}
}

// guarded keeps a panic in a Settle hook from ending the daemon; the observer is told.
func (a *afterwork) guarded(work func()) {
	w := call(func(struct{}) (Verdict, error) { work(); return Pass, nil }, struct{}{})
	if w.err != nil {
		a.runner.observer.Defect(w.err)
	}
}

// recordLater records monitored words when they come, off the way of the answer.
func (s *Session) recordLater(rs *resolver, late []*pending, r *Recipient) {
	if len(late) == 0 {
		return
	}
	s.later(late, func(ctx context.Context) {
		for _, p := range late {
			if ru := rs.rule(ctx, p, r); ru.objects() {
				ru.mode = min(ru.mode, Monitor)
				rs.record(ru, r)
			}
		}
	})
}

// recordGroups does the same for words at the end of the message.
func (s *Session) recordGroups(rs *resolver, late []group) {
	for _, g := range late {
		s.later(g.words, func(ctx context.Context) {
			sum := rs.fold(ctx, g)
			if sum.refusal != nil {
				sum.watched = append(sum.watched, *sum.refusal)
			}
			sum.watched = append(sum.watched, sum.removed...)
			rs.recordWatched(sum)
		})
	}
}

// later keeps words alive beyond their scope, and has work look at them. Its time begins now, however long the queue.
func (s *Session) later(words []*pending, work func(context.Context)) {
	for _, p := range words {
		p.keep()
	}
	ctx, cancel := context.WithTimeout(s.runner.ctx, s.runner.limits.End)
	s.after.do(func() {
		defer cancel()
		work(ctx)
	})
}
