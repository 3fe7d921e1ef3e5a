package spam

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/spamscan/spamscantest"
)

// TestPermits: whose mail is let past, and when.
func TestPermits(t *testing.T) {
	spf := policytest.Names{"vouched.example TXT": "v=spf1 ip4:192.0.2.1 -all", "other.example TXT": "v=spf1 -all"}
	from := func(sender string, to ...string) policytest.Letter {
		return policytest.Letter{From: sender, To: to, Header: []string{"From: author@vouched.example", "X-Spam-Flag: NO"}}
	}
	for _, tt := range []struct {
		name, flags string
		letter      policytest.Letter
		said        string
	}{
		{"nobody", "", from("a@vouched.example"), refused},
		{"client", "--permit-clients=inline:{192.0.2.1=OK}", from("a@other.example"), ""},
		{"vouched sender", "--permit-senders=inline:{vouched.example=OK}", from("a@vouched.example"), ""},
		{"sender that is not vouched for", "--permit-senders=inline:{other.example=OK}", from("a@other.example"), refused},
		{"header From", "--permit-senders=inline:{author@vouched.example=OK}", from("b@vouched.example"), ""},
		{"header From, another envelope", "--permit-senders=inline:{author@vouched.example=OK}", from("b@other.example"), refused},
		{"null sender", "--permit-senders=inline:{<>=OK}", from("<>"), refused},
		{"always accepted", "", from("a@other.example", "postmaster@ours.example"), ""},
		{"always accepted, with another", "", from("a@other.example", "postmaster@ours.example", "user@ours.example"), refused},
		{"login", "--spam-direction=internal", policytest.Letter{Login: "bob"}, refused},
		{"trusted, another direction", "", policytest.Letter{Client: "127.0.0.1"}, ""},
		{"outbound", "--spam-direction=outbound,inbound", policytest.Letter{Client: "127.0.0.1", To: []string{"x@far.example"}}, refused},
		{"outbound, as one of two", "--spam-direction=outbound", policytest.Letter{Client: "127.0.0.1", To: []string{"user@ours.example", "x@far.example"}}, refused},
		{"local submission", "--spam-direction=internal", policytest.Letter{Client: "none"}, refused},
		{"inbound relay", "--inbound-relays=inline:{192.0.2.1=x}", from("a@other.example"), refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scanner := spamscantest.NewRspamd(t, reject)
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = spf.Serve(t)
			p, err := only.Build(world, append(strings.Fields(tt.flags), "--spam-scanner="+scanner.Scanner)...)
			if err != nil {
				t.Fatal(err)
			}
			policytest.Scenario{Mail: tt.letter, Said: tt.said}.Check(t, p)
		})
	}
}

// grants is a check that lets a recipient's mail past, or cannot tell.
func grants(to string, err error) *policy.Check {
	return policytest.Scripted("grants", policy.Hooks{Grant: func(_ context.Context, r *policy.Recipient) ([]policy.Grant, error) {
		if err != nil || r.Address.Key() != to {
			return nil, err
		}
		return []policy.Grant{{By: policy.ExemptRecipientPermit, Vouched: true, Source: "his own"}}, nil
	}})
}

// TestRecipientPermits: one recipient's permit lets the message past for all, marked for the
// others; that of all leaves it alone. What cannot be told makes the refusal temporary.
func TestRecipientPermits(t *testing.T) {
	two := policytest.Letter{To: []string{"user@ours.example", "other@ours.example"}}
	for _, tt := range []struct {
		name   string
		grants *policy.Check
		letter policytest.Letter
		said   string
	}{
		{"nobody", grants("x@ours.example", nil), two, refused},
		{"the only one", grants("user@ours.example", nil), policytest.Letter{}, ""},
		{"one of two", grants("user@ours.example", nil), two, "end change X-Spam-Flag: YES; X-Spam-Score: 20.5"},
		{"cannot tell", grants("", errors.New("down")), policytest.Letter{Client: "192.0.2.1", From: "a@ours.example"}, "end 451 4.7.1 Email rejected due to security policies (BAD, WORSE)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scanner := spamscantest.NewRspamd(t, reject)
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = policytest.Names{"ours.example TXT": "v=spf1 ip4:192.0.2.1 -all"}.Serve(t)
			p, err := policytest.Only(Check, tt.grants).Build(world, "--spam-scanner="+scanner.Scanner)
			if err != nil {
				t.Fatal(err)
			}
			policytest.Scenario{Mail: tt.letter, Said: tt.said}.Check(t, p)
		})
	}
}
