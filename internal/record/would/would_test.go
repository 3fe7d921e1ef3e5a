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

// tallies writes what is thought of the would-be refusals of a check.
func tallies(c *would.Check) string {
	var all []string
	for _, one := range []struct {
		title string
		would.Tally
	}{{"good", c.Good}, {"out", c.KeptOut}, {"?", c.Unknown}} {
		for _, r := range one.Reasons {
			all = append(all, fmt.Sprintf("%s %d %s", one.title, r.N, r.Why))
		}
	}
	return strings.Join(all, "; ")
}

const (
	anyway      = "out 1 refused anyway, for another reason"
	permit      = "good 1 a permit for the sender exists, which did not count"
	personal    = "good 1 somebody permitted the sender by hand"
	writtenTo   = "good 1 a user wrote to the sender"
	cameBack    = "good 1 deferred for another reason, tried again and accepted"
	cleanLater  = "good 1 later mail of the sender to the recipient was accepted, and no check objected"
	neverBack   = "out 1 deferred for another reason, and not tried again"
	backInVain  = "out 1 deferred for another reason, tried again and not accepted"
	badClient   = "out 1 other checks refused mail of the client, and none of it was accepted without objection"
	alsoWatched = "out 1 other monitored checks objected, too"
	pending     = "? 1 deferred for another reason, and may be tried again"
	wentAway    = "? 1 the client went away before the end"
	silence     = "? 1 accepted, and nothing speaks for or against it"
	untold      = "? 1 the record has no message of it"
)

// What is thought of one would-be refusal, with what else is in the record.
func TestReasons(t *testing.T) {
	const refused, deferred = policy.Refused, policy.Deferred
	watched := mail{at: day, would: "grey"} // a@else.example to bob@ours.example from 192.0.2.1
	with := func(change func(*mail), others ...mail) []mail {
		m := watched
		change(&m)
		return append([]mail{m}, others...)
	}
	alone := func(others ...mail) []mail { return with(func(*mail) {}, others...) }
	outbound := mail{at: 2 * day, from: "bob@ours.example", to: "a@else.example", client: "127.0.0.1", direction: "outbound"}
	answered := func(change func(*mail)) mail {
		m := outbound
		change(&m)
		return m
	}
	for name, c := range map[string]struct {
		mails  []mail
		change record.Change
		want   string
	}{
		"nothing":         {mails: alone(), want: silence},
		"no message":      {mails: with(func(m *mail) { m.lost = true }), want: untold},
		"refused anyway":  {mails: with(func(m *mail) { m.fate, m.check = refused, "hops" }), want: anyway},
		"removed anyway":  {mails: with(func(m *mail) { m.fate = policy.Removed }), want: anyway},
		"the MTA refused": {mails: with(func(m *mail) { m.fate = policy.RefusedByMTA }), want: anyway},
		"the client left": {mails: with(func(m *mail) { m.fate = policy.Lost }), want: wentAway},
		"refused, though a user wrote to the sender": {
			mails: with(func(m *mail) { m.fate, m.check = refused, "hops" }, outbound), want: anyway,
		},

		"a permit":           {mails: with(func(m *mail) { m.permit = "does not count: nothing vouches for the sender" }), want: permit},
		"another query":      {mails: with(func(m *mail) { m.permit = "not found" }), want: silence},
		"a user wrote later": {mails: alone(outbound), want: writtenTo},
		"a user wrote before": {
			mails: alone(answered(func(m *mail) { m.at = time.Hour })), want: writtenTo,
		},
		"a user wrote in the month before": {
			mails: alone(answered(func(m *mail) { m.at = -20 * day })), want: writtenTo,
		},
		"a user wrote in vain": {
			mails: alone(answered(func(m *mail) { m.fate = refused })), want: silence,
		},
		"a user wrote to many": {
			mails: alone(answered(func(m *mail) { m.to += strings.Repeat(" x@else.example", 50) })), want: silence,
		},
		"a user wrote to fifty": {
			mails: alone(answered(func(m *mail) { m.to += strings.Repeat(" x@else.example", 49) })), want: writtenTo,
		},
		"a bounce went to the sender": {
			mails: alone(answered(func(m *mail) { m.from = "<>" })), want: silence,
		},
		"a stranger wrote to the sender": {
			mails: alone(answered(func(m *mail) { m.direction = "relay" })), want: silence,
		},
		"a user wrote to another number": {
			mails: with(func(m *mail) { m.from = "a1@else.example" }, answered(func(m *mail) { m.to = "a2@else.example" })), want: silence,
		},
		"a user wrote to a signed sender": {
			mails: with(func(m *mail) { m.from = "prvs=0123abcdef=a@else.example" }, outbound), want: writtenTo,
		},
		"a user wrote to the sender, whom this one forges": {
			mails: with(func(m *mail) { m.spf = "fail" }, outbound), want: silence,
		},
		"a user wrote to the sender, and SPF is not sure": {
			mails: with(func(m *mail) { m.spf = "softfail" }, outbound), want: writtenTo,
		},
		"permitted by hand, his address": {
			mails: alone(), change: entered("bob@ours.example a@else.example", "permit always"), want: personal,
		},
		"permitted by hand, his domain": {
			mails: alone(), change: entered("bob@ours.example ELSE.example.", "permit for 30d"), want: personal,
		},
		"permitted by hand, a domain above": {
			mails: with(func(m *mail) { m.from = "a@mx.else.example" }), change: entered("else.example", "permit"), want: personal,
		},
		"blocked by hand": {
			mails: alone(), change: entered("bob@ours.example a@else.example", "block always"), want: silence,
		},
		"not permitted after all": {
			mails:  alone(),
			change: record.Change{Err: "no", Changes: []policy.Alteration{{What: "bob@ours.example a@else.example", After: "permit always"}}}, want: silence,
		},
		"no longer permitted": {
			mails: alone(), change: record.Change{Changes: []policy.Alteration{{What: "bob@ours.example a@else.example", Before: "permit"}}}, want: silence,
		},

		"came back": {
			mails: with(func(m *mail) { m.fate, m.check = deferred, "load" }, mail{at: day + time.Hour, would: "other"}), want: cameBack,
		},
		"came back in vain": {
			mails: with(func(m *mail) { m.fate, m.check = deferred, "load" }, mail{at: day + time.Hour, fate: refused}), want: backInVain,
		},
		"never came back": {
			mails: with(func(m *mail) { m.fate, m.check = deferred, "load" }), want: neverBack,
		},
		"may come back": {
			mails: with(func(m *mail) { m.at, m.fate, m.check = week-12*time.Hour, deferred, "load" }), want: pending,
		},
		"lost, and came back": {
			mails: with(func(m *mail) { m.fate = policy.Lost }, mail{at: day + time.Hour, would: "other"}), want: cameBack,
		},

		"clean later":                {mails: alone(mail{at: 2 * day}), want: cleanLater},
		"clean later, by VERP":       {mails: with(func(m *mail) { m.from = "b-1@else.example" }, mail{at: 2 * day, from: "b-2@else.example"}), want: cleanLater},
		"clean later, another net":   {mails: alone(mail{at: 2 * day, client: "198.51.100.7"}), want: cleanLater},
		"clean before":               {mails: alone(mail{at: time.Hour}), want: silence},
		"later, with an objection":   {mails: alone(mail{at: 2 * day, would: "other"}), want: silence},
		"later, objected as a whole": {mails: alone(mail{at: 2 * day, whole: "other"}), want: silence},
		"later, refused":             {mails: alone(mail{at: 2 * day, fate: refused}), want: silence},
		"later, another sender":      {mails: alone(mail{at: 2 * day, from: "b@else.example"}), want: silence},
		"later, another recipient":   {mails: alone(mail{at: 2 * day, to: "carol@ours.example"}), want: silence},
		"later, by the user himself": {mails: alone(mail{at: 2 * day, direction: "internal"}), want: silence},
		"later, forged here":         {mails: with(func(m *mail) { m.spf = "fail" }, mail{at: 2 * day}), want: silence},
		"bounces later":              {mails: with(func(m *mail) { m.from = "<>" }, mail{at: 2 * day, from: "<>"}), want: silence},

		"a bad client": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "virus"}), want: badClient,
		},
		"a client that this very check refuses": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "grey"}), want: silence,
		},
		"a client that this check refuses, and another": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "virus"}, mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "grey"}),
			want:  badClient,
		},
		"a client that the MTA refused": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused}), want: silence,
		},
		"a bad client's neighbour": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "virus", client: "192.0.2.2"}), want: silence,
		},
		"a bad IPv6 client's neighbour": {
			mails: with(func(m *mail) { m.client = "2001:db8::1" }, mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "virus", client: "2001:db8::2"}),
			want:  badClient,
		},
		"a client with good and bad": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "virus"}, mail{at: 2 * time.Hour, from: "y@good.example"}), want: silence,
		},
		"a bad client with what is watched": {
			mails: alone(mail{at: time.Hour, from: "x@bad.example", fate: refused, check: "virus"}, mail{at: 2 * time.Hour, from: "y@good.example", would: "other"}),
			want:  badClient,
		},
		"what others watch": {mails: with(func(m *mail) { m.would = "grey other" }), want: alsoWatched},
		"what others watch as a whole": {
			mails: with(func(m *mail) { m.whole = "other" }), want: alsoWatched,
		},
		"good, though others watch it": {
			mails: with(func(m *mail) { m.would = "grey other" }, outbound), want: writtenTo,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(history)
			h.add(c.mails...)
			if len(c.change.Changes) > 0 {
				c.change.Time = now.Add(-time.Hour)
				h.changes = append(h.changes, c.change)
			}
			check := of(t, look(t, h), "grey")
			if got := tallies(check); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if check.Total != 1 || check.Good.N+check.KeptOut.N+check.Unknown.N != 1 {
				t.Errorf("%d in all, good %d, kept out %d, not known %d", check.Total, check.Good.N, check.KeptOut.N, check.Unknown.N)
			}
		})
	}
}

func entered(what, after string) record.Change {
	return record.Change{Operation: "managed/add", Changes: []policy.Alteration{{What: what, After: after}}}
}
