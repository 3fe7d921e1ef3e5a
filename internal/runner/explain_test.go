package runner

import (
	"context"
	"fmt"
	"testing"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
)

// Whoever asks why mail is refused is told of each permit that exists and does not count; so is the
// log.
func TestPermitsThatDoNotCountAreTold(t *testing.T) {
	const envelope, header = policy.ExemptRecipientPermit | policy.ExemptAutoAllow | policy.ExemptPermitSender, policy.ExemptHeaderFrom
	pair := []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}
	for _, tt := range []struct {
		name, from, header string
		bypass             policy.Exemption
		spf                mailauth.SPFResult
		grants             []policy.Grant
		says               Says
		want               string
	}{
		{"recipient's, not vouched", "x@else.example", "", envelope, mailauth.SPFNone, pair, SaysObjects, "[{pair does not count: nothing vouches for the sender}]"},
		{"recipient's, vouched", "x@else.example", "", envelope, mailauth.SPFPass, pair, SaysBypassed, "[]"},
		{"of a kind that the check does not give way to", "x@else.example", "", policy.ExemptRecipientPermit, mailauth.SPFNone, pair, SaysObjects, "[]"},
		{"nobody's", "x@else.example", "", envelope, mailauth.SPFNone, nil, SaysObjects, "[]"},
		{"the administrator's", "x@friend.example", "", envelope, mailauth.SPFFail, nil, SaysObjects, "[{permit " + permitSenders + " does not count: SPF gives fail for the sender}]"},
		{"header From, not vouched", "x@friend.example", "x@friend.example", header, mailauth.SPFNone, nil, SaysObjects, "[{permit " + permitSenders + " does not count: nothing vouches for the sender}]"},
		{"header From, another domain", "x@else.example", "x@friend.example", header, mailauth.SPFPass, nil, SaysObjects, "[{permit " + permitSenders + " does not count for header From: the envelope sender is of another domain}]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stage := policy.StageRcpt
			if tt.header != "" {
				stage = policy.StageEnd
			}
			hooks := objecting("x", stage)
			hooks.Mail = func(m *policy.Message) (policy.Verdict, error) { knowSPF(m, tt.spf, nil); return policy.Pass, nil }
			hooks.Grant = func(context.Context, *policy.Recipient) ([]policy.Grant, error) { return tt.grants, nil }
			r := newRig(t, permitTables, check("x", hooks, bypass(tt.bypass)))
			l := mail("a@ours.example")
			l.from, l.fields = tt.from, []policy.Field{{Name: "From", Value: tt.header}}

			var got Finding
			s := r.runner.NewExplainer(func(w Finding) {
				if w.Says != SaysNothing {
					got = w
				}
			})
			defer s.Close()
			s.Connect(l.connect())
			s.Helo(policy.HeloFacts{Name: "helo.example"})
			r.again(s, l)
			if asked := fmt.Sprint(got.Trace); got.Says != tt.says || asked != tt.want {
				t.Errorf("explain: %s, asked %s\nwant %s, %s", got.Says, asked, tt.says, tt.want)
			}
			if tt.says != SaysObjects {
				return
			}
			r.send(l)
			if e := r.seen.list[len(r.seen.list)-1]; fmt.Sprint(e.Trace) != tt.want {
				t.Errorf("event: asked %s\nwant %s", fmt.Sprint(e.Trace), tt.want)
			}
		})
	}
}
