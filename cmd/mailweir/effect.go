package main

import (
	"context"
	"encoding/json"
	"fmt"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

// checkMode is the operation that tells in which mode a check runs.
const checkMode = "checks/mode"

// checkNamed is the request of [checkMode].
type checkNamed struct {
	Check string `json:"check"`
}

func modeOperation(mode func(check string) policy.Mode) policy.Operation {
	none := func(*policy.Flags) func([]string) (checkNamed, error) {
		return func([]string) (checkNamed, error) { return checkNamed{}, nil }
	}
	run := func(_ context.Context, _ *policy.Call, r checkNamed) (policy.Mode, error) { return mode(r.Check), nil }
	return policy.NewOperation(policy.About{Name: "mode", Hidden: true, Quiet: true}, none, run, nil)
}

// mode is the one in which a check runs under these flags. What is no check is always in force.
func (s *settings) mode(check string) policy.Mode {
	if mode, ok := s.draft.Mode(check); ok {
		return mode
	}
	return policy.Enforce
}

// carrier carries operations out: the daemon, or the command itself.
type carrier func(context.Context, admin.Request) (json.RawMessage, error)

// idle says that what has been entered has no effect yet, because the check refuses nothing; ""
// where it has, or where a daemon of another version does not tell.
func idle(ctx context.Context, do carrier, check string) string {
	body, err := json.Marshal(checkNamed{check})
	if err != nil {
		return ""
	}
	answer, err := do(ctx, admin.Request{Operation: checkMode, Body: body})
	var mode policy.Mode
	if err != nil || json.Unmarshal(answer, &mode) != nil {
		return ""
	}
	switch mode {
	case policy.Off:
		return fmt.Sprintf("check %s is off", check)
	case policy.Monitor:
		return fmt.Sprintf("check %s only monitors", check)
	}
	return ""
}
