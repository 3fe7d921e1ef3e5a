package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/attach"
)

// errSignal is that of a run that a signal has ended.
var errSignal = errors.New("ended by a signal; nothing was written")

// signalGrace is how long a run may still take after a signal, to end the programs that it has
// started and to remove its temporary files.
const signalGrace = 3 * time.Second

// untilSignal runs something that may wait for what never comes, such as a disk that is away: a
// grace after a signal it is given up. What it was writing then the next run completes.
func untilSignal(ctx context.Context, grace time.Duration, run func() error) error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
		return errors.New("ended by a signal before it was done; run it again")
	}
}

// mayWrite asks where something is to be written. The error says why nothing is: also a signal, of
// which what was read while it came may not tell.
func (q *importQuestion) mayWrite(ctx context.Context, cmd *cobra.Command, something bool) error {
	if ctx.Err() != nil {
		return errSignal
	}
	if !something {
		return nil
	}
	yes, err := q.asked(ctx, cmd)
	if err == nil && !yes {
		return attach.ErrUnchanged
	}
	return err
}

// asked is the answer of a person, or the signal that came instead.
func (q *importQuestion) asked(ctx context.Context, cmd *cobra.Command) (yes bool, err error) {
	type answer struct {
		yes bool
		err error
	}
	given := make(chan answer, 1)
	go func() {
		yes, err := consent(cmd, q.yes)()
		given <- answer{yes, err}
	}()
	select {
	case a := <-given:
		return a.yes, a.err
	case <-ctx.Done():
		return false, errSignal
	}
}
