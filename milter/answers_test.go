package milter

import (
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// refuseWith returns the answer that the policy gives for a reply. Only its runner can make one, so
// a runner with one check makes it.
func refuseWith(tb testing.TB, code int, enhanced, text string) policy.Answer {
	tb.Helper()
	reply := &policy.Reply{ID: "test", Row: "T", Code: code, Enhanced: enhanced, Text: text}
	refuse := func(*policy.Recipient) (policy.Verdict, error) { return policy.Object(reply), nil }
	session := newPolicySession(tb, reply, policy.Hooks{Rcpt: refuse})
	defer session.Close()
	session.Connect(policy.ConnectFacts{})
	session.Helo(policy.HeloFacts{})
	session.Mail(policy.MailFacts{})
	answer := session.Rcpt(policy.RcptFacts{Recipient: "a@test.example"})
	if !answer.Refuses() {
		tb.Fatalf("the policy does not answer with %d %s %s", code, enhanced, text)
	}
	return answer
}

// newPolicySession returns a real session of the policy in which one check has these hooks.
func newPolicySession(tb testing.TB, reply *policy.Reply, hooks policy.Hooks) *runner.Session {
	tb.Helper()
	return newPolicyRunner(tb, reply, hooks).NewSession()
}

func newPolicyRunner(tb testing.TB, reply *policy.Reply, hooks policy.Hooks) *runner.Runner {
	tb.Helper()
	check := &policy.Check{
		Name: "test", Mode: policy.Enforce, Replies: []*policy.Reply{reply},
		Setup: func(*policy.Flags) policy.Build {
			return func(*policy.Env) (policy.Hooks, error) { return hooks, nil }
		},
	}
	unable := &policy.Reply{ID: "fault", Row: "T13", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time"}
	fault := &policy.Check{Name: "fault", Mode: policy.Enforce, Replies: []*policy.Reply{unable}}
	order := make(map[policy.Stage][]*policy.Check)
	for _, stage := range policy.Stages() {
		order[stage] = []*policy.Check{check}
	}
	registry := &policy.Registry{
		Checks: []*policy.Check{fault, check}, Order: order,
		Fault: fault, Unavailable: unable, Unprocessed: unable,
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	draft := runner.NewDraft(registry, flags)
	built, err := draft.Build(&policy.Backends{Clock: time.Now}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	rn := runner.NewRunner(built, silentObserver{}, runner.DefaultLimits)
	tb.Cleanup(rn.Close)
	return rn
}

type silentObserver struct{}

func (silentObserver) Identify(*policy.Event) string    { return "" }
func (silentObserver) Record(*policy.Event)             {}
func (silentObserver) Settled(*policy.Transaction)      {}
func (silentObserver) Defect(error)                     {}
func (silentObserver) Keeps() bool                      { return false }
func (silentObserver) Dropped()                         {}
func (silentObserver) Opened(*policy.Connection)        {}
func (silentObserver) Closed(*policy.Connection)        {}
func (silentObserver) Took(policy.Stage, time.Duration) {}
