package runner

import (
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
)

// The record of a transaction has every recipient with what became of him, whatever became of the
// message.
func TestTransaction(t *testing.T) {
	refuse := policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if r.Address.Local == "bad" {
			return no("x")
		}
		return policy.Pass, nil
	}}
	watch := check("watch", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return no("watch") }}, func(c *policy.Check) { c.Mode = policy.Monitor })
	r := newRig(t, "", watch, check("x", refuse))
	r.seen.id = "mw-1"
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	s.Helo(policy.HeloFacts{Name: "helo.example", TLS: policy.TLS{Version: "TLSv1.3"}})
	s.Mail(policy.MailFacts{Sender: "x@else.example", Size: 100, Login: "bob"})
	knowSPF(&s.msg.Message, mailauth.SPFPass, nil)
	s.Rcpt(policy.RcptFacts{Recipient: "bad@ours.example"})
	s.RcptRefusedByMTA(policy.RcptFacts{Recipient: "unknown@ours.example"})
	s.Rcpt(policy.RcptFacts{Recipient: "good@ours.example", QueueID: "4AbC"})
	for _, f := range []policy.Field{{Name: "Message-ID", Value: "<1@else.example>"}, {Name: "Subject", Value: " hello"}, {Name: "Subject", Value: "second"}, {Name: "From", Value: strings.Repeat("a", 5000)}} {
		s.Header(f, "4AbC")
	}
	s.EndOfHeaders()
	signed := []*signature{{}, {}, {}} // one that nobody has verified, one that is not valid, and one that is
	signed[1].valid.Set("", nil)
	signed[2].valid.Set("else.example", nil)
	s.msg.found = &signed
	s.EndOfMessage("4AbC")
	s.Mail(policy.MailFacts{})
	s.Close()
	r.idle()
	if len(r.seen.transactions) != 2 {
		t.Fatalf("%d transactions, want 2", len(r.seen.transactions))
	}
	x, second := r.seen.transactions[0], r.seen.transactions[1]
	got := fmt.Sprint(x.Number, x.Service, x.Client, x.Helo, x.TLS.Version, x.Login, x.Sender, x.QueueID, x.MessageID, x.Subject, len(x.From), x.Fields, x.DeclaredSize, x.SPF, x.DKIM, x.Fate, x.Would)
	want := fmt.Sprint(1, policy.MX, mail().connect().Client, "helo.example", "TLSv1.3", "bob", "x@else.example", "4AbC", "<1@else.example>", "hello", policy.MaxKeptField, 4, 100, mailauth.SPFPass, []string{"else.example"}, policy.Accepted, []string{"watch"})
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	var fates []string
	for _, one := range x.Recipients {
		fates = append(fates, fmt.Sprint(one.Recipient, " ", one.Fate, " ", one.Check, " ", one.Would))
	}
	if got, want := strings.Join(fates, "\n"), "bad@ours.example refused x [watch]\nunknown@ours.example refused_by_mta  []\ngood@ours.example accepted  [watch]"; got != want {
		t.Errorf("recipients:\n%s\nwant:\n%s", got, want)
	}
	if rest := x.Remaining(); x.RecipientCount != 3 || len(rest) != 1 || rest[0].Recipient != "good@ours.example" {
		t.Errorf("%d recipients, of whom remain %v", x.RecipientCount, rest)
	}
	if second.Number != 2 || second.Fate != policy.Lost || second.RecipientCount != 0 || second.Session != x.Session {
		t.Errorf("the second: %+v", second)
	}
}

// Recipients beyond those that are named are counted.
func TestTransactionIsBounded(t *testing.T) {
	r := newRig(t, "", check("x", policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if strings.HasPrefix(r.Address.Local, "bad") {
			return no("x")
		}
		return policy.Pass, nil
	}}))
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	s.Mail(policy.MailFacts{})
	for i := range policy.MaxEventRecipients {
		s.Rcpt(policy.RcptFacts{Recipient: fmt.Sprintf("bad%d@ours.example", i)})
		s.Rcpt(policy.RcptFacts{Recipient: fmt.Sprintf("u%d@ours.example", i)})
	}
	s.Close()
	r.idle()
	if x := r.seen.transactions[0]; len(x.Recipients) != policy.MaxEventRecipients || x.RecipientCount != 2*policy.MaxEventRecipients || len(x.Remaining()) != 0 {
		t.Errorf("%d named of %d", len(x.Recipients), x.RecipientCount)
	}
}
