package runner

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/policy"
)

// A word that is only recorded is not waited for beside one that is enforced, before DATA or at the
// end of the message.
func TestAWordThatOnlyMonitorsIsNotWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		stage    policy.Stage
		enforced policy.Verdict
		want     string
		events   []string
	}{
		{policy.StageConnect, policy.Pass, "", []string{"x would_refuse a@ours.example"}},
		{policy.StageConnect, policy.Object(reply("x")), "rcpt a@ours.example 550 5.7.1 x", []string{"x refused a@ours.example", "x would_refuse a@ours.example"}},
		{policy.StageHeaders, policy.Pass, "", []string{"x would_refuse a@ours.example"}},
		{policy.StageHeaders, policy.Object(reply("x")), "end 550 5.7.1 x", []string{"x refused a@ours.example", "x would_refuse a@ours.example"}},
	} {
		t.Run(fmt.Sprint(tt.stage, " ", tt.want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				both := tt.enforced.And(policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
					select {
					case <-time.After(5 * time.Second): // false time, the bubble's
					case <-ctx.Done():
					}
					return policy.Object(reply("x")), nil
				}).Monitored())
				hooks := policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) { return both, nil }}
				if tt.stage == policy.StageHeaders {
					hooks = policy.Hooks{Headers: func(*policy.Message) (policy.Verdict, error) { return both, nil }}
				}
				r := newBubbleRig(t, "", check("x", hooks))
				wantSaid(t, r.send(mail("a@ours.example")), tt.want)
				if took := time.Since(began); took != 0 {
					t.Errorf("the answers took %v", took)
				}
				wantEvents(t, r, tt.events...)
			})
		})
	}
}
