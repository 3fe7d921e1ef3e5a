package checks

import (
	"errors"
	"testing"

	"mailweir/internal/policy"
)

// A defect is answered by the words of row T13, or passes where the administrator wants that.
func TestFault(t *testing.T) {
	const refused = "rcpt 451 4.3.0 Unable to process email at this time"
	for _, c := range []scenario{
		{name: "defer", said: refused, events: "broken deferred", cause: "oh no"},
		{name: "accept", flags: []string{"--fault-on-error=accept"}, events: "broken could not tell"},
		{name: "monitor", flags: []string{"--fault=monitor"}, events: "broken would refuse"},
		{name: "mode monitor", flags: []string{"--mode=monitor"}, events: "broken would refuse"},
		{name: "own words", flags: []string{"--replies=" + file(t, "replies", "fault 450 4.3.9 Something broke\n")}, said: "rcpt 450 4.3.9 Something broke"},
	} {
		for kind, defect := range map[string]func() error{
			"error": func() error { return errors.New("oh no") },
			"panic": func() error { panic("oh no") },
		} {
			t.Run(c.name+" "+kind, func(t *testing.T) {
				broken := scripted("broken", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, defect() }})
				rig := only(broken)
				rig.registry.Checks[0], rig.registry.Fault = Fault, Fault
				p, err := rig.build(newWorld(), c.flags...)
				if err != nil {
					t.Fatal(err)
				}
				c.check(t, p)
			})
		}
	}
}
