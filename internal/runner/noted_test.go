package runner

import (
	"context"
	"testing"

	"mailweir/internal/policy"
)

// What a check notes of a message is recorded once, in every mode, and changes nothing.
func TestNoted(t *testing.T) {
	noted := func(also ...policy.Verdict) policy.Hooks {
		return policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
			v := policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) {
				return policy.Pass.Because("it would be greylisted").Noted(), nil
			})
			for _, one := range also {
				v = one.And(v)
			}
			return v, nil
		}}
	}
	atOnce := policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
		return policy.Pass.Because("it would be greylisted").Noted(), nil
	}}
	tag := policy.Edits(policy.AddField("X", "y"))
	mode := func(m policy.Mode) func(*policy.Check) { return func(c *policy.Check) { c.Mode = m } }
	for _, tt := range []struct {
		name   string
		check  *policy.Check
		want   string
		events []string
	}{
		{"enforce", check("a", noted()), "", []string{"a noted a@ours.example,b@ours.example"}},
		{"monitor", check("a", noted(), mode(policy.Monitor)), "", []string{"a noted a@ours.example,b@ours.example"}},
		{"at once", check("a", atOnce), "", []string{"a noted a@ours.example,b@ours.example"}},
		{"beside edits", check("a", noted(tag)), "change X: y", []string{"a noted a@ours.example,b@ours.example", "a changed a@ours.example,b@ours.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", tt.check)
			wantSaid(t, r.send(mail("a@ours.example", "b@ours.example")), tt.want)
			r.idle()
			wantEvents(t, r, tt.events...)
			if e := r.seen.list[0]; e.Action == policy.ActionNoted && e.Cause != "it would be greylisted" {
				t.Errorf("event %v", e)
			}
		})
	}
}
