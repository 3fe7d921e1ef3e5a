package runner

import (
	"context"
	"sync"
	"time"

	"mailweir/internal/policy"
)

// queue is a session's background queue: it runs a session's work that must not delay an answer,
// one piece after the other.
type queue struct {
	runner *Runner
	mu     sync.Mutex
	room   chan struct{} // says that a piece has been taken, while that is waited for
	queue  []func()
	busy   bool
	stuck  bool // nothing has been taken since it was waited for in vain
	// late ends the time of what is late, which the queue may have to wait for.
	late map[context.Context]context.CancelFunc
}

// maxQueued is how many pieces may wait, so that memory stays bounded. Beyond it the session waits
// for room, roomWithin at most and once: a check that hangs while it learns costs what is learned,
// and nobody's mail.
const (
	maxQueued  = 256
	roomWithin = time.Second
)

// do queues one piece of work, whatever waits already: the few that must be done.
func (a *queue) do(work func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.push(work)
}

// offer queues one piece of work, or drops it for lack of room: then dropped is called instead, and
// the observer is told.
func (a *queue) offer(work, dropped func()) {
	if !a.take(work) {
		a.runner.observer.Dropped()
		dropped()
	}
}

// take queues one piece of work, or reports that there is no room for it.
func (a *queue) take(work func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) >= maxQueued && !a.stuck {
		a.awaitRoom()
	}
	if len(a.queue) >= maxQueued {
		a.stuck = true
		return false
	}
	a.push(work)
	return true
}

// awaitRoom waits until a piece has been taken. What is late makes haste.
func (a *queue) awaitRoom() {
	patience := time.NewTimer(roomWithin)
	defer patience.Stop()
	room := make(chan struct{}, 1)
	a.room = room
	for over := false; len(a.queue) >= maxQueued && !over; {
		a.hurry()
		a.mu.Unlock()
		select {
		case <-room:
		case <-patience.C:
			over = true
		}
		a.mu.Lock()
	}
	a.room = nil
}

func (a *queue) push(work func()) {
	a.queue = append(a.queue, work)
	if a.busy {
		return
	}
	a.busy = true
	a.runner.pool.do(a.run)
}

// lateTime is the time that what is late has: it begins now, however long the queue, and ends when
// the session has to wait for room.
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
		a.queue, a.stuck = a.queue[1:], false
		room := a.room
		a.mu.Unlock()
		select {
		case room <- struct{}{}:
		default: // nobody waits, or that is said already
		}
		a.guarded(work)
	}
}

// guarded keeps a panic in a Settle hook, or in what gives back, from ending the daemon or what is
// to come after it; the observer is told.
func (a *queue) guarded(work func()) {
	w := call(func(struct{}) (policy.Verdict, error) { work(); return policy.Pass, nil }, struct{}{})
	if w.err != nil {
		a.runner.observer.Defect(w.err)
	}
}
