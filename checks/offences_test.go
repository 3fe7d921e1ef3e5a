package checks

import (
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

// TestOffences plays what checks refuse, and sees what tempblock counts of it.
func TestOffences(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*policytest.Host)
		want  bool
	}{
		{name: "relaying, by open-relay", does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", To: []string{"a@else.example", "b@else.example"}})
		}, want: true},
		{name: "relaying, monitored", flags: []string{"--open-relay=monitor"}, does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", To: []string{"a@else.example", "b@else.example", "c@else.example"}})
		}},
		{name: "blocked", flags: []string{"--sender-block-list=inline:{evil.example=REJECT}"}, does: func(c *policytest.Host) {
			for range 2 {
				c.Visit(policytest.Letter{Client: "192.0.2.1", From: "x@evil.example", To: []string{"a@ours.example", "b@ours.example"}})
			}
		}, want: true},
		{name: "blocked, one transaction counts once", flags: []string{"--sender-block-list=inline:{evil.example=REJECT}"}, does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", From: "x@evil.example", To: []string{"a@ours.example", "b@ours.example"}})
		}},
		{name: "blocked only for now", flags: []string{"--sender-block-list=inline:{evil.example=DEFER}"}, does: func(c *policytest.Host) {
			for range 3 {
				c.Visit(policytest.Letter{Client: "192.0.2.1", From: "x@evil.example"})
			}
		}},
		{name: "blocked at the end", flags: []string{"--header-from-list=inline:{evil.example=REJECT}"}, does: func(c *policytest.Host) {
			for range 2 {
				c.Visit(policytest.Letter{Client: "192.0.2.1", Header: []string{"From: x@evil.example"}})
			}
		}, want: true},
		{name: "guessing recipients", flags: []string{"--recipient-source=ours.example=inline:{a@ours.example=x}"}, does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", To: []string{"b@ours.example", "c@ours.example"}})
		}, want: true},
		{name: "guessing, monitored", flags: []string{"--recipient=monitor", "--recipient-source=ours.example=send-only"}, does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", To: []string{"b@ours.example", "c@ours.example"}})
		}},
		{name: "guessing under the null sender", flags: []string{"--recipient-source=ours.example=send-only"}, does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", From: "<>", To: []string{"b@ours.example", "c@ours.example"}})
		}},
		{name: "recipients of whom nobody can tell", flags: []string{"--recipient-access=inline:{ours.example=DEFER}"}, does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{Client: "192.0.2.1", To: []string{"b@ours.example", "c@ours.example"}})
		}},
		{name: "technical limits", flags: []string{"--hops-max=1"}, does: func(c *policytest.Host) {
			for range 9 {
				c.Visit(policytest.Letter{Client: "192.0.2.1", Header: []string{"Received: x"}})
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := whole().Host(t, append([]string{"--tempblock=enforce", "--tempblock-rules=open-relay=2/5m blocked=2/1h invalid-rcpt=2/5m"}, c.flags...)...)
			c.does(h)
			if got := onTempblock(h, "192.0.2.1"); got != c.want {
				t.Errorf("blocked %t, want %t", got, c.want)
			}
			if onTempblock(h, "192.0.2.2") {
				t.Error("another client is blocked")
			}
		})
	}
}

// A client that is over its own limit three times goes on the list; one that meets a full account
// does not.
func TestTempblockConcurrency(t *testing.T) {
	for limit, want := range map[string]bool{"--concurrency-client=1": true, "--concurrency-domain=1": false} {
		h := whole().Host(t, "--tempblock=enforce", "--concurrency=enforce", limit)
		held, _ := h.Begin(policytest.Letter{})
		for range 3 {
			if said := h.Visit(policytest.Letter{To: []string{"a@ours.example", "b@ours.example"}}); len(said) != 2 {
				t.Errorf("%s: %q", limit, said)
			}
		}
		h.Leave(held)
		if got := onTempblock(h, "192.0.2.1"); got != want {
			t.Errorf("%s: blocked %t", limit, got)
		}
	}
}

// TestReputationOfRefusals plays what checks refuse, and sees what reputation learns of it.
func TestReputationOfRefusals(t *testing.T) {
	unknown := policytest.Letter{Client: "192.0.2.1"}
	evil := policytest.Letter{Client: "192.0.2.1", From: "x@evil.example", To: []string{"a@ours.example", "b@ours.example"}}
	block := []string{"--sender-block-list=inline:{evil.example=REJECT}"}
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*policytest.Host)
		want  string
	}{
		{"blocked, once a transaction", block, func(c *policytest.Host) { c.Visit(evil) }, "blocked 1"},
		{"monitored", append(block, "--sender-block=monitor"), func(c *policytest.Host) { c.Visit(evil) }, "good 2"},
		{"deferred", []string{"--sender-block-list=inline:{evil.example=DEFER}"}, func(c *policytest.Host) { c.Visit(evil) }, ""},
		{"by tempblock", []string{"--tempblock=enforce", "--tempblock-rules=invalid-rcpt=2/5m"}, func(c *policytest.Host) {
			c.Guess(unknown, "5.1.1", 9, 0)
			for range 9 {
				c.Visit(unknown)
			}
		}, "invalid-rcpt 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := whole().Host(t, append([]string{"--reputation=enforce"}, c.flags...)...)
			c.does(h)
			var parts []string
			for _, p := range reputationOf(h, "192.0.2.1").Parts {
				parts = append(parts, p.Name+" "+fmt.Sprint(p.Events))
			}
			if got := strings.Join(parts, ", "); got != c.want {
				t.Errorf("learned %q, want %q", got, c.want)
			}
		})
	}
}
