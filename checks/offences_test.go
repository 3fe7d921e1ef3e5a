package checks

import (
	"fmt"
	"strings"
	"testing"
)

// TestOffences plays what checks refuse, and sees what tempblock counts of it.
func TestOffences(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*host)
		want  bool
	}{
		{name: "relaying, by open-relay", does: func(c *host) {
			c.visit(letter{client: "192.0.2.1", to: []string{"a@else.example", "b@else.example"}})
		}, want: true},
		{name: "relaying, monitored", flags: []string{"--open-relay=monitor"}, does: func(c *host) {
			c.visit(letter{client: "192.0.2.1", to: []string{"a@else.example", "b@else.example", "c@else.example"}})
		}},
		{name: "blocked", flags: []string{"--sender-block-list=inline:{evil.example=REJECT}"}, does: func(c *host) {
			for range 2 {
				c.visit(letter{client: "192.0.2.1", from: "x@evil.example", to: []string{"a@ours.example", "b@ours.example"}})
			}
		}, want: true},
		{name: "blocked, one transaction counts once", flags: []string{"--sender-block-list=inline:{evil.example=REJECT}"}, does: func(c *host) {
			c.visit(letter{client: "192.0.2.1", from: "x@evil.example", to: []string{"a@ours.example", "b@ours.example"}})
		}},
		{name: "blocked only for now", flags: []string{"--sender-block-list=inline:{evil.example=DEFER}"}, does: func(c *host) {
			for range 3 {
				c.visit(letter{client: "192.0.2.1", from: "x@evil.example"})
			}
		}},
		{name: "blocked at the end", flags: []string{"--header-from-list=inline:{evil.example=REJECT}"}, does: func(c *host) {
			for range 2 {
				c.visit(letter{client: "192.0.2.1", header: []string{"From: x@evil.example"}})
			}
		}, want: true},
		{name: "technical limits", flags: []string{"--hops-max=1"}, does: func(c *host) {
			for range 9 {
				c.visit(letter{client: "192.0.2.1", header: []string{"Received: x"}})
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := whole().host(t, append([]string{"--tempblock=enforce", "--tempblock-rules=open-relay=2/5m blocked=2/1h"}, c.flags...)...)
			c.does(h)
			if got := blocked(h, "192.0.2.1"); got != c.want {
				t.Errorf("blocked %t, want %t", got, c.want)
			}
			if blocked(h, "192.0.2.2") {
				t.Error("another client is blocked")
			}
		})
	}
}

// A client that is over its own limit three times goes on the list; one that meets a full account does not.
func TestTempblockConcurrency(t *testing.T) {
	for limit, want := range map[string]bool{"--concurrency-client=1": true, "--concurrency-domain=1": false} {
		h := whole().host(t, "--tempblock=enforce", "--concurrency=enforce", limit)
		held, _ := h.begin(letter{})
		for range 3 {
			if said := h.visit(letter{to: []string{"a@ours.example", "b@ours.example"}}); len(said) != 2 {
				t.Errorf("%s: %q", limit, said)
			}
		}
		h.leave(held)
		if got := blocked(h, "192.0.2.1"); got != want {
			t.Errorf("%s: blocked %t", limit, got)
		}
	}
}

// TestReputationOfRefusals plays what checks refuse, and sees what reputation learns of it.
func TestReputationOfRefusals(t *testing.T) {
	stranger := letter{client: "192.0.2.1"}
	evil := letter{client: "192.0.2.1", from: "x@evil.example", to: []string{"a@ours.example", "b@ours.example"}}
	block := []string{"--sender-block-list=inline:{evil.example=REJECT}"}
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*host)
		want  string
	}{
		{"blocked, once a transaction", block, func(c *host) { c.visit(evil) }, "blocked 1"},
		{"monitored", append(block, "--sender-block=monitor"), func(c *host) { c.visit(evil) }, "good 2"},
		{"deferred", []string{"--sender-block-list=inline:{evil.example=DEFER}"}, func(c *host) { c.visit(evil) }, ""},
		{"by tempblock", []string{"--tempblock=enforce", "--tempblock-rules=invalid-rcpt=2/5m"}, func(c *host) {
			c.guess(stranger, "5.1.1", 9, 0)
			for range 9 {
				c.visit(stranger)
			}
		}, "invalid-rcpt 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := whole().host(t, append([]string{"--reputation=enforce"}, c.flags...)...)
			c.does(h)
			var parts []string
			for _, p := range score(h, "192.0.2.1").Parts {
				parts = append(parts, p.Name+" "+fmt.Sprint(p.Events))
			}
			if got := strings.Join(parts, ", "); got != c.want {
				t.Errorf("learned %q, want %q", got, c.want)
			}
		})
	}
}
