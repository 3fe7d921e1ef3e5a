package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

func TestPanicsAreFaultsOfOneMessage(t *testing.T) {
	const to = "a@ours.example"
	rcpt, end := "rcpt "+to+" 451 4.3.0 Unable to process", "end 451 4.3.0 Unable to process"
	for _, tt := range []struct {
		name  string
		hooks policy.Hooks
		want  string
	}{
		{"connect", policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) { panic("x") }}, rcpt},
		{"helo", policy.Hooks{Helo: func(*policy.Connection) (policy.Verdict, error) { panic("x") }}, rcpt},
		{"mail", policy.Hooks{Mail: func(*policy.Message) (policy.Verdict, error) { panic("x") }}, rcpt},
		{"rcpt", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { panic("x") }}, rcpt},
		{"header", policy.Hooks{Header: func(*policy.Message, policy.Field) { panic("x") }}, end},
		{"body", policy.Hooks{Body: func(*policy.Message, []byte) { panic("x") }}, end},
		{"headers", policy.Hooks{Headers: func(*policy.Message) (policy.Verdict, error) { panic("x") }}, end},
		{"headers for", policy.Hooks{HeadersFor: func(*policy.Recipient) (policy.Verdict, error) { panic("x") }}, end},
		{"message", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { panic("x") }}, end},
		{"message for", policy.Hooks{MessageFor: func(*policy.Recipient) (policy.Verdict, error) { panic("x") }}, end},
		{"later", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { panic("x") }), nil
		}}, rcpt},
		{"later in later", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			inner := policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { panic("x") })
			return policy.Asks().Later(func(context.Context) (policy.Verdict, error) { return inner, nil }), nil
		}}, rcpt},
		{"later without end", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			var again policy.Verdict
			again = policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { return again, nil })
			return again, nil
		}}, rcpt},
		{"later at once, without end", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			var again policy.Verdict
			again = policy.Asks().Later(func(context.Context) (policy.Verdict, error) { return again, nil })
			return again, nil
		}}, rcpt},
		{"later with two judgements", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			two := policy.Pass.And(policy.Pass)
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { return two, nil }), nil
		}}, rcpt},
		{"later at once, with two judgements", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			two := policy.Pass.And(policy.Pass)
			return policy.Asks().Later(func(context.Context) (policy.Verdict, error) { return two, nil }), nil
		}}, rcpt},
		{"later at once", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks().Later(func(context.Context) (policy.Verdict, error) { panic("x") }), nil
		}}, rcpt},
	} {
		for _, mode := range []string{"enforce", "monitor"} {
			t.Run(tt.name+" "+mode, func(t *testing.T) {
				r := newRig(t, "--mode="+mode, check("x", tt.hooks))
				l := mail(to)
				l.fields, l.body = []policy.Field{{Name: "Subject", Value: "x"}}, "x"
				if mode == "monitor" {
					tt.want = ""
				}
				wantSaid(t, r.send(l), tt.want)
				r.idle()
				if e := r.seen.list[0]; e.Check != "x" || e.Err == "" || !strings.Contains(tt.name, "without end") && e.Stack == "" {
					t.Errorf("event %+v does not tell what failed", e)
				}
			})
		}
	}
}

// TestAPanicLeavesOtherChecksAtWork: a broken check that does not refuse must not open the door to
// what others refuse.
func TestAPanicLeavesOtherChecksAtWork(t *testing.T) {
	heard := 0
	broken := policy.Hooks{
		Header: func(*policy.Message, policy.Field) { panic("x") },
		Body:   func(*policy.Message, []byte) { t.Error("the body was shown to a check that had missed a header field") },
		Message: func(*policy.Message) (policy.Verdict, error) {
			t.Error("a check judged what it had not seen")
			return policy.Pass, nil
		},
	}
	whole := policy.Hooks{
		Header:  func(*policy.Message, policy.Field) { heard++ },
		Body:    func(*policy.Message, []byte) { heard++ },
		Message: func(*policy.Message) (policy.Verdict, error) { return no("virus") },
	}
	r := newRig(t, "--broken=monitor", check("broken", broken), check("virus", whole))
	l := mail("a@ours.example")
	l.fields, l.body = []policy.Field{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}, "body"
	wantSaid(t, r.send(l), "end 550 5.7.1 virus")
	if heard != 3 {
		t.Errorf("the check that works saw %d parts of the message, want 3", heard)
	}
}

func TestFaultsOfTheWire(t *testing.T) {
	const to = "a@ours.example"
	r := newRig(t, "")
	for _, tt := range []struct {
		name string
		do   func(*Session)
		want string
	}{
		{"before MAIL: the next message, and no other", func(s *Session) { s.Fault(errors.New("x")) }, "rcpt " + to + " 451 4.3.0 Unable to process"},
		{"nothing", func(*Session) {}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := r.runner.NewSession()
			defer s.Close()
			tt.do(s)
			wantSaid(t, r.again(s, mail(to)), tt.want)
			wantSaid(t, r.again(s, mail(to)), "")
		})
	}
	t.Run("after a recipient", func(t *testing.T) {
		s := r.runner.NewSession()
		defer s.Close()
		s.Mail(policy.MailFacts{})
		first := s.Rcpt(policy.RcptFacts{Recipient: to})
		s.Fault(errors.New("x"))
		second, end := s.Rcpt(policy.RcptFacts{Recipient: to}), s.EndOfMessage("")
		if first.Refuses() || second.Line.Code() != 451 || end.Line.Code() != 451 {
			t.Errorf("answers %v, %v, %v; want none, 451, 451", first, second, end)
		}
	})
	t.Run("at MAIL, which left no message", func(t *testing.T) {
		s := r.runner.NewSession()
		defer s.Close()
		s.Fault(errors.New("x"))
		if a := s.Rcpt(policy.RcptFacts{Recipient: to}); a.Line.Code() != 451 {
			t.Errorf("a recipient was answered %v", a)
		}
		if a := s.EndOfMessage(""); a.Line.Code() != 451 {
			t.Errorf("the message was answered %v", a)
		}
	})
}

func TestPanicsBesideTheAnswerAreDefects(t *testing.T) {
	hooks := policy.Hooks{
		SettleRecipient: func(context.Context, *policy.Recipient, policy.Outcome) { panic("recipient") },
		SettleMessage:   func(context.Context, *policy.Message, policy.Outcome) { panic("message") },
		Close:           func() { panic("close") },
	}
	r := newRig(t, "", check("x", hooks))
	wantSaid(t, r.send(mail("a@ours.example")), "")
	r.idle()
	r.runner.Swap(r.policy(""))
	if n := len(r.seen.defects); n != 3 {
		t.Errorf("%d defects were told, want 3: %v", n, r.seen.defects)
	}
	if r.seen.closed != 1 || len(r.seen.outcomes) != 1 {
		t.Error("a panic in a Settle hook kept an outcome or the end of the connection from the observer")
	}
}

// TestAPanicGivesBackWhatOthersHold: whoever panics at the end of a scope keeps nobody else's.
func TestAPanicGivesBackWhatOthersHold(t *testing.T) {
	type holder interface {
		Hold(func(policy.Fate)) (policy.Fate, bool)
	}
	var back []string
	hold := func(where holder, name string) (policy.Verdict, error) {
		where.Hold(func(policy.Fate) { panic("test: " + name) })
		where.Hold(func(policy.Fate) { back = append(back, name) })
		return policy.Pass, nil
	}
	r := newRig(t, "", check("x", policy.Hooks{
		Connect: func(c *policy.Connection) (policy.Verdict, error) { return hold(c, "connection") },
		Mail:    func(m *policy.Message) (policy.Verdict, error) { return hold(m, "message") },
		Rcpt:    func(r *policy.Recipient) (policy.Verdict, error) { return hold(r, "recipient") },
	}))
	r.send(mail("alice@ours.example"))
	r.idle()
	if want := []string{"recipient", "message", "connection"}; !slices.Equal(back, want) {
		t.Errorf("given back %q, want %q", back, want)
	}
	if len(r.seen.defects) != 3 || r.seen.opened != r.seen.closed || len(r.seen.transactions) != 1 {
		t.Errorf("%d defects, %d of %d connections closed, %d transactions", len(r.seen.defects), r.seen.closed, r.seen.opened, len(r.seen.transactions))
	}
}
