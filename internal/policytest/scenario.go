package policytest

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// Scenario is a letter under some flags, what is refused, and the events.
type Scenario struct {
	Name   string
	Flags  []string
	Mail   Letter
	Said   string // one line each
	Events string // CHECK ACTION, one line each; "" expects just one for each line of said
	Cause  string // part of the first event's cause
	// reached is what was not examined of a message that nothing was said about, as it is recorded.
	Reached string
}

// Play runs scenarios, each with the flags that all share in front of its own.
func (r Rig) Play(t *testing.T, shared []string, list []Scenario) {
	t.Helper()
	for _, c := range list {
		t.Run(c.Name, func(t *testing.T) {
			p, err := r.Build(NewWorld(), append(append([]string(nil), shared...), c.Flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			c.Check(t, p)
		})
	}
}

// Check sends the letter to a policy and compares. It returns the events.
func (c Scenario) Check(t *testing.T, p *runner.Policy) []*policy.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	p.Ready(ctx)
	h := NewHost(t, nil, p)
	got := h.Send(c.Mail)
	if said := strings.Join(got.Said, "\n"); said != c.Said {
		t.Errorf("said:\n%s\nwant:\n%s", said, c.Said)
	}
	switch events := Lines(got.Events); {
	case c.Events == "" && len(events) != len(got.Said), c.Events != "" && c.Events != strings.Join(events, "\n"):
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(events, "\n"), c.Events)
	case c.Reached != "" && h.unexamined() != c.Reached:
		t.Errorf("recorded %q, want %q", h.unexamined(), c.Reached)
	case c.Cause != "" && !strings.Contains(got.Events[0].Cause, c.Cause):
		t.Errorf("cause %q is without %q", got.Events[0].Cause, c.Cause)
	}
	return got.Events
}
