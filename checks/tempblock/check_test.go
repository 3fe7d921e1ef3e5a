package tempblock

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

const unavailableRcpt = "rcpt 451 4.7.1 Recipient Temporarily Unavailable"

// blocked reports whether the client's next connection is turned away.
func blocked(c *policytest.Host, client string) bool {
	said := strings.Join(c.Visit(policytest.Letter{Client: client, To: []string{"x@ours.example", "y@ours.example"}}), "\n")
	switch said {
	case "":
		return false
	case unavailableRcpt + "\n" + unavailableRcpt:
		return true
	}
	c.T.Errorf("said %q", said)
	return false
}

// known makes 192.0.2.1 a client from which wanted mail has come.
func known(c *policytest.Host) {
	c.T.Helper()
	if err := history.NoteKnownNet(c.T.Context(), c.World.State, netip.MustParseAddr("192.0.2.1")); err != nil {
		c.T.Error(err)
	}
}

func TestTempblockRules(t *testing.T) {
	unknown := policytest.Letter{Client: "192.0.2.1"}
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*policytest.Host)
		want  bool
	}{
		{name: "invalid recipients", does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 3, 0) }, want: true},
		{name: "one less", does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 2, 0) }},
		{name: "in several transactions", does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 2, 0); c.Guess(unknown, "5.1.1", 1, 0) }, want: true},
		{name: "as many good ones", does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 3, 3) }},
		{name: "more bad than good", does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 4, 3) }, want: true},
		{name: "good ones before", does: func(c *policytest.Host) { c.Guess(unknown, "", 0, 3); c.Guess(unknown, "5.1.1", 3, 0) }},
		{name: "mail to postmaster is nothing good", does: func(c *policytest.Host) {
			for range 9 {
				c.Visit(policytest.Letter{To: []string{"postmaster@ours.example"}})
			}
			c.Guess(unknown, "5.1.1", 3, 0)
		}, want: true},
		{name: "mail to postmaster and others is", does: func(c *policytest.Host) {
			c.Visit(policytest.Letter{To: []string{"postmaster@ours.example", "a@ours.example", "b@ours.example"}})
			c.Guess(unknown, "5.1.1", 3, 0)
		}},
		{name: "refused by the MTA for another reason", does: func(c *policytest.Host) { c.Guess(unknown, "4.1.1", 9, 0); c.Guess(unknown, "5.7.0", 9, 0) }},
		{name: "relaying, by Postfix", does: func(c *policytest.Host) { c.Guess(unknown, "5.7.1", 2, 0) }, want: true},
		{name: "null sender", does: func(c *policytest.Host) { c.Guess(policytest.Letter{Client: "192.0.2.1", From: "<>"}, "5.1.1", 9, 0) }},
		{name: "connections that end before MAIL", does: func(c *policytest.Host) {
			for range 9 {
				s := c.Runner.NewSession()
				s.Connect(unknown.Connect())
				c.Leave(s)
			}
		}},
		{name: "a login", does: func(c *policytest.Host) { c.Guess(policytest.Letter{Client: "192.0.2.1", Login: "bob"}, "5.1.1", 9, 0) }},
		{name: "permitted", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 9, 0) }},
		{name: "inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 9, 0) }},
		{name: "known net", does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 9, 1) }},
		{name: "known net, ten times as much bad", does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 10, 1) }},
		{name: "known net, more bad", does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 11, 1) }, want: true},
		{name: "known net, nothing good", does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 3, 0) }, want: true},
		{name: "known net, fewer than the rule says", does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 2, 0) }},
		{name: "known net, much of both", does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 300, 40) }},
		{name: "known net, much bad in transactions of its own", does: func(c *policytest.Host) {
			known(c)
			c.Guess(unknown, "", 0, 2)
			for range 30 {
				c.Guess(unknown, "5.1.1", 1, 0)
			}
		}, want: true},
		{name: "known net, another rule counts for itself", does: func(c *policytest.Host) {
			known(c)
			c.Guess(unknown, "5.1.1", 9, 1)
			c.Guess(unknown, "5.7.1", 9, 0)
		}},
		{name: "inbound relay, nothing good from a known net", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 300, 0) }},
		{name: "permitted, nothing good from a known net", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, does: func(c *policytest.Host) { known(c); c.Guess(unknown, "5.1.1", 300, 0) }},
		{name: "monitored", flags: []string{"--tempblock=monitor"}, does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 9, 0) }},
		{name: "a rule that is left out", flags: []string{"--tempblock-rules=open-relay=2/5m"}, does: func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 9, 0) }},
		{name: "too long ago", does: func(c *policytest.Host) {
			c.Guess(unknown, "5.1.1", 2, 0)
			c.After(6*time.Minute + time.Second)
			c.Guess(unknown, "5.1.1", 2, 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, append([]string{"--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m open-relay=2/5m blocked=2/1h"}, c.flags...)...)
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

// A block begins with the next connection, ends by itself, and comes back, longer, when the client
// goes on.
func TestTempblockCourse(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m", "--tempblock-for=10m", "--tempblock-factor=3", "--tempblock-max=1h")
	client := policytest.Letter{Client: "2001:db8::1"}
	s, _ := h.Begin(client)
	h.Guess(policytest.Letter{Client: "2001:db8::2"}, "5.1.1", 3, 0)
	policytest.WantSaid(t, "a connection under way", policytest.Begin(s, client), "")
	h.Leave(s)
	for _, minutes := range []time.Duration{10, 30, 60, 60} {
		if !blocked(h, "2001:db8::3") {
			t.Fatalf("not blocked at the beginning of %d minutes", minutes)
		}
		h.After(minutes*time.Minute - time.Second)
		if !blocked(h, "2001:db8::1") {
			t.Errorf("not blocked at the end of %d minutes", minutes)
		}
		h.After(time.Second)
		if blocked(h, "2001:db8::1") {
			t.Errorf("still blocked after %d minutes", minutes)
		}
		h.Guess(client, "5.1.1", 9, 0)
	}
	h.After(time.Hour + time.Hour + time.Second)
	h.Guess(client, "5.1.1", 3, 0)
	h.After(10 * time.Minute)
	if blocked(h, "2001:db8::1") {
		t.Error("what was long ago makes the block longer")
	}
}

// The event tells the administrator which rule it was.
func TestTempblockCause(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--tempblock=enforce", "--tempblock-rules=invalid-rcpt=3/5m")
	h.Guess(policytest.Letter{}, "5.1.1", 4, 1)
	h.Visit(policytest.Letter{})
	const want = "192.0.2.1 is blocked until 2026-11-23 12:05:00 by the rule invalid-rcpt=3/5m: 4 bad, 1 accepted, block 1 in a row"
	events := h.Taken()
	if len(events) != 1 || events[0].Cause != want || events[0].Reply != "tempblock" {
		t.Errorf("%+v", events)
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
	one, other := policytest.Only(Check).HostOn(t, share, flags...), policytest.Only(Check).HostOn(t, share, flags...)
	client := netip.MustParseAddr("192.0.2.1")
	if blocked(one, "192.0.2.1") || blocked(other, "192.0.2.1") {
		t.Fatal("blocked before")
	}
	if err := enter(t.Context(), shared, client, time.Hour, entry.Origin{By: "root", At: policytest.Noon, Note: "test [x]"}); err != nil {
		t.Fatal(err)
	}
	if !blocked(one, "192.0.2.1") || !blocked(other, "192.0.2.1") {
		t.Error("not blocked by hand")
	}
	list, err := List(t.Context(), shared)
	if err != nil || len(list) != 1 || list[0].String() != "192.0.2.1 is blocked until 2026-11-23 13:00:00, by root (uid 0) on 2026-11-23 12:00:00: test (x)" {
		t.Errorf("%v, %v", list, err)
	}
	if was, err := takeOff(t.Context(), shared, client); !was || err != nil {
		t.Error(was, err)
	}
	if blocked(one, "192.0.2.1") || blocked(other, "192.0.2.1") {
		t.Error("blocked after it was taken off")
	}
	if was, err := takeOff(t.Context(), shared, client); was || err != nil {
		t.Error(was, err)
	}
	one.Guess(policytest.Letter{}, "5.1.1", 3, 0)
	other.After(listAge)
	if !blocked(one, "192.0.2.1") || !blocked(other, "192.0.2.1") {
		t.Error("a rule blocks on one host only")
	}
	if _, err := takeOff(t.Context(), shared, client); err != nil {
		t.Error(err)
	}
	one.Guess(policytest.Letter{}, "5.1.1", 2, 0)
	if blocked(one, "192.0.2.1") {
		t.Error("what was counted before it was taken off brings it back")
	}
}

// A list that is longer than the copy that each host keeps blocks all the same.
func TestTempblockLongList(t *testing.T) {
	store := state.NewMemory(time.Now, 100)
	rule := &rule{store: store, known: state.NewMirror(store, time.Now, state.MirrorOptions{Space: listSpace, Most: 3}), changes: policy.Asks(store)}
	defer rule.known.Close()
	want := func(client string, blocked bool) {
		t.Helper()
		if err := rule.known.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := rule.verdict(client)
		if v.Work() != nil {
			v, err = v.Work()(t.Context())
		}
		if v.Objects() != blocked || err != nil {
			t.Errorf("%s: %v, %v", client, v.Objects(), err)
		}
	}
	for _, client := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"} {
		want(client, false)
		if err := enter(t.Context(), store, netip.MustParseAddr(client), time.Hour, entry.Origin{By: "root"}); err != nil {
			t.Fatal(err)
		}
		want(client, true)
	}
	want("10.0.0.1", true)
	want("10.0.0.4", false)
	want("192.0.2.2", false)
}

// Without the state nobody is turned away, unless the administrator wants to wait for it.
func TestTempblockOnError(t *testing.T) {
	h := policytest.Only(Check).HostOn(t, policytest.Broken(listSpace), "--tempblock=enforce")
	for range 2 {
		if said := h.Visit(policytest.Letter{}); len(said) > 0 {
			t.Error(said)
		}
	}
	if events := h.Recorded(); strings.Join(events, "\n") != "tempblock check_error\ntempblock check_error" {
		t.Error(events)
	}
	h = policytest.Only(Check).HostOn(t, policytest.Broken(listSpace), "--tempblock=enforce", "--tempblock-on-error=defer")
	for range 2 {
		policytest.WantSaid(t, "defer", strings.Join(h.Visit(policytest.Letter{}), "\n"), "rcpt 451 4.7.1 Internal resource temporarily unavailable")
	}
}

func TestTempblockFlags(t *testing.T) {
	policytest.Only(Check).WantError(t, `--tempblock-rules: "spam=1/5m" is not NAME=N/TIME with a name of`, "--tempblock-rules=spam=1/5m")
	policytest.Only(Check).WantError(t, `"invalid-rcpt=0/5m" would block everybody`, "--tempblock-rules=invalid-rcpt=0/5m")
	policytest.Only(Check).WantError(t, `blocked is there twice`, "--tempblock-rules=blocked=1/5m blocked=2/5m")
	policytest.Only(Check).WantError(t, `--tempblock-factor: "0.5" is not a number from 1 to 100`, "--tempblock-factor=0.5")
	policytest.Only(Check).WantError(t, `--tempblock-factor: "NaN" is not`, "--tempblock-factor=NaN")
	policytest.Only(Check).WantError(t, `--tempblock-for is 48h0m0s and --tempblock-max 24h0m0s`, "--tempblock-for=48h")
}

func FuzzTempblockRules(f *testing.F) {
	f.Add("invalid-rcpt=20/5m open-relay=5/5m concurrency=3/5m auth-fail=10/10m blocked=20/1h")
	f.Add("blocked=1/1s")
	f.Fuzz(func(t *testing.T, s string) {
		rules, err := ParseRules(strings.Fields(s))
		if err != nil {
			return
		}
		for _, r := range rules {
			again, err := ParseRules([]string{r.String()})
			if err != nil || again[0] != r {
				t.Errorf("%v reads as %v, %v", r, again, err)
			}
			r.bad(history.Transaction{})
		}
	})
}
