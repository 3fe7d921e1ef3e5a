package runner

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailweir/internal/policy"
)

// Each is asked once, whatever several checks depend on, and all at the same time.
func TestInspect(t *testing.T) {
	met := make(chan struct{}) // both sides are there only if both are asked at once
	failure := errors.New("connection refused")
	inspected := func(name string, list ...policy.Inspection) *policy.Check {
		return check(name, policy.Hooks{
			Rcpt:        func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil },
			Inspections: list,
		})
	}
	first := policy.Inspection{Name: "a", Look: func(context.Context) (policy.Found, error) {
		met <- struct{}{}
		return policy.Found{Text: "A 1.0", Remarks: []string{"old"}}, nil
	}}
	second := policy.Inspection{Name: "b", Look: func(context.Context) (policy.Found, error) {
		<-met
		return policy.Found{}, failure
	}}
	r := newRig(t, "", inspected("one", first), inspected("two", second, first))
	got := r.runner.Inspect(t.Context())
	want := []Inspected{{Name: "a", Found: policy.Found{Text: "A 1.0", Remarks: []string{"old"}}}, {Name: "b", Err: failure}}
	if d := cmp.Diff(want, got, cmpopts.EquateErrors()); d != "" {
		t.Error(d)
	}
}
