package runner

import (
	"context"
	"errors"
	"testing"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
)

// Mail is known to be good when a recipient has written to its sender and SPF passes; nothing less
// will do.
func TestAutoAllowHonoured(t *testing.T) {
	for _, tt := range []struct {
		name   string
		from   string
		grants []policy.Grant
		err    error
		spf    mailauth.SPFResult
		want   bool
	}{
		{name: "honoured", from: "x@else.example", grants: []policy.Grant{{By: policy.ExemptAutoAllow}}, spf: mailauth.SPFPass, want: true},
		{name: "beside another grant", from: "x@else.example", grants: []policy.Grant{{By: policy.ExemptRecipientPermit}, {By: policy.ExemptAutoAllow}}, spf: mailauth.SPFPass, want: true},
		{name: "not vouched", from: "x@else.example", grants: []policy.Grant{{By: policy.ExemptAutoAllow}}, spf: mailauth.SPFNone},
		{name: "another grant", from: "x@else.example", grants: []policy.Grant{{By: policy.ExemptRecipientPermit}}, spf: mailauth.SPFPass},
		{name: "no grant", from: "x@else.example", spf: mailauth.SPFPass},
		{name: "could not tell", from: "x@else.example", err: errors.New("store is gone"), spf: mailauth.SPFPass},
		{name: "null sender", grants: []policy.Grant{{By: policy.ExemptAutoAllow}}, spf: mailauth.SPFPass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told := make(chan bool, 1)
			r := newRig(t, "", check("x", policy.Hooks{
				Mail:  func(m *policy.Message) (policy.Verdict, error) { knowSPF(m, tt.spf, nil); return policy.Pass, nil },
				Grant: func(context.Context, *policy.Recipient) ([]policy.Grant, error) { return tt.grants, tt.err },
				SettleMessage: func(_ context.Context, m *policy.Message, _ policy.Outcome) {
					told <- m.AutoAllowHonoured(t.Context())
				},
			}))
			l := mail("a@ours.example")
			l.from = tt.from
			wantSaid(t, r.send(l), "")
			if got := <-told; got != tt.want {
				t.Errorf("honoured: %t, want %t", got, tt.want)
			}
		})
	}
}
