package policy

import (
	"bytes"
	"testing"
)

// BenchmarkMessage plays one message a connection, of 20 header fields and 8 KiB, past checks with nothing against it.
func BenchmarkMessage(b *testing.B) {
	pass := Hooks{
		Connect: func(*Connection) (Verdict, error) { return Pass, nil },
		Mail:    func(*Message) (Verdict, error) { return Pass, nil },
		Rcpt:    func(*Recipient) (Verdict, error) { return Pass, nil },
		Header:  func(*Message, Field) {},
		Headers: func(*Message) (Verdict, error) { return Pass, nil },
		Body:    func(*Message, []byte) {},
		Message: func(*Message) (Verdict, error) { return Pass, nil },
	}
	l := mail("a@ours.example")
	connect, field, chunk := l.connect(), Field{"Subject", "one of twenty header fields"}, bytes.Repeat([]byte("x"), 8<<10)
	for name, checks := range map[string][]*Check{
		"no check":    nil,
		"five checks": {check("a", pass), check("b", pass), check("c", pass), check("d", pass), check("e", pass)},
	} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, "", checks...)
			b.ReportAllocs()
			for b.Loop() {
				s := r.runner.NewSession()
				s.Connect(connect)
				s.Helo(HeloFacts{Name: "helo.example"})
				s.Mail(MailFacts{Sender: l.from})
				s.Rcpt(RcptFacts{Recipient: l.to[0]})
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
