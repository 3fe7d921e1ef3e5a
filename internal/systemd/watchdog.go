package systemd

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Part is one part of the service that must move for its work to be done.
type Part struct {
	Name string
	// Moves returns nil as soon as it is certain that the part moves, an error when it is certain
	// that it does not, or that of the context when that ends first.
	Moves func(context.Context) error
}

// Watch feeds the watchdog at half of WatchdogSec=, as long as every part moves, until the context
// ends. hangs is told which one does not, once until it moves again: systemd then ends the process
// by SIGABRT, and Go writes the stacks of all goroutines to the log. Without a watchdog nothing is
// asked.
func (n *Notifier) Watch(ctx context.Context, hangs func(error), parts ...Part) {
	if !n.Listens() || n.watchdog <= 0 {
		return
	}
	every := n.watchdog / 2
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := false
	asked := questions{parts, make([]chan error, len(parts))}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		asking, cancel := context.WithTimeout(ctx, n.watchdog/4)
		err := asked.ask(asking)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			n.mu.Lock()
			n.send("WATCHDOG=1")
			n.mu.Unlock()
			told = false
			timer.Reset(every)
		default:
			if !told {
				hangs(fmt.Errorf("%w; unless that ends, systemd ends this process within %v, and starts it again", err, n.watchdog))
			}
			told = true
			timer.Reset(every / 10) // it may move again, and there is little time left
		}
	}
}

// questions are those to the parts. One that hangs keeps its question, and is not asked another
// one.
type questions struct {
	parts   []Part
	pending []chan error
}

// ask asks all parts at once, and returns when all have answered or at the end of the context.
func (q *questions) ask(ctx context.Context) error {
	for i, p := range q.parts {
		if q.pending[i] == nil {
			answer := make(chan error, 1)
			go func() { answer <- p.Moves(ctx) }()
			q.pending[i] = answer
		}
	}
	var hang []error
	for i, p := range q.parts {
		if err := q.answer(ctx, i); err != nil {
			hang = append(hang, fmt.Errorf("%s does not move: %w", p.Name, err))
		}
	}
	return errors.Join(hang...)
}

func (q *questions) answer(ctx context.Context, i int) error {
	select {
	case err := <-q.pending[i]:
		q.pending[i] = nil
		return err
	default:
	}
	select {
	case err := <-q.pending[i]:
		q.pending[i] = nil
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
