package policy

import (
	"context"
	"testing"
)

// Signatures are looked at only where one could vouch for a permit that matters.
func TestWantsDKIM(t *testing.T) {
	object := func(*Recipient) (Verdict, error) { return no("late") }
	pass := func(*Recipient) (Verdict, error) { return Pass, nil }
	grants := func(context.Context, *Recipient) ([]Grant, error) { return nil, nil }
	for _, tt := range []struct {
		name  string
		from  string
		late  Hooks
		gives Bypass
		grant func(context.Context, *Recipient) ([]Grant, error)
		want  bool
	}{
		{name: "an objection that gives way", from: "x@else.example", late: Hooks{HeadersFor: object}, gives: BypassAutoAllow, grant: grants, want: true},
		{name: "no objection", from: "x@else.example", late: Hooks{HeadersFor: pass}, gives: BypassAutoAllow, grant: grants},
		{name: "one may come at the end", from: "x@else.example", late: Hooks{MessageFor: pass}, gives: BypassAutoAllow, grant: grants, want: true},
		{name: "an objection that never gives way", from: "x@else.example", late: Hooks{HeadersFor: object}, gives: BypassTrusted, grant: grants},
		{name: "nobody permits", from: "x@else.example", late: Hooks{HeadersFor: object}, gives: BypassAutoAllow},
		{name: "null sender", late: Hooks{HeadersFor: object}, gives: BypassAutoAllow, grant: grants},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var wanted bool
			r := newRig(t, "",
				check("late", tt.late, func(c *Check) { c.Bypass = tt.gives }),
				check("permits", Hooks{
					Grant:         tt.grant,
					SettleMessage: func(m *Message, _ Outcome) { wanted = m.dkim.Load() != nil },
				}))
			l := mail("a@ours.example")
			l.from, l.fields = tt.from, []Field{{"From", "x@else.example"}, {"DKIM-Signature", "v=1; d=else.example"}}
			r.send(l)
			r.idle()
			if wanted != tt.want {
				t.Errorf("signatures looked at: %t, want %t", wanted, tt.want)
			}
		})
	}
}
