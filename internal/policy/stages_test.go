package policy

import (
	"context"
	"testing"
)

// objecting returns hooks that object at one stage.
func objecting(name string, stage Stage) Hooks {
	switch stage {
	case StageConnect:
		return Hooks{Connect: func(*Connection) (Verdict, error) { return no(name) }}
	case StageHelo:
		return Hooks{Helo: func(*Connection) (Verdict, error) { return no(name) }}
	case StageMail:
		return Hooks{Mail: func(*Message) (Verdict, error) { return no(name) }}
	case StageRcpt:
		return Hooks{Rcpt: func(*Recipient) (Verdict, error) { return no(name) }}
	case StageHeaders:
		return Hooks{Headers: func(*Message) (Verdict, error) { return no(name) }}
	}
	return Hooks{Message: func(*Message) (Verdict, error) { return no(name) }}
}

func at(stage Stage) func(*Check)   { return func(c *Check) { c.AnswerAt = stage } }
func bypass(b Bypass) func(*Check)  { return func(c *Check) { c.Bypass = b } }
func fold(f Aggregate) func(*Check) { return func(c *Check) { c.Aggregate = f } }
func onError(o OnError) func(*Check) {
	return func(c *Check) { c.OnError = o }
}

func TestWhereAnObjectionIsAnswered(t *testing.T) {
	const to = "a@ours.example"
	local := letter{client: "127.0.0.1", name: "localhost", from: "root@ours.example", to: []string{to}}
	nowhere := letter{noNetwork: true, from: "root@ours.example", to: []string{to}}
	for _, tt := range []struct {
		name     string
		flags    string
		decided  Stage
		answerAt Stage
		letter   letter
		want     string
	}{
		{"connect", "", StageConnect, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"helo", "", StageHelo, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"mail", "", StageMail, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"rcpt", "", StageRcpt, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"headers", "", StageHeaders, 0, mail(to), "end 550 5.7.1 x"},
		{"end", "", StageEnd, 0, mail(to), "end 550 5.7.1 x"},
		{"load", "", StageHelo, StageHelo, mail(to), "helo 550 5.7.1 x"},
		{"load at connect", "", StageConnect, StageHelo, mail(to), "helo 550 5.7.1 x"},
		{"client-block", "", StageConnect, StageMail, mail(to), "mail 550 5.7.1 x"},
		{"declared size", "", StageMail, StageMail, mail(to), "mail 550 5.7.1 x"},
		{"size of a recipient", "", StageRcpt, StageMail, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"counted size", "", StageEnd, StageMail, mail(to), "end 550 5.7.1 x"},
		{"answer at mail", "--answer-at=mail", StageConnect, 0, mail(to), "mail 550 5.7.1 x"},
		{"answer at mail, rcpt", "--answer-at=mail", StageRcpt, 0, mail(to), "rcpt " + to + " 550 5.7.1 x"},
		{"local submission, connect", "", StageConnect, 0, local, "end 550 5.7.1 x"},
		{"local submission, load", "", StageHelo, StageHelo, local, "end 550 5.7.1 x"},
		{"local submission, mail", "--answer-at=mail", StageMail, StageMail, local, "end 550 5.7.1 x"},
		{"local submission, rcpt", "", StageRcpt, 0, local, "end 550 5.7.1 x"},
		{"no network, rcpt", "", StageRcpt, 0, nowhere, "end 550 5.7.1 x"},
		{"no network, pilot", "--enforce-for=inline:{ours.example=x}", StageMail, StageMail, nowhere, "end 550 5.7.1 x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags, check("x", objecting("x", tt.decided), at(tt.answerAt)))
			wantSaid(t, r.send(tt.letter), tt.want)
		})
	}
}

func TestFirstInTheOrderAnswers(t *testing.T) {
	slow := func(name string) Hooks {
		return Hooks{Connect: func(*Connection) (Verdict, error) {
			return Later(func(context.Context) (Verdict, error) { return no(name) }), nil
		}}
	}
	order := []*Check{check("first", slow("first")), check("second", objecting("second", StageMail)), check("third", objecting("third", StageRcpt))}
	t.Run("one that must be waited for", func(t *testing.T) {
		r := newRig(t, "", order...)
		wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 first")
		wantEvents(t, r, "first refused a@ours.example")
	})
	t.Run("a monitored one before it is recorded, a later one does not run", func(t *testing.T) {
		r := newRig(t, "--first=monitor --third=monitor", order...)
		wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 second")
		wantEvents(t, r, "second refused a@ours.example", "first would refuse a@ours.example")
	})
}

func TestChecksAfterARefusalDoNotRun(t *testing.T) {
	for _, stage := range []Stage{StageConnect, StageMail, StageRcpt} {
		t.Run(stage.String(), func(t *testing.T) {
			ran := false
			probe := Hooks{Rcpt: func(*Recipient) (Verdict, error) { ran = true; return Pass, nil }}
			r := newRig(t, "", check("early", objecting("early", stage)), check("probe", probe))
			r.send(mail("a@ours.example"))
			if ran {
				t.Error("a later check ran for a recipient that was refused already")
			}
		})
	}
	t.Run("mail", func(t *testing.T) {
		ran := false
		probe := Hooks{Mail: func(*Message) (Verdict, error) { ran = true; return Pass, nil }}
		r := newRig(t, "", check("block", objecting("block", StageConnect), at(StageMail)), check("probe", probe))
		wantSaid(t, r.send(mail("a@ours.example")), "mail 550 5.7.1 block")
		if ran {
			t.Error("a later check ran at MAIL for a client that was refused already")
		}
	})
}

func TestRecipientsAreJudgedOneByOne(t *testing.T) {
	hooks := Hooks{Rcpt: func(r *Recipient) (Verdict, error) {
		if r.Address.Local == "bad" {
			return no("x")
		}
		return Pass, nil
	}}
	r := newRig(t, "", check("x", hooks))
	wantSaid(t, r.send(mail("a@ours.example", "bad@ours.example", "b@ours.example")), "rcpt bad@ours.example 550 5.7.1 x")
	wantEvents(t, r, "x refused bad@ours.example")
}

func TestReinjectedMailIsLeftAlone(t *testing.T) {
	var checks []*Check
	for _, stage := range Stages() {
		checks = append(checks, check(stage.String(), objecting(stage.String(), stage), at(StageHelo)))
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
	hooks := Hooks{Helo: func(c *Connection) (Verdict, error) {
		if c.TLS.Version == "" {
			return no("clear")
		}
		return Pass, nil
	}}
	r := newRig(t, "", check("clear", hooks))
	s := r.runner.NewSession()
	defer s.Close()
	l := mail("a@ours.example")
	s.Connect(l.connect())
	s.Helo(HeloFacts{Name: "one"})
	wantSaid(t, r.again(s, l), "rcpt a@ours.example 550 5.7.1 clear")
	s.Mail(MailFacts{Sender: l.from})
	s.Helo(HeloFacts{Name: "two", TLS: TLS{Version: "TLSv1.3"}})
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
		want Direction
	}{
		{"stranger to us", stranger, "a@ours.example", Inbound},
		{"stranger to elsewhere", stranger, "a@else.example", Relay},
		{"stranger to a sub-domain", stranger, "a@sub.ours.example", Relay},
		{"stranger to postmaster", stranger, "postmaster", Inbound},
		{"ours to us", own, "a@ours.example", Internal},
		{"ours to elsewhere", own, "a@else.example", Outbound},
		{"login to elsewhere", login, "a@else.example", Outbound},
		{"inbound relay in a trusted net", relay, "a@else.example", Relay},
		{"unknown client", letter{}, "a@else.example", Relay},
		{"no network", letter{noNetwork: true}, "a@else.example", Outbound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Direction
			hooks := Hooks{Rcpt: func(r *Recipient) (Verdict, error) { got = r.Direction; return Pass, nil }}
			r := newRig(t, "--inbound-relays=inline:{127.0.0.9=x}", check("x", hooks))
			tt.from.to = []string{tt.to}
			r.send(tt.from)
			if got != tt.want {
				t.Errorf("direction is %s, want %s", got, tt.want)
			}
		})
	}
}
