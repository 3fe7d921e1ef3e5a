package runner

import (
	"context"
	"sync"

	"mailweir/internal/policy"
)

// queue is a session's background queue: it runs a session's work that must not delay an answer,
// one piece after the other.
type queue struct {
	runner *Runner
	mu     sync.Mutex
	room   sync.Cond
	queue  []func()
	busy   bool
	// late ends the time of what is late, which the queue may have to wait for.
	late map[context.Context]context.CancelFunc
}

// maxQueued is how many pieces may wait; beyond it the session itself waits, so that memory stays
// bounded.
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
		a.hurry()
		a.room.Wait()
	}
	a.queue = append(a.queue, work)
	if a.busy {
		return
	}
	a.busy = true
	a.runner.pool.do(a.run)
}

// lateTime is the time that what is late has: it begins now, however long the queue, and ends when
// the session has to wait for room. Nobody's mail stands still for what is only recorded.
func (a *queue) lateTime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(a.runner.ctx, a.runner.limits.End)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.late == nil {
		a.late = map[context.Context]context.CancelFunc{}
	}
	a.late[ctx] = cancel
	return ctx, func() {
		cancel()
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.late, ctx)
		if len(a.late) == 0 {
			a.late = nil // a connection may stay open for long
		}
	}
}

// hurry ends the time of all that is late.
func (a *queue) hurry() {
	for _, cancel := range a.late {
		cancel()
	}
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
