package would_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/would"
)

// flood records so many would-be refusals, the first at first and the last at last, of which the
// first ones are likely good.
func (h *history) flood(n, good int, first, last time.Duration) {
	for i := range n {
		at := first
		if i > 0 {
			at += time.Duration(int64(last-first) / int64(n-1) * int64(i))
		}
		m := mail{at: at, from: fmt.Sprintf("a%c%c%c@else.example", 'a'+i/676, 'a'+i/26%26, 'a'+i%26), would: "grey"}
		if i < good {
			m.permit = "does not count: nothing vouches for the sender"
		}
		h.add(m)
	}
}

// written is a message of a user to somebody, so that the record shows whom users write to.
var written = mail{at: week - time.Hour, from: "carol@ours.example", to: "x@far.example", client: "127.0.0.1", direction: "outbound"}

// Each limit, from both sides.
func TestDecisions(t *testing.T) {
	const end = week - time.Hour
	for name, c := range map[string]struct {
		n, good int
		first   time.Duration
		mails   []mail // more of the history
		want    string
	}{
		"200 in a week": {n: 200, want: "grey: safe to enforce: none of 200 would-be refusals in 7 days are likely good; of 200 nothing is known"},
		"199 in a week": {n: 199, want: "grey: cannot tell yet: there were 199 would-be refusals, and it takes 200 to tell"},
		"a second less": {n: 200, first: time.Second, want: "grey: cannot tell yet: it has been looking for 6.9 days, and it takes 7 days to tell"},
		"a second less, but it looked before": {
			n: 200, first: time.Second, mails: []mail{{at: -day, would: "grey"}}, want: "grey: safe to enforce: none of 200 would-be refusals in 7 days are likely good; of 200 nothing is known",
		},
		"one of one":      {n: 1, good: 1, first: end, want: "grey: not yet, because 1 of 1 would-be refusal is likely good (100.0 %)"},
		"a day, one of 1": {n: 1, good: 1, first: end - 23*time.Hour, want: "grey: not yet, because 1 of 1 would-be refusal is likely good (100.0 %, 1.0 a day)"},
		"none at all":     {n: 0, mails: []mail{{would: "other"}}, want: "grey: cannot tell yet: there were 0 would-be refusals, and it takes 200 to tell"},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(history)
			h.flood(c.n, c.good, c.first, max(end, c.first))
			h.add(c.mails...)
			h.add(written, mail{at: week - time.Minute, to: "carol@ours.example"}) // the record goes on
			if got := of(t, look(t, h, "grey"), "grey").Line(); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// What keeps any check from being called safe.
func TestDoubts(t *testing.T) {
	for name, c := range map[string]struct {
		lost    int // messages that are not in the record
		gap     int // days without any
		refused bool
		extent  record.Extent
		want    string
	}{
		"one in a hundred without message":   {lost: 2, want: "safe to enforce"},
		"more than one in a hundred without": {lost: 3, want: "cannot tell yet: of 3 of 200 would-be refusals the record has no message, so what is good among them does not show"},
		"no accepted message":                {refused: true, want: "cannot tell yet: the record has no accepted message (--record-accepted), so what was good does not show"},
		"left out":                           {extent: record.Extent{Days: []record.Day{{Date: start.Truncate(day), LeftOut: 1}, {Date: now.Truncate(day), LeftOut: 2}}}, want: "cannot tell yet: the record left out a part of 3 entries for want of room (--record-max), so what was good does not show"},
		"no day missing":                     {gap: 1, want: "safe to enforce"},
		"days missing":                       {gap: 3, want: "cannot tell yet: the record has nothing of 2 days in between, so what the check was doing then does not show"},
		"left out before and after": {
			extent: record.Extent{Days: []record.Day{{Date: start.Truncate(day).AddDate(0, 0, -1), LeftOut: 1}, {Date: now.Truncate(day).AddDate(0, 0, 1), LeftOut: 2}}}, want: "safe to enforce",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(history)
			if !c.refused {
				h.add(written)
			}
			for i := range 200 {
				at := time.Duration(i) * 50 * time.Minute
				if gone := time.Duration(c.gap) * day; at > 2*day && at < 2*day+gone {
					at = 2 * day
				}
				m := mail{at: at, would: "grey", from: fmt.Sprintf("a%c%c@else.example", 'a'+i/26, 'a'+i%26), lost: i < c.lost}
				if c.refused {
					m.fate, m.check = policy.Refused, "hops"
				}
				h.add(m)
			}
			r := reader{Reader: h.inMemory(), extent: &c.extent}
			if c.extent.Days == nil {
				r.extent = nil
			}
			report := lookAt(t, r)
			if got := report.Checks[0].Line(); !strings.HasPrefix(got, "grey: "+c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if noted := strings.Contains(strings.Join(report.Notes, "; "), "does not show"); noted != (c.refused || c.gap > 1 || strings.Contains(c.want, "entries")) {
				t.Errorf("notes %q", report.Notes)
			}
		})
	}
}

// A check is known to have been looking from its first would-be refusal, or from the beginning
// where it had one on the day before.
func TestLookedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		earlier mail
		want    time.Duration
	}{
		"a day before":    {mail{at: -day, would: "grey"}, 0},
		"earlier":         {mail{at: -day - 2*time.Hour, would: "grey"}, time.Hour},
		"another did":     {mail{at: -time.Hour, would: "other"}, time.Hour},
		"it was another":  {mail{at: -time.Hour, fate: policy.Refused, check: "grey"}, time.Hour},
		"it would change": {mail{at: -time.Hour, would: "grey", action: policy.ActionWouldChange}, 0},
	} {
		h := new(history)
		h.add(c.earlier, mail{at: time.Hour, would: "grey"}, mail{at: week - time.Hour})
		if got := of(t, look(t, h), "grey").Begun.Sub(start); got != c.want {
			t.Errorf("%s: after %s, want %s", name, got, c.want)
		}
	}
}

func TestExitCode(t *testing.T) {
	safe, not, cannot := &would.Check{Decision: would.SafeToEnforce}, &would.Check{Decision: would.NotYet}, &would.Check{Decision: would.CannotTell}
	for _, c := range []struct {
		checks []*would.Check
		want   int
	}{
		{nil, 2},
		{[]*would.Check{safe, safe}, 0},
		{[]*would.Check{safe, not, cannot}, 1},
		{[]*would.Check{cannot, not}, 1},
		{[]*would.Check{cannot, safe}, 2},
	} {
		if got := (&would.Report{Checks: c.checks}).ExitCode(); got != c.want {
			t.Errorf("%v: %d, want %d", c.checks, got, c.want)
		}
	}
}
