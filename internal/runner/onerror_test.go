package runner

import (
	"errors"
	"testing"

	"mailweir/internal/policy"
)

// An error may bring its own answer to what becomes of the mail; without one the check's on-error
// says so.
func TestErrorsDecide(t *testing.T) {
	const deferred = "end 451 4.3.0 Unable to process now"
	broken := errors.New("broken")
	for _, tt := range []struct {
		name    string
		onError policy.OnError
		err     error
		want    string
	}{
		{"plain, accept", policy.Accept, broken, ""},
		{"plain, defer", policy.Delay, broken, deferred},
		{"goes on all the same", policy.Delay, policy.LetOn(broken), ""},
		{"deferred all the same", policy.Accept, policy.DeferOn(broken), deferred},
		{"deferred, within another", policy.Accept, errors.Join(broken, policy.DeferOn(broken)), deferred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fails := policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, tt.err }}
			r := newRig(t, "", check("fails", fails, func(c *policy.Check) { c.OnError = tt.onError }))
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
			event := "fails check_error a@ours.example"
			if tt.want != "" {
				event = "fails deferred a@ours.example"
			}
			wantEvents(t, r, event)
		})
	}
}
