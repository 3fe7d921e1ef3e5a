package runner

import (
	"bytes"
	"testing"

	"mailweir/internal/policy"
)

// BenchmarkMessage plays one message a connection, of 20 header fields and 8 KiB, past checks with
// nothing against it.
func BenchmarkMessage(b *testing.B) {
	pass := policy.Hooks{
		Connect: func(*policy.Connection) (policy.Verdict, error) { return policy.Pass, nil },
		Mail:    func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil },
		Rcpt:    func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil },
		Header:  func(*policy.Message, policy.Field) {},
		Headers: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil },
		Body:    func(*policy.Message, []byte) {},
		Message: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil },
	}
	l := mail("a@ours.example")
	connect, field, chunk := l.connect(), policy.Field{Name: "Subject", Value: "one of twenty header fields"}, bytes.Repeat([]byte("x"), 8<<10)
	for name, checks := range map[string][]*policy.Check{
		"no check":    nil,
		"five checks": {check("a", pass), check("b", pass), check("c", pass), check("d", pass), check("e", pass)},
	} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, "", checks...)
			b.ReportAllocs()
			for b.Loop() {
				s := r.runner.NewSession()
				s.Connect(connect)
				s.Helo(policy.HeloFacts{Name: "helo.example"})
				s.Mail(policy.MailFacts{Sender: l.from})
				s.Rcpt(policy.RcptFacts{Recipient: l.to[0]})
				for range 20 {
					s.Header(field, "4AbC")
				}
				s.EndOfHeaders()
				s.Body(chunk)
				if s.EndOfMessage("4AbC").Refuses() {
					b.Fatal("refused")
				}
				s.Close()
			}
			r.idle()
			r.seen.outcomes = nil
		})
	}
}
