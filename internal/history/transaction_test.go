package history

import (
	"context"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a check that keeps what each transaction has shown.
type book struct {
	mu   sync.Mutex
	seen []Transaction
}

func (b *book) check() *policy.Check {
	c := policytest.Scripted("book", policy.Hooks{})
	c.Setup = func(*policy.Flags) policy.Build {
		return func(env *policy.Env) (policy.Hooks, error) {
			all := NewTransactions(env)
			return policy.Hooks{SettleRecipient: all.Recipient, SettleMessage: func(_ context.Context, m *policy.Message, o policy.Outcome) {
				if t, ok := all.Message(m, o); ok {
					b.mu.Lock()
					defer b.mu.Unlock()
					b.seen = append(b.seen, t)
				}
			}}, nil
		}
	}
	return c
}

// offender refuses recipients whose local part says so, and messages with a field Bad, as an
// offence.
func offender(o policy.Offence, code int, enhanced string) *policy.Check {
	reply := &policy.Reply{ID: "offender", Row: "P0", Code: code, Enhanced: enhanced, Text: "no", Offence: o}
	c := policytest.Scripted("offender", policy.Hooks{
		Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
			if r.Address.Local[:3] == "bad" {
				return policy.Object(reply), nil
			}
			return policy.Pass, nil
		},
		Headers: func(m *policy.Message) (policy.Verdict, error) {
			if len(m.Values("Bad")) > 0 {
				return policy.Object(reply), nil
			}
			return policy.Pass, nil
		},
	})
	c.Replies = []*policy.Reply{reply}
	return c
}

func TestTransactions(t *testing.T) {
	two := policytest.Letter{To: []string{"bad1@ours.example", "bad2@ours.example"}}
	mixed := policytest.Letter{To: []string{"bad1@ours.example", "user@ours.example", "other@ours.example"}}
	whole := policytest.Letter{To: []string{"user@ours.example", "other@ours.example"}, Header: []string{"Bad: yes"}}
	blocked, relay := offender(policy.OffenceBlocked, 550, "5.7.1"), offender(policy.OffenceOpenRelay, 451, "4.7.1")
	nothing, spam := offender(policy.NoOffence, 550, "5.7.1"), offender(policy.OffenceSpam, 550, "5.7.1")
	by := func(l policytest.Letter, change func(*policytest.Letter)) policytest.Letter { change(&l); return l }
	for _, c := range []struct {
		name  string
		check *policy.Check
		flags []string
		mail  policytest.Letter
		want  Transaction
	}{
		{name: "accepted", check: blocked, mail: policytest.Letter{}, want: Transaction{policy.NoOffence: 1}},
		{name: "what refuses the transaction counts once", check: blocked, mail: two, want: Transaction{policy.OffenceBlocked: 1}},
		{name: "what refuses a recipient counts each", check: relay, mail: two, want: Transaction{policy.OffenceOpenRelay: 2}},
		{name: "good and bad", check: blocked, mail: mixed, want: Transaction{policy.NoOffence: 2, policy.OffenceBlocked: 1}},
		{name: "at the end", check: spam, mail: whole, want: Transaction{policy.OffenceSpam: 1}},
		{name: "each recipient, at the end", check: relay, mail: whole, want: Transaction{policy.OffenceOpenRelay: 2}},
		{name: "no offence", check: nothing, mail: two},
		{name: "deferred by the mode", check: blocked, flags: []string{"--offender=defer"}, mail: two},
		{name: "monitored", check: blocked, flags: []string{"--offender=monitor"}, mail: two, want: Transaction{policy.NoOffence: 2}},
		{name: "postmaster alone", check: blocked, mail: policytest.Letter{To: []string{"postmaster@ours.example"}}},
		{name: "postmaster with another", check: blocked, mail: policytest.Letter{To: []string{"postmaster@ours.example", "a.user@ours.example"}}, want: Transaction{policy.NoOffence: 2}},
		{name: "null sender", check: blocked, mail: by(two, func(l *policytest.Letter) { l.From = "<>" })},
		{name: "login", check: blocked, mail: by(two, func(l *policytest.Letter) { l.Login = "bob" })},
		{name: "trusted net", check: blocked, flags: []string{"--trusted-nets=192.0.2.0/24"}, mail: two},
		{name: "permitted client", check: blocked, flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, mail: two},
		{name: "inbound relay", check: blocked, flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, mail: two},
		{name: "local submission", check: blocked, mail: by(whole, func(l *policytest.Letter) { l.Client = "none" })},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &book{}
			policytest.Only(c.check, b.check()).Host(t, c.flags...).Visit(c.mail)
			b.mu.Lock()
			defer b.mu.Unlock()
			var got Transaction
			for _, one := range b.seen {
				got = one
			}
			if got != c.want || len(b.seen) > 1 {
				t.Errorf("%v, want %v", b.seen, c.want)
			}
		})
	}
}

// Recipients that the MTA refuses show something only where its code says what.
func TestRefusedByMTA(t *testing.T) {
	for code, want := range map[string]Transaction{
		"5.1.1": {policy.OffenceInvalidRcpt: 3, policy.NoOffence: 1},
		"5.7.1": {policy.OffenceOpenRelay: 3, policy.NoOffence: 1},
		"4.1.1": {policy.NoOffence: 1},
		"5.7.0": {policy.NoOffence: 1},
	} {
		b := &book{}
		policytest.Only(b.check()).Host(t).Guess(policytest.Letter{}, code, 3, 1)
		b.mu.Lock()
		if len(b.seen) != 1 || b.seen[0] != want {
			t.Errorf("%s: %v, want %v", code, b.seen, want)
		}
		b.mu.Unlock()
	}
}
