package recipient

import (
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/resource"
)

// knownRecipient returns the hook of a policy with such a source, and a recipient of whom it knows.
func knownRecipient(tb testing.TB, flags ...string) (rcpt func(*policy.Recipient) (policy.Verdict, error), r *policy.Recipient) {
	tb.Helper()
	var hooks policy.Hooks
	watched := *Check
	watched.Setup = func(f *policy.Flags) policy.Build {
		build := Check.Setup(f)
		return func(env *policy.Env) (h policy.Hooks, err error) {
			hooks, err = build(env)
			return hooks, err
		}
	}
	world := policytest.NewWorld()
	world.Mailboxes = func(_ *resource.Holder, kind, _ string) (policy.Mailboxes, error) {
		if kind == "smtp" {
			return &server{exists: []string{"user@ours.example"}}, nil
		}
		return nil, nil
	}
	p, err := policytest.Only(&watched).Build(world, flags...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	r = &policy.Recipient{
		Address: address.Parse("user@ours.example"), Direction: policy.Inbound,
		Msg: &policy.Message{Conn: &policy.Connection{ConnectFacts: policytest.Letter{}.Connect()}},
	}
	v, err := hooks.Rcpt(r)
	if err != nil {
		tb.Fatal(err)
	}
	if work := v.Work(); work != nil { // the first time it is asked
		if v, err = work(tb.Context()); err != nil || v.Objects() {
			tb.Fatal(err, v.Cause())
		}
	}
	return hooks.Rcpt, r
}

// sources are those whose answer is at hand.
var sources = [...]string{"--recipient-source=*=smtp:a", "--recipient-source=*=inline:{user@ours.example=x}", "--recipient-access=static:OK"}

// An answer that is at hand costs no allocation.
func TestKnownAllocatesNothing(t *testing.T) {
	for _, flag := range sources {
		rcpt, r := knownRecipient(t, flag)
		n := testing.AllocsPerRun(100, func() {
			if v, err := rcpt(r); err != nil || v.Work() != nil || v.Objects() {
				t.Error(err, v.Cause())
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", flag, n)
		}
	}
}

func BenchmarkKnown(b *testing.B) {
	for _, flag := range sources {
		b.Run(flag, func(b *testing.B) {
			rcpt, r := knownRecipient(b, flag)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rcpt(r)
			}
		})
	}
}
