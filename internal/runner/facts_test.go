package runner

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"mailweir/internal/policy"
)

var errDown = errors.New("connection refused")

const (
	ours     = "a@ours.example"
	theirs   = "b@else.example"
	tryLater = " 451 4.7.1 Temporarily unavailable"
)

// relayCheck refuses mail to other people's domains from untrusted clients, as open-relay does.
func relayCheck() *policy.Check {
	return check("relay", policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if r.Direction == policy.Relay {
			return no("relay")
		}
		return policy.Pass, nil
	}})
}

// TestFactsFromTablesThatWait: what hooks read as facts comes from tables that wait as from those
// in memory.
func TestFactsFromTablesThatWait(t *testing.T) {
	refuses := check("x", objecting("x", policy.StageRcpt), func(c *policy.Check) {
		c.Exempt = policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptPermitSender
	})
	for _, c := range []struct {
		name, flags string
		check       *policy.Check
		to          string
		set         func(r *rig)
		want        string
	}{
		{"local", "--local-domains=test:a", relayCheck(), ours, func(r *rig) { r.tables.Table("a").Put("ours.example", "x") }, ""},
		{"not local", "--local-domains=test:a", relayCheck(), theirs, func(r *rig) { r.tables.Table("a").Put("ours.example", "x") }, "rcpt " + theirs + " 550 5.7.1 relay"},
		{"inbound relay", "--inbound-relays=test:a", refuses, ours, func(r *rig) { r.tables.Table("a").Put("192.0.2", "x") }, ""},
		{"no inbound relay", "--inbound-relays=test:a", refuses, ours, func(*rig) {}, "rcpt " + ours + " 550 5.7.1 x"},
		{"permitted client", "--permit-clients=test:a", refuses, ours, func(r *rig) { r.tables.Table("a").Put("192.0.2.1", "OK") }, ""},
		{"client in DUNNO", "--permit-clients=test:a", refuses, ours, func(r *rig) { r.tables.Table("a").Put("192.0.2.1", "DUNNO") }, "rcpt " + ours + " 550 5.7.1 x"},
		{"permitted sender", "--permit-senders=test:a", refuses, ours, func(r *rig) { r.tables.Table("a").Put("else.example", "OK unverified") }, ""},
		{"in the pilot", "--enforce-for=test:a", refuses, ours, func(r *rig) { r.tables.Table("a").Put("a@", "x") }, "rcpt " + ours + " 550 5.7.1 x"},
		{"spared", "--monitor-for=test:a", refuses, ours, func(r *rig) { r.tables.Table("a").Put("a@", "x") }, ""},
		{"spared by domain, but not this one", "--monitor-for=test:a", refuses, ours, func(r *rig) {
			r.tables.Table("a").Put("ours.example", "x")
			r.tables.Table("a").Put("a@ours.example", "DUNNO")
		}, "rcpt " + ours + " 550 5.7.1 x"},
		{"not spared", "--monitor-for=test:a", refuses, ours, func(*rig) {}, "rcpt " + ours + " 550 5.7.1 x"},
		{"not in the pilot", "--enforce-for=test:a", refuses, ours, func(*rig) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.flags, c.check)
			c.set(r)
			wantSaid(t, r.send(mail(c.to)), strings.Split(c.want, "\n")...)
			if len(r.tables.Table("a").Asked()) == 0 {
				t.Error("the table was not asked")
			}
		})
	}
}

// TestFactsUnknown: a table that cannot answer makes nobody a relay and refuses nothing
// permanently.
func TestFactsUnknown(t *testing.T) {
	refuses := func() *policy.Check {
		return check("x", objecting("x", policy.StageRcpt), func(c *policy.Check) {
			c.Exempt = policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptPermitSender
		})
	}
	atMail := func() *policy.Check {
		return check("x", objecting("x", policy.StageConnect), func(c *policy.Check) {
			c.Exempt, c.AnswerAt = policy.ExemptTrusted, policy.StageMail
		})
	}
	passes := func() *policy.Check { return check("p", policy.Hooks{Rcpt: passing}) }
	for _, c := range []struct {
		name, flags string
		check       *policy.Check
		letter      letter
		want        []string
		cause       string
	}{
		{"local domains, from others", "--local-domains=test:a", relayCheck(), mail(ours, theirs), []string{"rcpt " + ours + tryLater, "rcpt " + theirs + tryLater}, "fault: test:a: --local-domains: connection refused"},
		{"local domains, from us", "--local-domains=test:a", relayCheck(), trusted(mail(theirs)), []string{"rcpt " + theirs + tryLater}, "fault: test:a: --local-domains: connection refused"},
		{"local domains, submitted here", "--local-domains=test:a", relayCheck(), local(mail(theirs)), []string{"end 451 4.3.0 Unable to process now"}, "fault: test:a: --local-domains: connection refused"},
		{"local domains, monitored", "--local-domains=test:a --mode=monitor", relayCheck(), mail(theirs), nil, "fault: test:a: --local-domains: connection refused"},
		{"local domains, accepted", "--local-domains=test:a --fault-on-error=accept", relayCheck(), mail(theirs), nil, "fault: test:a: --local-domains: connection refused"},
		{"inbound relays", "--inbound-relays=test:a", passes(), mail(ours), []string{"mail" + tryLater}, "fault: test:a: --inbound-relays: connection refused"},
		{"inbound relays, refused at MAIL", "--inbound-relays=test:a", atMail(), mail(ours), []string{"mail" + tryLater}, "fault: test:a: --inbound-relays: connection refused"},
		{"permit for a client", "--permit-clients=test:a", refuses(), mail(ours), []string{"rcpt " + ours + " 451 4.7.1 x"}, "; a permit could not be vouched for: test:a: connection refused"},
		{"permit for a client, nothing refused", "--permit-clients=test:a", passes(), mail(ours), nil, ""},
		{"permit for a sender", "--permit-senders=test:a", refuses(), mail(ours), []string{"rcpt " + ours + " 451 4.7.1 x"}, "; a permit could not be vouched for: test:a: connection refused"},
		{"permit that does not matter", "--permit-senders=test:a", check("x", objecting("x", policy.StageRcpt)), mail(ours), []string{"rcpt " + ours + " 550 5.7.1 x"}, ""},
		{"pilot", "--enforce-for=test:a", refuses(), mail(ours), []string{"rcpt " + ours + " 451 4.7.1 x"}, "; not known whether the recipient is in --enforce-for: test:a: connection refused"},
		{"spared", "--monitor-for=test:a", refuses(), mail(ours), []string{"rcpt " + ours + " 451 4.7.1 x"}, "; not known whether the recipient is in --monitor-for: test:a: connection refused"},
		{"spared, refused at MAIL", "--monitor-for=test:a", atMail(), mail(ours), []string{"rcpt " + ours + " 451 4.7.1 x"}, ""},
		{"pilot, nothing refused", "--enforce-for=test:a", passes(), mail(ours), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.flags, c.check)
			r.tables.Table("a").Fail(errDown)
			wantSaid(t, r.send(c.letter), c.want...)
			r.idle()
			for _, e := range r.seen.list {
				if !strings.Contains(e.Cause, c.cause) {
					t.Errorf("%s: cause %q, want %q", e.Check, e.Cause, c.cause)
				}
			}
			if c.cause != "" && len(r.seen.list) == 0 {
				t.Error("nothing was recorded")
			}
		})
	}
}

// TestFactsHeaderFrom: --permit-senders is asked for header From, too, when an objection could be
// bypassed by that.
func TestFactsHeaderFrom(t *testing.T) {
	c := check("x", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return no("x") }}, func(c *policy.Check) {
		c.Exempt = policy.ExemptHeaderFrom
	})
	l := mail(ours)
	l.fields = []policy.Field{{Name: "From", Value: "boss@corp.example"}}
	r := newRig(t, "--permit-senders=test:a", c)
	r.tables.Table("a").Put("corp.example", "OK unverified")
	wantSaid(t, r.send(l), "")
	r.tables.Table("a").Fail(errDown)
	wantSaid(t, r.send(l), "end 451 4.7.1 x")
}

// TestFactsTakeNoLongerThanAnAnswer: a table that is silent is given up at the deadline of the
// answer, which covers all that the answer waits for, and other sessions go on meanwhile.
func TestFactsTakeNoLongerThanAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, "--local-domains=test:a --local-domains=inline:{ours.example=x}", check("p", policy.Hooks{Rcpt: passing}))
		waiting, release := r.tables.Table("a").Hold()
		defer release()
		s := r.runner.NewSession()
		defer s.Close()
		s.Connect(mail(ours).connect())
		s.Mail(policy.MailFacts{Sender: "sender@else.example"})
		if a := s.Rcpt(policy.RcptFacts{Recipient: ours}); !strings.HasPrefix(a.Line.String(), "451 4.7.1 Temporarily") {
			t.Errorf("answer %q", a.Line)
		}
		if key := <-waiting; key != "ours.example" {
			t.Errorf("asked for %q", key)
		}
		r.idle()
		if cause := r.seen.list[0].Cause; !strings.Contains(cause, "--local-domains: ") || !strings.Contains(cause, "deadline") {
			t.Errorf("cause %q", cause)
		}
		if s.patience.ctx != nil {
			t.Error("the deadline goes on after the answer")
		}
	})
}

// TestOthersGoOnWhileATableWaits: a session that waits holds nobody up.
func TestOthersGoOnWhileATableWaits(t *testing.T) {
	r := newRig(t, "--permit-clients=test:a", check("x", objecting("x", policy.StageRcpt)))
	waiting, release := r.tables.Table("a").Hold()
	said := make(chan string)
	go func() { said <- r.send(mail(ours)) }()
	<-waiting
	submitted := local(mail(ours))
	submitted.client = "" // no table is asked about it
	wantSaid(t, r.send(submitted), "end 550 5.7.1 x")
	release()
	wantSaid(t, <-said, "rcpt "+ours+" 550 5.7.1 x")
}

// TestReinjectedMailAsksNoTable: nothing is checked there, so nothing is asked that may fail.
func TestReinjectedMailAsksNoTable(t *testing.T) {
	r := newRig(t, "--local-domains=test:a --inbound-relays=test:a --permit-clients=test:a --permit-senders=test:a --enforce-for=test:a")
	r.tables.Table("a").Fail(errDown)
	l := mail(ours)
	l.door = "10026"
	wantSaid(t, r.send(l), "")
	if asked := r.tables.Table("a").Asked(); len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}

func passing(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil }

// trusted lets a letter come from one of our nets, local from this machine without a network.
func trusted(l letter) letter { l.client = netip.IPv6Loopback().String(); return l }

func local(l letter) letter { l.noNetwork = true; return l }
