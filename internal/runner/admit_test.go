package runner

import (
	"context"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// TestAdmit: for a place is asked only where somebody examines a message that may yet pass, and it
// is given back.
func TestAdmit(t *testing.T) {
	passes := func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil }
	refuses := func(*policy.Message) (policy.Verdict, error) { return no("early") }
	for _, c := range []struct {
		name   string
		full   bool // there is no place
		mode   policy.Mode
		early  func(*policy.Message) (policy.Verdict, error) // what another check finds in the headers
		judges bool                                          // a check looks at the message
		asked  int                                           // for a place
		judged int                                           // the message
		said   string
		events []string
	}{
		{"a place", false, policy.Enforce, passes, true, 1, 1, "", nil},
		{"no place", true, policy.Enforce, passes, true, 1, 0, "end 451 4.3.0 Unable to process now", []string{"busy deferred bob@ours.example"}},
		{"no place, only monitored", true, policy.Monitor, passes, true, 1, 1, "", []string{"busy would_refuse bob@ours.example"}},
		{"refused already", true, policy.Enforce, refuses, true, 0, 0, "end 550 5.7.1 early", []string{"early refused bob@ours.example"}},
		{"nobody looks", true, policy.Enforce, passes, false, 0, 0, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, judged, left := 0, 0, 0
			hooks := policy.Hooks{Admit: func(context.Context) (leave func()) {
				asked++
				if c.full {
					return nil
				}
				return func() { left++ }
			}}
			if c.judges {
				hooks.Message = func(*policy.Message) (policy.Verdict, error) {
					judged++
					return policy.Pass, nil
				}
			}
			busy := check("busy", hooks, func(x *policy.Check) { x.Mode = c.mode })
			r := newRig(t, "", check("early", policy.Hooks{Headers: c.early}), busy)
			wantSaid(t, r.send(mail("bob@ours.example")), c.said)
			wantEvents(t, r, c.events...)
			if asked != c.asked || judged != c.judged {
				t.Errorf("a place was asked for %d times and the message judged %d times, want %d and %d", asked, judged, c.asked, c.judged)
			}
			if !c.full && left != 1 {
				t.Errorf("the place was given back %d times", left)
			}
		})
	}
}

// TestAdmitIsPartOfTheEnd: who waits for a place has no more time than the end of a message has.
func TestAdmitIsPartOfTheEnd(t *testing.T) {
	limits := Limits{Stage: time.Second, End: 50 * time.Millisecond, Questions: 100}
	r := newRigWith(t, limits, "", check("busy", policy.Hooks{
		Admit: func(ctx context.Context) func() {
			<-ctx.Done()
			return nil
		},
		Message: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil },
	}))
	wantSaid(t, r.send(mail("bob@ours.example")), "end 451 4.3.0 Unable to process now")
}
