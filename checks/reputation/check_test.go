package reputation

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

const (
	reputationRejects = "rcpt 550 5.7.1 Local CT IP Reputation - (reject)"
	reputationDefers  = "rcpt 451 4.7.1 Internal resource temporarily unavailable"
)

func book(c *policytest.Host) *Book {
	return &Book{Store: c.World.State, Clock: c.Now.Time, HalfLife: 24 * time.Hour, MinEvents: 20}
}

func score(c *policytest.Host, client string) Summary {
	c.T.Helper()
	r, err := book(c).Show(c.T.Context(), netip.MustParseAddr(client))
	if err != nil {
		c.T.Error(err)
	}
	return r
}

func TestReputation(t *testing.T) {
	for _, c := range []struct {
		name      string
		flags     []string
		bad, good int
		mail      policytest.Letter
		said      string
	}{
		{name: "unknown"},
		{name: "too few to be judged", bad: 19},
		{name: "just enough: 100 × 20 / 40", bad: 20, said: reputationDefers},
		{name: "below the second threshold", bad: 79, said: reputationDefers},
		{name: "bad enough: 100 × 80 / 100", bad: 80, said: reputationRejects},
		{name: "mixed: 100 × 60 / 160", bad: 100, good: 40},
		{name: "mixed: 100 × 65 / 155", bad: 100, good: 35, said: reputationDefers},
		{name: "good", good: 500},
		{name: "IPv6 by /64", bad: 100, mail: policytest.Letter{Client: "2001:db8::9"}, said: reputationRejects},
		{name: "thresholds", flags: []string{"--reputation-defer-at=50", "--reputation-reject-at=50"}, bad: 20, said: reputationRejects},
		{name: "fewer events", flags: []string{"--reputation-min-events=2"}, bad: 8, said: reputationRejects},
		{name: "monitored", flags: []string{"--reputation=monitor"}, bad: 100},
		{name: "permitted client", flags: []string{"--permit-clients=static:OK"}, bad: 100},
		{name: "inbound relay", flags: []string{"--inbound-relays=static:x"}, bad: 100},
		{name: "login", bad: 100, mail: policytest.Letter{Login: "bob"}},
		{name: "postmaster alone", bad: 100, mail: policytest.Letter{To: []string{"postmaster@ours.example"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, append([]string{"--reputation=enforce"}, c.flags...)...)
			client := "192.0.2.1"
			if c.mail.Client != "" {
				client = "2001:db8::1"
			}
			if err := book(h).learn(t.Context(), netip.MustParseAddr(client), history.Transaction{policy.OffenceInvalidRcpt: c.bad, policy.NoOffence: c.good}); err != nil {
				t.Fatal(err)
			}
			policytest.WantSaid(t, c.name, strings.Join(h.Visit(c.mail), "\n"), c.said)
		})
	}
}

// What is learned from outcomes, kind by kind.
func TestReputationLearns(t *testing.T) {
	unknown := policytest.Letter{Client: "192.0.2.1"}
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*policytest.Host)
		want  string
	}{
		{"good mail", nil, func(c *policytest.Host) { c.Guess(unknown, "", 0, 3) }, "good 3"},
		{"invalid recipients", nil, func(c *policytest.Host) { c.Guess(unknown, "5.1.1", 4, 1) }, "invalid-rcpt 4, good 1"},
		{"relaying", nil, func(c *policytest.Host) { c.Guess(unknown, "5.7.1", 4, 0) }, ""},
		{"null sender", nil, func(c *policytest.Host) { c.Guess(policytest.Letter{Client: "192.0.2.1", From: "<>"}, "5.1.1", 4, 4) }, ""},
		{"abandoned", nil, func(c *policytest.Host) { s, _ := c.Begin(unknown); c.Leave(s) }, ""},
		{"by reputation itself", []string{"--reputation-min-events=2"}, func(c *policytest.Host) {
			c.Guess(unknown, "5.1.1", 9, 0)
			for range 9 {
				c.Visit(unknown)
			}
		}, "invalid-rcpt 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, append([]string{"--reputation=enforce"}, c.flags...)...)
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

// A history fades: half of it is gone after the half-life, and in the end all.
func TestReputationFades(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--reputation=enforce")
	h.Guess(policytest.Letter{}, "5.1.1", 200, 0)
	for _, step := range []struct {
		after time.Duration
		score float64
		said  string
	}{
		{0, 100 * 200. / 220, reputationRejects},
		{24 * time.Hour, 100 * 100. / 120, reputationRejects},
		{24 * time.Hour, 100 * 50. / 70, reputationDefers},
		{24 * time.Hour, 100 * 25. / 45, reputationDefers},
		{24 * time.Hour, 100 * 12.5 / 32.5, ""},
	} {
		h.After(step.after)
		if got := score(h, "192.0.2.1").Score; math.Abs(got-step.score) > 1e-6 {
			t.Errorf("score %f, want %f", got, step.score)
		}
		policytest.WantSaid(t, "then", strings.Join(h.Visit(policytest.Letter{From: "<>"}), "\n"), step.said)
	}
	h.After(10 * 24 * time.Hour)
	if r := score(h, "192.0.2.1"); len(r.Parts) > 0 {
		t.Errorf("not forgotten: %s", r)
	}
}

// A history can be cleared, and it stays on record who did that.
func TestReputationForget(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--reputation=enforce")
	client := netip.MustParseAddr("192.0.2.1")
	forget := func(want bool) {
		t.Helper()
		was, err := book(h).forget(t.Context(), client, entry.Origin{By: "root", At: policytest.Noon, Note: "one of many [x]"})
		if was != want || err != nil {
			t.Errorf("forgotten %t, %v, want %t", was, err, want)
		}
	}
	forget(false)
	if by, found, err := book(h).forgotten(t.Context(), client); found || err != nil {
		t.Errorf("on record: %s, %v", by, err)
	}
	h.Guess(policytest.Letter{}, "5.1.1", 200, 0)
	policytest.WantSaid(t, "before", strings.Join(h.Visit(policytest.Letter{}), "\n"), reputationRejects)
	forget(true)
	policytest.WantSaid(t, "after", strings.Join(h.Visit(policytest.Letter{}), "\n"), "")
	if by, found, err := book(h).forgotten(t.Context(), client); by.String() != "by root (uid 0) on 2026-11-23 12:00:00: one of many (x)" || !found || err != nil {
		t.Errorf("on record: %s, %t, %v", by, found, err)
	}
	h.Guess(policytest.Letter{}, "5.1.1", 200, 0)
	policytest.WantSaid(t, "what it does from then on counts", strings.Join(h.Visit(policytest.Letter{}), "\n"), reputationRejects)
}

func TestReputationKnownNet(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--reputation=enforce")
	h.Guess(policytest.Letter{}, "5.1.1", 200, 20)
	if err := history.NoteKnownNet(t.Context(), h.World.State, netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Fatal(err)
	}
	if said := h.Visit(policytest.Letter{}); len(said) > 0 { // the 21st good one
		t.Error(said)
	}
	const want = "192.0.2.1 has score 74 (invalid-rcpt +83.0 of 200.0, good -8.7 of 21.0), not judged: wanted mail has come from there"
	if got := score(h, "192.0.2.1").String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	h.Guess(policytest.Letter{}, "5.1.1", 11, 0)
	const more = "192.0.2.1 has score 75 (invalid-rcpt +83.7 of 211.0, good -8.3 of 21.0)"
	if got := score(h, "192.0.2.1").String(); got != more {
		t.Errorf("more than ten times as much bad as good: %q, want %q", got, more)
	}
	policytest.WantSaid(t, "judged again", strings.Join(h.Visit(policytest.Letter{}), "\n"), "rcpt 451 4.7.1 Internal resource temporarily unavailable")
}

// The event says how the score came about.
func TestReputationCause(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--reputation=enforce")
	h.Guess(policytest.Letter{}, "5.1.1", 30, 5)
	h.Visit(policytest.Letter{})
	const want = "192.0.2.1 has score 45 (invalid-rcpt +54.5 of 30.0, good -9.1 of 5.0), deferred from 40"
	events := h.Taken()
	if len(events) != 1 || events[0].Cause != want || events[0].Reply != "unavailable" || events[0].Check != "reputation" {
		t.Errorf("%+v", events)
	}
}

// Explain shows the score of a client that is not judged, too.
func TestReputationExplains(t *testing.T) {
	world := policytest.NewWorld()
	world.Explaining = true
	p, err := policytest.Only(Check).Build(world, "--reputation=enforce")
	if err != nil {
		t.Fatal(err)
	}
	p.Ready(t.Context())
	known := &Book{Store: world.State, Clock: world.Clock, HalfLife: 24 * time.Hour, MinEvents: 20}
	if err := known.learn(t.Context(), netip.MustParseAddr("192.0.2.1"), history.Transaction{policy.OffenceInvalidRcpt: 3}); err != nil {
		t.Fatal(err)
	}
	var causes []string
	for _, f := range policytest.NewHost(t, world, p).Findings(policytest.Letter{}) {
		causes = append(causes, f.Cause)
	}
	if got := strings.Join(causes, "\n"); !strings.Contains(got, "192.0.2.1 has score") {
		t.Errorf("explain shows %q", got)
	}
}

// Sessions that learn at the same time lose nothing.
func TestReputationTogether(t *testing.T) {
	h := policytest.Only(Check).Host(t)
	book, client := book(h), netip.MustParseAddr("192.0.2.1")
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			for range 4 {
				if err := book.learn(t.Context(), client, history.Transaction{policy.NoOffence: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if r := score(h, "192.0.2.1"); r.Events != 20 {
		t.Errorf("%f events, want 20", r.Events)
	}
}

func TestReputationOnError(t *testing.T) {
	h := policytest.Only(Check).HostOn(t, policytest.Broken(historySpace), "--reputation=enforce")
	if said := h.Visit(policytest.Letter{}); len(said) > 0 {
		t.Error(said)
	}
	if events := strings.Join(h.Recorded(), "\n"); events != "reputation check_error" {
		t.Error(events)
	}
	h = policytest.Only(Check).HostOn(t, policytest.Broken(historySpace), "--reputation=enforce", "--reputation-on-error=defer")
	policytest.WantSaid(t, "defer", strings.Join(h.Visit(policytest.Letter{}), "\n"), reputationDefers)
}

func TestReputationFlags(t *testing.T) {
	policytest.Only(Check).WantError(t, "--reputation-defer-at is 90 and --reputation-reject-at 80", "--reputation-defer-at=90")
	policytest.Only(Check).WantError(t, "--reputation-defer-at is 0", "--reputation-defer-at=0")
	policytest.Only(Check).WantError(t, "--reputation-half-life: 1s is less than a minute", "--reputation-half-life=1s")
}

// What is written is read, weighed by the time that has passed.
func TestHistory(t *testing.T) {
	b := &Book{Clock: func() time.Time { return policytest.Noon }, HalfLife: time.Hour}
	h := weights{policy.NoOffence: 3, policy.OffenceSpam: 0.5, policy.OffenceVirus: 0.0001}
	text := string(h.value(policytest.Noon.Add(-time.Hour)))
	if want := "2026-11-23T11:00:00Z spam=500 good=3000"; text != want {
		t.Errorf("%q, want %q", text, want)
	}
	if got, want := b.read([]byte(text)), (weights{policy.NoOffence: 1.5, policy.OffenceSpam: 0.25}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// Whatever stands in the state, a score is a number from 0 to 100.
func FuzzHistory(f *testing.F) {
	f.Add(`2026-11-23T11:00:00Z good=1000 spam=3500`)
	f.Add(`2027-11-23T12:00:00Z good=-1 spam=1000000000000000 virus=9223372036854775807`)
	f.Add(`{`)
	f.Fuzz(func(t *testing.T, value string) {
		b := &Book{Clock: func() time.Time { return policytest.Noon }, HalfLife: time.Hour}
		r := b.score(b.read([]byte(value)))
		if !(r.Score >= 0 && r.Score <= 100) {
			t.Errorf("score %f", r.Score)
		}
		_ = r.String()
	})
}
