package callforward

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBusy is the error of a question for which the server may not be asked just now.
var ErrBusy = errors.New("too many questions at once")

const (
	// atOnce is how many questions a server has under way.
	atOnce = 10
	// aMinute is how many questions a mail server gets within any minute. Postfix makes a queue
	// file of each recipient that it accepts, and after a hundred of which no message came it holds
	// back all its mail (in_flow_delay).
	aMinute = 30
)

// turns bounds the questions to a server.
type turns struct {
	room chan struct{}

	mu   sync.Mutex
	last []time.Time // when the latest questions began, a ring; none: a minute has no bound
	next int
}

func newTurns(perMinute int) *turns {
	return &turns{room: make(chan struct{}, atOnce), last: make([]time.Time, perMinute)}
}

// take waits for a turn until the context ends, or not at all: nor does it where the turn would
// come too late. done gives it back.
func (t *turns) take(ctx context.Context, wait bool) (done func(), err error) {
	select {
	case t.room <- struct{}{}:
	default:
		if !wait {
			return nil, fmt.Errorf("%w: %d are under way", ErrBusy, atOnce)
		}
		select {
		case t.room <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %d are under way", ErrBusy, atOnce)
		}
	}
	done = func() { <-t.room }
	if err := t.pace(ctx, wait); err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// pace waits until the minute has room.
func (t *turns) pace(ctx context.Context, wait bool) error {
	for {
		pause := t.begin(time.Now())
		if pause <= 0 {
			return nil
		}
		until, bounded := ctx.Deadline()
		if late := bounded && time.Now().Add(pause).After(until); late || !wait {
			return fmt.Errorf("%w: %d within a minute, the next in %s", ErrBusy, len(t.last), pause.Round(time.Second))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %d within a minute", ErrBusy, len(t.last))
		}
	}
}

// begin counts a question that begins, or says how long it has to wait.
func (t *turns) begin(now time.Time) (pause time.Duration) {
	if len(t.last) == 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if oldest := t.last[t.next]; !oldest.IsZero() {
		if pause = oldest.Add(time.Minute).Sub(now); pause > 0 {
			return pause
		}
	}
	t.last[t.next] = now
	t.next = (t.next + 1) % len(t.last)
	return 0
}
