// Package policytest runs checks as the daemon does, in a policy of their own: a Rig builds it from
// flags, a Letter is one message, a Host plays letters through a real runner and keeps the events,
// a Scenario is a letter and what is to come of it. Clock, state and DNS are the test's. Only tests
// import it.
package policytest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// Noon is when everything happens.
var Noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Clock is a clock that a test moves. Work that nobody waits for any more may look at it meanwhile.
type Clock struct{ past atomic.Int64 } // since noon

// Time is what the clock shows.
func (h *Clock) Time() time.Time { return Noon.Add(time.Duration(h.past.Load())) }

// Move lets time pass.
func (h *Clock) Move(d time.Duration) { h.past.Add(int64(d)) }

// NewWorld is a world with a clock that stands at noon, a state in memory, one connection and no
// DNS.
func NewWorld() *policy.Backends {
	clock := func() time.Time { return Noon }
	return &policy.Backends{Connections: func() int { return 1 }, Clock: clock, State: state.NewMemory(clock, 1000)}
}

// Rig builds policies of some checks and plays mail through them.
type Rig struct {
	Registry *policy.Registry
	Flags    []string // in front of those of the test
}

// Only is a rig of these checks alone, which answer at every stage in this order.
func Only(checks ...*policy.Check) Rig {
	unavailable := &policy.Reply{ID: "unavailable", Row: "T4", Code: 451, Enhanced: "4.7.1", Text: "Internal resource temporarily unavailable"}
	unprocessed := &policy.Reply{ID: "unprocessed", Row: "T12", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time"}
	fault := &policy.Check{
		Name: "fault", Mode: policy.Enforce, OnError: policy.Delay,
		Replies: []*policy.Reply{{ID: "fault", Row: "T13", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time"}, unavailable, unprocessed},
	}
	order := map[policy.Stage][]*policy.Check{}
	for _, stage := range policy.Stages() {
		order[stage] = checks
	}
	return Rig{Registry: &policy.Registry{
		Checks: append([]*policy.Check{fault}, checks...), Order: order,
		Fault: fault, Unavailable: unavailable, Unprocessed: unprocessed,
	}}
}

// Policy is what Build returns, for tests that may not import the runner.
type Policy = runner.Policy

// Build makes a policy from flags. Our domain is ours.example.
func (r Rig) Build(world *policy.Backends, flags ...string) (*runner.Policy, error) {
	return r.BuildBare(world, slices.Concat([]string{"--local-domains=inline:{ours.example=x}"}, r.Flags, flags)...)
}

// BuildBare makes a policy from these flags alone.
func (r Rig) BuildBare(world *policy.Backends, flags ...string) (*runner.Policy, error) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	draft := runner.NewDraft(r.Registry, set)
	if err := set.Parse(flags); err != nil {
		return nil, err
	}
	return draft.Build(world, nil)
}

// File writes a file and returns its path.
func File(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// WantError builds a policy that must fail with these words.
func (r Rig) WantError(t *testing.T, words string, flags ...string) {
	t.Helper()
	p, err := r.Build(NewWorld(), flags...)
	if err == nil {
		p.Close()
		t.Fatalf("%v: no error, want %q", flags, words)
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("%v: %v, want %q", flags, err, words)
	}
}
