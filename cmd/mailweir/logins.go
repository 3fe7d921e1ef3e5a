package main

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/logins"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// loginJudge answers mailweir auth by the policy that is in force.
type loginJudge struct {
	*loginEvents
	runner *runner.Runner
}

// Ask reports whether a client may not log in now.
func (j loginJudge) Ask(ctx context.Context, l policy.Login) logins.Answer {
	r := j.runner.JudgeLogin(ctx, l)
	return logins.Answer{Blocked: r.Blocked, Cause: r.Cause}
}

// Tell has the checks learn from an attempt.
func (j loginJudge) Tell(ctx context.Context, l policy.Login, o policy.LoginOutcome) {
	j.runner.LoginEnded(ctx, l, o)
}

// openLogins opens the socket of --auth-milter; without it there is none.
func (d *daemon) openLogins(a *authFlags) (*logins.Server, error) {
	if *a.milter == "" {
		return nil, nil
	}
	options, err := socketOptions("auth-milter", *a.milterMode, *a.milterGroup)
	if err != nil {
		return nil, err
	}
	l, err := d.sockets.listen(*a.milter, options)
	if err != nil {
		return nil, fmt.Errorf("--auth-milter: %w", err)
	}
	s := logins.NewServer(l, loginJudge{&loginEvents{record: d.record, clock: time.Now}, d.runner})
	s.Start()
	return s, nil
}

// loginsWithin is how long messages in progress may take when the daemon ends.
const loginsWithin = 2 * time.Second

func stopLogins(s *logins.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), loginsWithin)
	defer cancel()
	s.Stop(ctx)
}
