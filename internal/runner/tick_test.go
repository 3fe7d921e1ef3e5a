package runner

import (
	"context"
	"testing"

	"mailweir/internal/policy"
)

func TestTick(t *testing.T) {
	ticks := 0
	quiet := check("quiet", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil }})
	broken := check("broken", policy.Hooks{
		Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil },
		Tick: func(context.Context, func(*policy.Event)) { panic("broken") },
	})
	telling := check("telling", policy.Hooks{
		Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil },
		Tick: func(_ context.Context, tell func(*policy.Event)) {
			ticks++
			tell(&policy.Event{Action: policy.ActionNotRetried, Cause: "found"})
		},
	})
	r := newRig(t, "", quiet, broken, telling)
	r.seen.id = "mw-1"
	r.runner.Tick(t.Context())
	if ticks != 1 {
		t.Errorf("%d ticks, want 1", ticks)
	}
	if len(r.seen.defects) != 1 {
		t.Errorf("defects %v, want the panic", r.seen.defects)
	}
	events := r.seen.list
	if len(events) != 1 || events[0].Check != "telling" || events[0].Mode != policy.Enforce || events[0].ID != "mw-1" || events[0].Cause != "found" ||
		!events[0].Time.Equal(r.backends.Clock()) {
		t.Fatalf("events %+v", events)
	}
	if got := events[0].Action.String(); got != "not_retried" {
		t.Errorf("action %q", got)
	}
	r.runner.Swap(r.policy("--telling=off"))
	r.runner.Tick(t.Context())
	if ticks != 1 {
		t.Error("a check that is off had its tick")
	}
}
