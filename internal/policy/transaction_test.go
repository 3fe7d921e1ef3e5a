package policy

import (
	"fmt"
	"strings"
	"testing"
)

// The record of a transaction has every recipient with what became of him, whatever became of the message.
func TestTransaction(t *testing.T) {
	refuse := Hooks{Rcpt: func(r *Recipient) (Verdict, error) {
		if r.Address.Local == "bad" {
			return no("x")
		}
		return Pass, nil
	}}
	watch := check("watch", Hooks{Rcpt: func(*Recipient) (Verdict, error) { return no("watch") }}, func(c *Check) { c.Mode = Monitor })
	r := newRig(t, "", watch, check("x", refuse))
	r.seen.id = "mw-1"
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	s.Helo(HeloFacts{Name: "helo.example", TLS: TLS{Version: "TLSv1.3"}})
	s.Mail(MailFacts{Sender: "x@else.example", Size: 100, Login: "bob"})
	s.Rcpt(RcptFacts{Recipient: "bad@ours.example"})
	s.RcptRefusedByMTA(RcptFacts{Recipient: "unknown@ours.example"})
	s.Rcpt(RcptFacts{Recipient: "good@ours.example", QueueID: "4AbC"})
	for _, f := range []Field{{"Message-ID", "<1@else.example>"}, {"Subject", " hello"}, {"Subject", "second"}, {"From", strings.Repeat("a", 5000)}} {
		s.Header(f, "4AbC")
	}
	s.EndOfHeaders()
	s.EndOfMessage("4AbC")
	s.Mail(MailFacts{})
	s.Close()
	r.idle()
	if len(r.seen.transactions) != 2 {
		t.Fatalf("%d transactions, want 2", len(r.seen.transactions))
	}
	x, second := r.seen.transactions[0], r.seen.transactions[1]
	got := fmt.Sprint(x.Number, x.Service, x.Client, x.Helo, x.TLS.Version, x.Login, x.Sender, x.QueueID, x.MessageID, x.Subject, len(x.From), x.Fields, x.DeclaredSize, x.Fate, x.Would)
	want := fmt.Sprint(1, MX, mail().connect().Client, "helo.example", "TLSv1.3", "bob", "x@else.example", "4AbC", "<1@else.example>", "hello", maxKept, 4, 100, Accepted, []string{"watch"})
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	var fates []string
	for _, one := range x.Recipients {
		fates = append(fates, fmt.Sprint(one.Recipient, " ", one.Fate, " ", one.Check, " ", one.Would))
	}
	if got, want := strings.Join(fates, "\n"), "bad@ours.example refused x [watch]\nunknown@ours.example refused by mta  []\ngood@ours.example accepted  [watch]"; got != want {
		t.Errorf("recipients:\n%s\nwant:\n%s", got, want)
	}
	if rest := x.Remaining(); x.RecipientCount != 3 || len(rest) != 1 || rest[0].Recipient != "good@ours.example" {
		t.Errorf("%d recipients, of whom remain %v", x.RecipientCount, rest)
	}
	if second.Number != 2 || second.Fate != Lost || second.RecipientCount != 0 || second.Session != x.Session {
		t.Errorf("the second: %+v", second)
	}
}

// Recipients beyond those that are named are counted.
func TestTransactionIsBounded(t *testing.T) {
	r := newRig(t, "", check("x", Hooks{Rcpt: func(r *Recipient) (Verdict, error) {
		if strings.HasPrefix(r.Address.Local, "bad") {
			return no("x")
		}
		return Pass, nil
	}}))
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	s.Mail(MailFacts{})
	for i := range MaxEventRecipients {
		s.Rcpt(RcptFacts{Recipient: fmt.Sprintf("bad%d@ours.example", i)})
		s.Rcpt(RcptFacts{Recipient: fmt.Sprintf("u%d@ours.example", i)})
	}
	s.Close()
	r.idle()
	if x := r.seen.transactions[0]; len(x.Recipients) != MaxEventRecipients || x.RecipientCount != 2*MaxEventRecipients || len(x.Remaining()) != 0 {
		t.Errorf("%d named of %d", len(x.Recipients), x.RecipientCount)
	}
}
