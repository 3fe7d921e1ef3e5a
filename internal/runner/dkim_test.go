package runner

import (
	"context"
	"testing"

	"mailweir/internal/policy"
)

// Signatures are looked at only where one could vouch for a permit that matters.
func TestWantsDKIM(t *testing.T) {
	object := func(*policy.Recipient) (policy.Verdict, error) { return no("late") }
	pass := func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil }
	grants := func(context.Context, *policy.Recipient) ([]policy.Grant, error) { return nil, nil }
	for _, tt := range []struct {
		name  string
		from  string
		late  policy.Hooks
		gives policy.Exemption
		grant func(context.Context, *policy.Recipient) ([]policy.Grant, error)
		want  bool
	}{
		{name: "an objection that gives way", from: "x@else.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow, grant: grants, want: true},
		{name: "no objection", from: "x@else.example", late: policy.Hooks{HeadersFor: pass}, gives: policy.ExemptAutoAllow, grant: grants},
		{name: "one may come at the end", from: "x@else.example", late: policy.Hooks{MessageFor: pass}, gives: policy.ExemptAutoAllow, grant: grants, want: true},
		{name: "an objection that never gives way", from: "x@else.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptTrusted, grant: grants},
		{name: "nobody permits", from: "x@else.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow},
		{name: "null sender", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow, grant: grants},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var wanted bool
			r := newRig(t, "",
				check("late", tt.late, func(c *policy.Check) { c.Exempt = tt.gives }),
				check("permits", policy.Hooks{
					Grant:         tt.grant,
					SettleMessage: func(m *policy.Message, _ policy.Outcome) { wanted = m.Inquiry.(*message).dkim.Load() != nil },
				}))
			l := mail("a@ours.example")
			l.from, l.fields = tt.from, []policy.Field{{Name: "From", Value: "x@else.example"}, {Name: "DKIM-Signature", Value: "v=1; d=else.example"}}
			r.send(l)
			r.idle()
			if wanted != tt.want {
				t.Errorf("signatures looked at: %t, want %t", wanted, tt.want)
			}
		})
	}
}
