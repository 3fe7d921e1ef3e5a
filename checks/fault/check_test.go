package fault

import (
	"errors"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

// A defect is answered by the words of row T13, or passes where the administrator wants that.
func TestFault(t *testing.T) {
	const refused = "rcpt 451 4.3.0 Unable to process email at this time"
	for _, c := range []policytest.Scenario{
		{Name: "defer", Said: refused, Events: "broken deferred", Cause: "oh no"},
		{Name: "accept", Flags: []string{"--fault-on-error=accept"}, Events: "broken check_error"},
		{Name: "monitor", Flags: []string{"--fault=monitor"}, Events: "broken would_refuse"},
		{Name: "mode monitor", Flags: []string{"--mode=monitor"}, Events: "broken would_refuse"},
		{Name: "own words", Flags: []string{"--replies=" + policytest.File(t, "replies", "fault 450 4.3.9 Something broke\n")}, Said: "rcpt 450 4.3.9 Something broke"},
	} {
		for kind, defect := range map[string]func() error{
			"error": func() error { return errors.New("oh no") },
			"panic": func() error { panic("oh no") },
		} {
			t.Run(c.Name+" "+kind, func(t *testing.T) {
				broken := policytest.Scripted("broken", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, defect() }})
				rig := policytest.Only(broken)
				rig.Registry.Checks[0], rig.Registry.Fault = Check, Check
				p, err := rig.Build(policytest.NewWorld(), c.Flags...)
				if err != nil {
					t.Fatal(err)
				}
				c.Check(t, p)
			})
		}
	}
}
