package checks

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

const unavailableRcpt = "rcpt 451 4.7.1 Recipient Temporarily Unavailable"

// guess plays a transaction with recipients that the MTA refuses with that code, and one that it does not.
func (c *crowd) guess(l letter, code string, refused, accepted int) {
	s := c.runner.NewSession()
	s.Connect(l.connect())
	s.Helo(policy.HeloFacts{})
	s.Mail(l.mail())
	domain := "ours.example"
	if code == "5.7.1" {
		domain = "else.example"
	}
	for i := range refused {
		s.RcptRefusedByMTA(policy.RcptFacts{Recipient: fmt.Sprintf("u%d@%s", i, domain), Refusal: code})
	}
	for i := range accepted {
		s.Rcpt(policy.RcptFacts{Recipient: fmt.Sprintf("ok%d@ours.example", i)})
	}
	if accepted > 0 {
		s.EndOfHeaders()
		s.EndOfMessage("4AbC")
	}
	c.leave(s)
}

// blocked reports whether the client's next connection is turned away.
func (c *crowd) blocked(client string) bool {
	said := strings.Join(c.visit(letter{client: client, to: []string{"x@ours.example", "y@ours.example"}}), "\n")
	switch said {
	case "":
		return false
	case unavailableRcpt + "\n" + unavailableRcpt:
		return true
	}
	c.t.Errorf("said %q", said)
	return false
}

func TestTempblockRules(t *testing.T) {
	stranger := letter{client: "192.0.2.1"}
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*crowd)
		want  bool
	}{
		{name: "invalid recipients", does: func(c *crowd) { c.guess(stranger, "5.1.1", 3, 0) }, want: true},
		{name: "one less", does: func(c *crowd) { c.guess(stranger, "5.1.1", 2, 0) }},
		{name: "in several transactions", does: func(c *crowd) { c.guess(stranger, "5.1.1", 2, 0); c.guess(stranger, "5.1.1", 1, 0) }, want: true},
		{name: "as many good ones", does: func(c *crowd) { c.guess(stranger, "5.1.1", 3, 3) }},
		{name: "more bad than good", does: func(c *crowd) { c.guess(stranger, "5.1.1", 4, 3) }, want: true},
		{name: "good ones before", does: func(c *crowd) { c.guess(stranger, "", 0, 3); c.guess(stranger, "5.1.1", 3, 0) }},
		{name: "mail to postmaster is nothing good", does: func(c *crowd) {
			for range 9 {
				c.visit(letter{to: []string{"postmaster@ours.example"}})
			}
			c.guess(stranger, "5.1.1", 3, 0)
		}, want: true},
		{name: "mail to postmaster and others is", does: func(c *crowd) {
			c.visit(letter{to: []string{"postmaster@ours.example", "a@ours.example", "b@ours.example"}})
			c.guess(stranger, "5.1.1", 3, 0)
		}},
		{name: "refused by the MTA for another reason", does: func(c *crowd) { c.guess(stranger, "4.1.1", 9, 0); c.guess(stranger, "5.7.0", 9, 0) }},
		{name: "relaying, by Postfix", does: func(c *crowd) { c.guess(stranger, "5.7.1", 2, 0) }, want: true},
		{name: "relaying, by open-relay", does: func(c *crowd) {
			c.visit(letter{client: "192.0.2.1", to: []string{"a@else.example", "b@else.example"}})
		}, want: true},
		{name: "relaying, monitored", flags: []string{"--open-relay=monitor"}, does: func(c *crowd) {
			c.visit(letter{client: "192.0.2.1", to: []string{"a@else.example", "b@else.example", "c@else.example"}})
		}},
		{name: "blocked", flags: []string{"--sender-block-list=inline:{evil.example=REJECT}"}, does: func(c *crowd) {
			for range 2 {
				c.visit(letter{client: "192.0.2.1", from: "x@evil.example", to: []string{"a@ours.example", "b@ours.example"}})
			}
		}, want: true},
		{name: "blocked, one transaction counts once", flags: []string{"--sender-block-list=inline:{evil.example=REJECT}"}, does: func(c *crowd) {
			c.visit(letter{client: "192.0.2.1", from: "x@evil.example", to: []string{"a@ours.example", "b@ours.example"}})
		}},
		{name: "blocked only for now", flags: []string{"--sender-block-list=inline:{evil.example=DEFER}"}, does: func(c *crowd) {
			for range 3 {
				c.visit(letter{client: "192.0.2.1", from: "x@evil.example"})
			}
		}},
		{name: "blocked at the end", flags: []string{"--header-from-list=inline:{evil.example=REJECT}"}, does: func(c *crowd) {
			for range 2 {
				c.visit(letter{client: "192.0.2.1", header: []string{"From: x@evil.example"}})
			}
		}, want: true},
		{name: "technical limits", flags: []string{"--hops-max=1"}, does: func(c *crowd) {
			for range 9 {
				c.visit(letter{client: "192.0.2.1", header: []string{"Received: x"}})
			}
		}},
		{name: "null sender", does: func(c *crowd) { c.guess(letter{client: "192.0.2.1", from: "<>"}, "5.1.1", 9, 0) }},
		{name: "connections that end before MAIL", does: func(c *crowd) {
			for range 9 {
				s := c.runner.NewSession()
				s.Connect(stranger.connect())
				c.leave(s)
			}
		}},
		{name: "a login", does: func(c *crowd) { c.guess(letter{client: "192.0.2.1", login: "bob"}, "5.1.1", 9, 0) }},
		{name: "permitted", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, does: func(c *crowd) { c.guess(stranger, "5.1.1", 9, 0) }},
		{name: "inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, does: func(c *crowd) { c.guess(stranger, "5.1.1", 9, 0) }},
		{name: "known net", does: func(c *crowd) {
			if err := noteKnownNet(c.t.Context(), c.world.State, c.clock, netip.MustParseAddr("192.0.2.1")); err != nil {
				c.t.Error(err)
			}
			c.guess(stranger, "5.1.1", 9, 0)
		}},
		{name: "monitored", flags: []string{"--tempblock=monitor"}, does: func(c *crowd) { c.guess(stranger, "5.1.1", 9, 0) }},
		{name: "a rule that is left out", flags: []string{"--tempblock-rules=open-relay=2/5m"}, does: func(c *crowd) { c.guess(stranger, "5.1.1", 9, 0) }},
		{name: "too long ago", does: func(c *crowd) {
			c.guess(stranger, "5.1.1", 2, 0)
			c.after(6*time.Minute + time.Second)
			c.guess(stranger, "5.1.1", 2, 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			crowd := newCrowd(t, append([]string{"--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m open-relay=2/5m blocked=2/1h"}, c.flags...)...)
			c.does(crowd)
			if got := crowd.blocked("192.0.2.1"); got != c.want {
				t.Errorf("blocked %t, want %t", got, c.want)
			}
			if crowd.blocked("192.0.2.2") {
				t.Error("another client is blocked")
			}
		})
	}
}

// A client that is over its own limit three times goes on the list; one that meets a full account does not.
func TestTempblockConcurrency(t *testing.T) {
	for limit, want := range map[string]bool{"--concurrency-client=1": true, "--concurrency-domain=1": false} {
		crowd := newCrowd(t, "--tempblock=enforce", "--concurrency=enforce", limit)
		held, _ := crowd.begin(letter{})
		for range 3 {
			if said := crowd.visit(letter{to: []string{"a@ours.example", "b@ours.example"}}); len(said) != 2 {
				t.Errorf("%s: %q", limit, said)
			}
		}
		crowd.leave(held)
		if got := crowd.blocked("192.0.2.1"); got != want {
			t.Errorf("%s: blocked %t", limit, got)
		}
	}
}

// A block begins with the next connection, ends by itself, and comes back, longer, when the client goes on.
func TestTempblockCourse(t *testing.T) {
	crowd := newCrowd(t, "--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m", "--tempblock-for=10m", "--tempblock-factor=3", "--tempblock-max=1h")
	client := letter{client: "2001:db8::1"}
	s, _ := crowd.begin(client)
	crowd.guess(letter{client: "2001:db8::2"}, "5.1.1", 3, 0)
	wantSaid(t, "a connection under way", envelope(s, client), "")
	crowd.leave(s)
	for _, minutes := range []time.Duration{10, 30, 60, 60} {
		if !crowd.blocked("2001:db8::3") {
			t.Fatalf("not blocked at the beginning of %d minutes", minutes)
		}
		crowd.after(minutes*time.Minute - time.Second)
		if !crowd.blocked("2001:db8::1") {
			t.Errorf("not blocked at the end of %d minutes", minutes)
		}
		crowd.after(time.Second)
		if crowd.blocked("2001:db8::1") {
			t.Errorf("still blocked after %d minutes", minutes)
		}
		crowd.guess(client, "5.1.1", 9, 0)
	}
	crowd.after(time.Hour + time.Hour + time.Second)
	crowd.guess(client, "5.1.1", 3, 0)
	crowd.after(10 * time.Minute)
	if crowd.blocked("2001:db8::1") {
		t.Error("what was long ago makes the block longer")
	}
}

// The event tells the administrator which rule it was.
func TestTempblockCause(t *testing.T) {
	crowd := newCrowd(t, "--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m")
	crowd.guess(letter{}, "5.1.1", 4, 1)
	crowd.visit(letter{})
	const want = "192.0.2.1 is blocked until 2026-11-23 12:05:00 by the rule invalid-rcpt=3/5m: 4 bad, 1 accepted, block 1 in a row"
	if len(crowd.events) != 1 || crowd.events[0].Cause != want || crowd.events[0].Reply != "tempblock" {
		t.Errorf("%+v", crowd.events)
	}
}

// What a person enters acts at once, on every host, and is not overwritten by a rule.
func TestTempblockByHand(t *testing.T) {
	var shared *state.Memory
	share := func(clock func() time.Time) state.Store {
		if shared == nil {
			shared = state.NewMemory(clock, 1000)
		}
		return shared
	}
	flags := []string{"--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m"}
	one, other := crowdOn(t, share, flags...), crowdOn(t, share, flags...)
	client := netip.MustParseAddr("192.0.2.1")
	if one.blocked("192.0.2.1") || other.blocked("192.0.2.1") {
		t.Fatal("blocked before")
	}
	if err := AddTempblock(t.Context(), shared, client, time.Hour, Entered{By: "root", At: noon, Note: "test [x]"}); err != nil {
		t.Fatal(err)
	}
	if !one.blocked("192.0.2.1") || !other.blocked("192.0.2.1") {
		t.Error("not blocked by hand")
	}
	list, err := ListTempblocks(t.Context(), shared)
	if err != nil || len(list) != 1 || list[0].String() != "192.0.2.1 is blocked until 2026-11-23 13:00:00, by root (uid 0) on 2026-11-23 12:00:00: test (x)" {
		t.Errorf("%v, %v", list, err)
	}
	if was, err := RemoveTempblock(t.Context(), shared, client); !was || err != nil {
		t.Error(was, err)
	}
	if one.blocked("192.0.2.1") || other.blocked("192.0.2.1") {
		t.Error("blocked after it was taken off")
	}
	if was, err := RemoveTempblock(t.Context(), shared, client); was || err != nil {
		t.Error(was, err)
	}
	one.guess(letter{}, "5.1.1", 3, 0)
	other.after(listAge)
	if !one.blocked("192.0.2.1") || !other.blocked("192.0.2.1") {
		t.Error("a rule blocks on one host only")
	}
	if _, err := RemoveTempblock(t.Context(), shared, client); err != nil {
		t.Error(err)
	}
	one.guess(letter{}, "5.1.1", 2, 0)
	if one.blocked("192.0.2.1") {
		t.Error("what was counted before it was taken off brings it back")
	}
}

// Logins that fail are counted by another service, in the same state.
func TestTempblockAuthFailed(t *testing.T) {
	crowd := newCrowd(t, "--tempblock=enforce")
	rules, err := ParseTempblockRules([]string{"auth-fail=2/10m"})
	if err != nil {
		t.Fatal(err)
	}
	list := &Tempblocks{Store: crowd.world.State, Clock: crowd.clock, Life: time.Minute, Longest: time.Hour, Factor: 1, Rules: rules}
	for _, want := range []int{0, 1} {
		if err := list.AuthFailed(t.Context(), netip.MustParseAddr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		if entries, err := ListTempblocks(t.Context(), crowd.world.State); len(entries) != want || err != nil {
			t.Errorf("%v, %v, want %d", entries, err, want)
		}
	}
	if !crowd.blocked("192.0.2.1") {
		t.Error("not blocked")
	}
	if err := list.AuthFailed(t.Context(), netip.Addr{}); err != nil {
		t.Error(err)
	}
}

// Without the state nobody is turned away, unless the administrator wants to wait for it.
func TestTempblockOnError(t *testing.T) {
	crowd := crowdOn(t, broken(tempblockSpace), "--tempblock=enforce")
	for range 2 {
		if said := crowd.visit(letter{}); len(said) > 0 {
			t.Error(said)
		}
	}
	if events := crowd.recorded(); strings.Join(events, "\n") != "tempblock could not tell\ntempblock could not tell" {
		t.Error(events)
	}
	crowd = crowdOn(t, broken(tempblockSpace), "--tempblock=enforce", "--tempblock-on-error=defer")
	for range 2 {
		wantSaid(t, "defer", strings.Join(crowd.visit(letter{}), "\n"), "rcpt 451 4.7.1 Internal resource temporarily unavailable")
	}
}

func TestTempblockFlags(t *testing.T) {
	wantError(t, `--tempblock-rules: "spam=1/5m" is not NAME=N/TIME with a name of`, "--tempblock-rules=spam=1/5m")
	wantError(t, `"invalid-rcpt=0/5m" would block everybody`, "--tempblock-rules=invalid-rcpt=0/5m")
	wantError(t, `blocked is there twice`, "--tempblock-rules=blocked=1/5m blocked=2/5m")
	wantError(t, `--tempblock-factor: "0.5" is not a number from 1 to 100`, "--tempblock-factor=0.5")
	wantError(t, `--tempblock-factor: "NaN" is not`, "--tempblock-factor=NaN")
	wantError(t, `--tempblock-for is 48h0m0s and --tempblock-max 24h0m0s`, "--tempblock-for=48h")
}

func FuzzTempblockRules(f *testing.F) {
	f.Add("invalid-rcpt=20/5m open-relay=5/5m concurrency=3/5m auth-fail=10/10m blocked=20/1h")
	f.Add("blocked=1/1s")
	f.Fuzz(func(t *testing.T, s string) {
		rules, err := ParseTempblockRules(strings.Fields(s))
		if err != nil {
			return
		}
		for _, r := range rules {
			again, err := ParseTempblockRules([]string{r.String()})
			if err != nil || again[0] != r {
				t.Errorf("%v reads as %v, %v", r, again, err)
			}
			r.bad(conduct{})
		}
	})
}
