package runner

import (
	"context"
	"testing"

	"mailweir/internal/policy"
)

// objecting returns hooks that object at one stage.
func objecting(name string, stage policy.Stage) policy.Hooks {
	switch stage {
	case policy.StageConnect:
		return policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) { return no(name) }}
	case policy.StageHelo:
		return policy.Hooks{Helo: func(*policy.Connection) (policy.Verdict, error) { return no(name) }}
	case policy.StageMail:
		return policy.Hooks{Mail: func(*policy.Message) (policy.Verdict, error) { return no(name) }}
	case policy.StageRcpt:
		return policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return no(name) }}
	case policy.StageHeaders:
		return policy.Hooks{Headers: func(*policy.Message) (policy.Verdict, error) { return no(name) }}
	}
	return policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return no(name) }}
}

func at(stage policy.Stage) func(*policy.Check) { return func(c *policy.Check) { c.AnswerAt = stage } }

func bypass(b policy.Exemption) func(*policy.Check) { return func(c *policy.Check) { c.Exempt = b } }

func fold(f policy.Aggregate) func(*policy.Check) { return func(c *policy.Check) { c.Aggregate = f } }

func onError(o policy.OnError) func(*policy.Check) {
	return func(c *policy.Check) { c.OnError = o }
}

func TestWhereAnObjectionIsAnswered(t *testing.T) {
	const to = "a@ours.example"
	local := letter{client: "127.0.0.1", name: "localhost", from: "root@ours.example", to: []string{to}}
	nowhere := letter{noNetwork: true, from: "root@ours.example", to: []string{to}}
	for _, tt := range []struct {
		name     string
		flags    string
		decided  policy.Stage
		answerAt policy.Stage
		letter   letter
		want     string
	}{
		{"connect", "", policy.StageConnect, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"helo", "", policy.StageHelo, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"mail", "", policy.StageMail, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"rcpt", "", policy.StageRcpt, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"headers", "", policy.StageHeaders, 0, mail(to), "end 550 5.7.1 x"},
		{"end", "", policy.StageEnd, 0, mail(to), "end 550 5.7.1 x"},
		{"load", "", policy.StageHelo, policy.StageHelo, mail(to), "helo 550 5.7.1 x"},
		{"load at connect", "", policy.StageConnect, policy.StageHelo, mail(to), "helo 550 5.7.1 x"},
		{"client-block", "", policy.StageConnect, policy.StageMail, mail(to), "mail 550 5.7.1 x"},
		{"declared size", "", policy.StageMail, policy.StageMail, mail(to), "mail 550 5.7.1 x"},
		{"size of a recipient", "", policy.StageRcpt, policy.StageMail, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"counted size", "", policy.StageEnd, policy.StageMail, mail(to), "end 550 5.7.1 x"},
		{"answer at mail", "--answer-at=mail", policy.StageConnect, 0, mail(to), "mail 550 5.7.1 x"},
		{"answer at mail, rcpt", "--answer-at=mail", policy.StageRcpt, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"local submission, connect", "", policy.StageConnect, 0, local, "end 550 5.7.1 x"},
		{"local submission, load", "", policy.StageHelo, policy.StageHelo, local, "end 550 5.7.1 x"},
		{"local submission, mail", "--answer-at=mail", policy.StageMail, policy.StageMail, local, "end 550 5.7.1 x"},
		{"local submission, rcpt", "", policy.StageRcpt, 0, local, "end 550 5.7.1 x"},
		{"no network, rcpt", "", policy.StageRcpt, 0, nowhere, "end 550 5.7.1 x"},
		{"no network, pilot", "--enforce-for=inline:{ours.example=x}", policy.StageMail, policy.StageMail, nowhere, "end 550 5.7.1 x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags, check("x", objecting("x", tt.decided), at(tt.answerAt)))
			wantSaid(t, r.send(tt.letter), tt.want)
		})
	}
}

func TestFirstInTheOrderAnswers(t *testing.T) {
	slow := func(name string) policy.Hooks {
		return policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { return no(name) }), nil
		}}
	}
	order := []*policy.Check{check("first", slow("first")), check("second", objecting("second", policy.StageMail)), check("third", objecting("third", policy.StageRcpt))}
	t.Run("one that must be waited for", func(t *testing.T) {
		r := newRig(t, "", order...)
		wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 first")
		wantEvents(t, r, "first refused a@ours.example")
	})
	t.Run("a monitored one before it is recorded, a later one does not run", func(t *testing.T) {
		r := newRig(t, "--first=monitor --third=monitor", order...)
		wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 second")
		wantEvents(t, r, "second refused a@ours.example", "first would_refuse a@ours.example")
	})
}

func TestChecksAfterARefusalDoNotRun(t *testing.T) {
	for _, stage := range []policy.Stage{policy.StageConnect, policy.StageMail, policy.StageRcpt} {
		t.Run(stage.String(), func(t *testing.T) {
			ran := false
			probe := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { ran = true; return policy.Pass, nil }}
			r := newRig(t, "", check("early", objecting("early", stage)), check("probe", probe))
			r.send(mail("a@ours.example"))
			if ran {
				t.Error("a later check ran for a recipient that was refused already")
			}
		})
	}
	t.Run("mail", func(t *testing.T) {
		ran := false
		probe := policy.Hooks{Mail: func(*policy.Message) (policy.Verdict, error) { ran = true; return policy.Pass, nil }}
		r := newRig(t, "", check("block", objecting("block", policy.StageConnect), at(policy.StageMail)), check("probe", probe))
		wantSaid(t, r.send(mail("a@ours.example")), "mail 550 5.7.1 block")
		if ran {
			t.Error("a later check ran at MAIL for a client that was refused already")
		}
	})
}

func TestRecipientsAreJudgedOneByOne(t *testing.T) {
	hooks := policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if r.Address.Local == "bad" {
			return no("x")
		}
		return policy.Pass, nil
	}}
	r := newRig(t, "", check("x", hooks))
	wantSaid(t, r.send(mail("a@ours.example", "bad@ours.example", "b@ours.example")), "rcpt bad@ours.example 550 5.7.1 x")
	wantEvents(t, r, "x refused bad@ours.example")
}

func TestReinjectedMailIsLeftAlone(t *testing.T) {
	var checks []*policy.Check
	for _, stage := range policy.Stages() {
		checks = append(checks, check(stage.String(), objecting(stage.String(), stage), at(policy.StageHelo)))
	}
	r := newRig(t, "", checks...)
	l := mail("a@ours.example")
	l.door = "10026"
	wantSaid(t, r.send(l), "")
	s := r.runner.NewSession()
	s.Connect(l.connect())
	s.Fault(context.Canceled)
	wantSaid(t, r.again(s, l), "")
	s.Close()
	wantEvents(t, r)
	if n := len(r.seen.outcomes); n != 0 {
		t.Errorf("%d outcomes were told", n)
	}
}

func TestSecondHelo(t *testing.T) {
	hooks := policy.Hooks{Helo: func(c *policy.Connection) (policy.Verdict, error) {
		if c.TLS.Version == "" {
			return no("clear")
		}
		return policy.Pass, nil
	}}
	r := newRig(t, "", check("clear", hooks))
	s := r.runner.NewSession()
	defer s.Close()
	l := mail("a@ours.example")
	s.Connect(l.connect())
	s.Helo(policy.HeloFacts{Name: "one"})
	wantSaid(t, r.again(s, l), "rcpt a@ours.example 550 5.7.1 clear")
	s.Mail(policy.MailFacts{Sender: l.from})
	s.Helo(policy.HeloFacts{Name: "two", TLS: policy.TLS{Version: "TLSv1.3"}})
	if s.msg != nil {
		t.Error("EHLO did not end the transaction")
	}
	wantSaid(t, r.again(s, l), "")
}

func TestDirection(t *testing.T) {
	stranger, own := letter{client: "192.0.2.1", port: 25}, letter{client: "127.0.0.1", port: 25}
	login, relay := letter{client: "192.0.2.1", port: 25, login: "bob"}, letter{client: "127.0.0.9", port: 25}
	for _, tt := range []struct {
		name string
		from letter
		to   string
		want policy.Direction
	}{
		{"untrusted to us", stranger, "a@ours.example", policy.Inbound},
		{"untrusted to elsewhere", stranger, "a@else.example", policy.Relay},
		{"untrusted to a sub-domain", stranger, "a@sub.ours.example", policy.Relay},
		{"untrusted to postmaster", stranger, "postmaster", policy.Inbound},
		{"ours to us", own, "a@ours.example", policy.Internal},
		{"ours to elsewhere", own, "a@else.example", policy.Outbound},
		{"login to elsewhere", login, "a@else.example", policy.Outbound},
		{"inbound relay in a trusted net", relay, "a@else.example", policy.Relay},
		{"unknown client", letter{}, "a@else.example", policy.Relay},
		{"no network", letter{noNetwork: true}, "a@else.example", policy.Outbound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got policy.Direction
			hooks := policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) { got = r.Direction; return policy.Pass, nil }}
			r := newRig(t, "--inbound-relays=inline:{127.0.0.9=x}", check("x", hooks))
			tt.from.to = []string{tt.to}
			r.send(tt.from)
			if got != tt.want {
				t.Errorf("direction is %s, want %s", got, tt.want)
			}
		})
	}
}
