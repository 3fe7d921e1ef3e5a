package runner

import (
	"context"
	"sync"

	"mailweir/internal/policy"
)

// queue is a session's background queue: it runs a session's work that must not delay an answer, one piece after the other.
type queue struct {
	runner *Runner
	mu     sync.Mutex
	room   sync.Cond
	queue  []func()
	busy   bool
}

// maxQueued is how many pieces may wait; beyond it the session itself waits, so that memory stays bounded.
const maxQueued = 256

func newQueue(rn *Runner) *queue {
	a := &queue{runner: rn}
	a.room.L = &a.mu
	return a
}

// do queues one piece of work.
func (a *queue) do(work func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) >= maxQueued {
		a.room.Wait()
	}
	a.queue = append(a.queue, work)
	if a.busy {
		return
	}
	a.busy = true
	a.runner.pool.do(a.run)
}

// idle reports whether nothing is queued or at work.
func (a *queue) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.busy
}

func (a *queue) run() {
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
func (a *queue) guarded(work func()) {
	w := call(func(struct{}) (policy.Verdict, error) { work(); return policy.Pass, nil }, struct{}{})
	if w.err != nil {
		a.runner.observer.Defect(w.err)
	}
}

// recordLate records what is only monitored when it is known, off the way of the answer.
func (s *Session) recordLate(rs *resolver, late []ruling) {
	then := *rs // as the case stands now
	for i := range late {
		late[i].f.keep()
	}
	s.later(func(ctx context.Context) {
		for i := range late {
			if l := late[i].f.later; l != nil {
				s.runner.start(l)
			}
		}
		for i := range late {
			ru := then.await(ctx, late[i])
			then.report(&ru)
			if ru.is != drop {
				then.record(&ru, ru.r)
			}
		}
	})
}

// recordLateGroups does the same for findings at the end of the message.
func (s *Session) recordLateGroups(rs *resolver, late []group) {
	if len(late) == 0 {
		return
	}
	then := *rs
	for i := range late {
		g := &late[i]
		for _, f := range g.findings {
			f.keep()
		}
		s.later(func(ctx context.Context) {
			for _, f := range g.findings {
				if f.later != nil {
					s.runner.start(f.later)
				}
			}
			then.awaitGroup(g, func() context.Context { return ctx })
			then.recordWatched(then.aggregate(*g))
		})
	}
}

// later has work look at what was found. Its time begins now, however long the queue.
func (s *Session) later(work func(context.Context)) {
	ctx, cancel := context.WithTimeout(s.runner.ctx, s.runner.limits.End)
	release := s.heldBody()
	s.background.do(func() {
		defer release()
		defer cancel()
		work(ctx)
	})
}
