package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/record"
)

// A tail goes on where it was when the daemon comes back, and says that it was away.
func TestFollow(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	gone := fmt.Errorf("%w: connection refused", admin.ErrNotRunning)
	answers := []struct {
		follows
		err error
	}{
		{follows: follows{Next: 10}},
		{follows: follows{Entries: []record.Entry{decided("mw-aaaaaaa1", "greylist", 0, nil)}, Next: 20}},
		{err: errors.New("EOF")},
		{err: gone},
		{follows: follows{Entries: []record.Entry{decided("mw-aaaaaaa2", "hops", 0, nil)}, Next: 30}},
	}
	var asked []record.Position
	var out, errs bytes.Buffer
	now, pauses := time.Unix(0, 0), 0
	f := &tail{
		out: textEvents{&out}, errs: &errs, clock: func() time.Time { return now },
		pause: func(context.Context, time.Duration) { pauses++; now = now.Add(time.Second) },
		ask: func(_ context.Context, r followed) (follows, error) {
			if len(asked) == len(answers) {
				cancel()
				return follows{}, ctx.Err()
			}
			a := answers[len(asked)]
			asked = append(asked, r.After)
			return a.follows, a.err
		},
	}
	if err := f.follow(ctx, record.Query{}, 0); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(asked); got != "[0 10 20 20 20]" || pauses != 2 {
		t.Errorf("asked from %s, with %d pauses", got, pauses)
	}
	if n := strings.Count(out.String(), "\n"); n != 2 || !strings.Contains(out.String(), "mw-aaaaaaa2") {
		t.Errorf("printed %s", out.String())
	}
	if got := errs.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "waiting for it: EOF") || !strings.Contains(got, "back after 2s") {
		t.Errorf("said %s", got)
	}
}

// Without a daemon there is nothing to wait for, and what is forbidden does not change by asking.
func TestFollowFails(t *testing.T) {
	for _, c := range []struct {
		reached bool
		err     error
		code    int
	}{
		{false, admin.ErrNotRunning, exUnavailable},
		{true, &admin.DeniedError{Text: "no"}, exNoPerm},
		{true, &admin.UnknownError{Operation: recordFollow}, exUnavailable},
	} {
		first := c.reached
		f := &tail{out: textEvents{new(bytes.Buffer)}, errs: new(bytes.Buffer), clock: time.Now, pause: func(context.Context, time.Duration) {}, ask: func(context.Context, followed) (follows, error) {
			if first {
				first = false
				return follows{Next: 1}, nil
			}
			return follows{}, c.err
		}}
		if err := f.follow(t.Context(), record.Query{}, 0); err == nil || asExit(err).code != c.code {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}
