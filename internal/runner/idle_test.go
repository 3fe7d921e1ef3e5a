package runner

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// TestIdleKeepsNoMessage: a connection may stay open for long after its message, and however much
// it asked about that one nothing keeps it.
func TestIdleKeepsNoMessage(t *testing.T) {
	for name, verdict := range map[string]policy.Verdict{
		"nothing is asked": policy.Pass,
		"something is asked": policy.Asks().Later(func(ctx context.Context) (policy.Verdict, error) {
			trace.Add(ctx, "question", "answer")
			return policy.Pass, nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var kept weak.Pointer[message]
			r := newRig(t, "", check("x", policy.Hooks{Mail: func(m *policy.Message) (policy.Verdict, error) {
				kept = weak.Make(m.Inquiry.(*message))
				return verdict, nil
			}}))
			l := mail("alice@ours.example")
			s := r.runner.NewSession()
			defer s.Close()
			s.Connect(l.connect())
			s.Helo(policy.HeloFacts{Name: "client.example"})
			r.again(s, l)
			r.idle()
			r.seen.keep(func() { r.seen.list, r.seen.transactions, r.seen.outcomes = nil, nil, nil })
			for range 3 {
				runtime.GC()
			}
			if kept.Value() != nil {
				t.Error("the message is still there")
			}
			runtime.KeepAlive(s)
		})
	}
}
