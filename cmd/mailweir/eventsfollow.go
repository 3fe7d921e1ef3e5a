package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/admin"
	"mailweir/internal/record"
)

// followEvents prints what is asked for of the past, and then what comes, until it is interrupted.
func followEvents(cmd *cobra.Command, f *eventsFlags, q record.Query, out printer) error {
	s, err := commandSettings(cmd)
	if err != nil {
		return err
	}
	if *s.daemon.control == "" {
		return fail(exUsage, "--follow asks the running daemon: name its control socket (--control=unix:/PATH), or its --config")
	}
	client, err := dial(*s.daemon.control)
	if err != nil {
		return err
	}
	defer client.Close()
	tail := &tail{
		ask: func(ctx context.Context, r followed) (a follows, err error) {
			return a, at(*s.daemon.control, client.Ask(ctx, recordFollow, r, &a))
		},
		out: out, errs: cmd.ErrOrStderr(), clock: time.Now, pause: pause,
	}
	var after record.Position
	if f.since.text != "" || f.limit > 0 {
		begun := record.PositionAt(time.Now())
		reader, done, err := openRecord(cmd)
		if err != nil {
			return err
		}
		last, err := printEvents(cmd.Context(), reader, q, f.limit, out)
		done()
		if err != nil {
			return err
		}
		after = max(last, begun)
	}
	q.Since = time.Time{}
	return tail.follow(cmd.Context(), q, after)
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// tail follows the record of a daemon, over its restarts.
type tail struct {
	ask   func(context.Context, followed) (follows, error)
	out   printer
	errs  io.Writer
	clock func() time.Time
	pause func(context.Context, time.Duration)
}

// followFor is how long one question waits for an entry.
const followFor = 20 * time.Second

func (t *tail) follow(ctx context.Context, q record.Query, after record.Position) error {
	var away time.Time // since when the daemon does not answer
	for reached := false; ctx.Err() == nil; {
		answer, err := t.ask(ctx, followed{Query: q, After: after, Wait: followFor})
		switch {
		case err != nil && (!reached || denied(err)):
			return operationError(err)
		case err != nil && ctx.Err() == nil:
			if away.IsZero() {
				away = t.clock()
				fmt.Fprintf(t.errs, "note: the daemon does not answer, waiting for it: %v\n", err)
			}
			t.pause(ctx, time.Second)
			continue
		case err != nil:
			return nil
		}
		if !away.IsZero() {
			fmt.Fprintf(t.errs, "note: the daemon is back after %s; what it has recorded meanwhile follows\n", t.clock().Sub(away).Round(time.Second))
			away = time.Time{}
		}
		reached, after = true, answer.Next
		for _, entry := range answer.Entries {
			if err := t.out.print(entry); err != nil {
				return err
			}
		}
		if err := t.out.flush(); err != nil {
			return err
		}
	}
	return nil
}

// denied reports whether it would not help to ask again.
func denied(err error) bool {
	var denied *admin.DeniedError
	var unknown *admin.UnknownError
	return errors.As(err, &denied) || errors.As(err, &unknown) || errors.Is(err, admin.ErrClosed)
}
