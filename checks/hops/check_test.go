package hops

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestHops(t *testing.T) {
	const refused = "end 554 5.4.6 Mail loop detected"
	received := func(n int) policytest.Letter {
		l := policytest.Letter{Header: []string{"X-Received: by no one"}}
		for range n {
			l.Header = append(l.Header, "RECEIVED: from a by b")
		}
		return l
	}
	policytest.Only(Check).Play(t, nil, []policytest.Scenario{
		{Name: "24", Mail: received(24)},
		{Name: "25", Mail: received(25), Said: refused, Events: "hops refused", Cause: "25 Received fields, limit 25"},
		{Name: "trusted", Mail: policytest.Letter{Client: "127.0.0.1", Header: received(25).Header}, Said: refused},
		{Name: "abuse", Mail: policytest.Letter{To: []string{"abuse@ours.example"}, Header: received(25).Header}, Said: refused},
		{Name: "permitted", Flags: []string{"--permit-clients=static:OK"}, Mail: received(25), Said: refused},
		{Name: "other limit", Flags: []string{"--hops-max=3"}, Mail: received(3), Said: refused},
		{Name: "below it", Flags: []string{"--hops-max=3"}, Mail: received(2)},
		{Name: "no limit", Flags: []string{"--hops-max=0"}, Mail: received(100)},
		{Name: "monitor", Flags: []string{"--hops=monitor"}, Mail: received(25), Events: "hops would_refuse"},
		{Name: "defer", Flags: []string{"--hops=defer"}, Mail: received(25), Said: "end 451 4.4.6 Mail loop detected"},
	})
}
