package account

import (
	"strings"
	"testing"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

const (
	outboundsOff = "rcpt 451 4.3.2 Account outbounds disabled"
	inboundsOff  = "rcpt 451 4.3.2 Account inbounds disabled"
)

func TestAccountList(t *testing.T) {
	list := policytest.File(t, "accounts", "bob outbound his password is known\ncarol@ours.example both\nclosed.example inbound moving\n"+
		"quiet.example outbound\nboss@quiet.example DUNNO\nhalf inbound\n")
	out := func(login, from string, to ...string) policytest.Letter {
		if to == nil {
			to = []string{"x@else.example"}
		}
		return policytest.Letter{Login: login, From: from, To: to}
	}
	in := func(to ...string) policytest.Letter { return policytest.Letter{To: to} }
	policytest.Only(Check).Play(t, []string{"--local-domains=inline:{ours.example=x, closed.example=x}", "--account-list=" + list}, []policytest.Scenario{
		{Name: "login", Mail: out("bob", "bob@ours.example"), Said: outboundsOff, Events: "account deferred", Cause: list + ":1: his password is known"},
		{Name: "whatever its case", Mail: out("BOB", "bob@ours.example"), Said: outboundsOff},
		{Name: "login with domain", Mail: out("Carol@Ours.Example", "carol@ours.example"), Said: outboundsOff},
		{Name: "neighbour", Mail: out("bobby", "bob@ours.example")},
		{Name: "domain of the login", Mail: out("a@quiet.example", "a@ours.example"), Said: outboundsOff},
		{Name: "domain of the sender", Mail: out("a", "a@quiet.example"), Said: outboundsOff},
		{Name: "domain of a trusted host", Mail: policytest.Letter{Client: "127.0.0.1", From: "a@quiet.example", To: []string{"x@else.example"}}, Said: outboundsOff},
		{Name: "exempt", Mail: out("boss@quiet.example", "boss@quiet.example")},
		{Name: "sub-domain", Mail: out("a", "a@mx.quiet.example")},
		{Name: "the other side", Mail: out("half", "a@ours.example")},
		{Name: "null sender", Mail: out("bob", "<>")},
		{Name: "internal", Mail: out("bob", "bob@ours.example", "a@ours.example"), Said: outboundsOff, Events: "account deferred"},
		{Name: "internal, under the null sender", Mail: out("bob", "<>", "a@ours.example")},
		{Name: "internal, left alone", Flags: []string{"--account-also-internal=off"}, Mail: out("bob", "bob@ours.example", "a@ours.example")},
		{Name: "external, with internal left alone", Flags: []string{"--account-also-internal=off"}, Mail: out("bob", "bob@ours.example"), Said: outboundsOff},
		{Name: "only the external recipient", Flags: []string{"--account-also-internal=off"}, Mail: out("bob", "bob@ours.example", "a@ours.example", "x@else.example"), Said: outboundsOff},
		{Name: "inbound", Mail: in("a@closed.example"), Said: inboundsOff, Cause: "moving"},
		{Name: "inbound neighbour", Mail: in("a@ours.example")},
		{Name: "one of two", Mail: in("a@closed.example", "a@ours.example"), Said: inboundsOff},
		{Name: "inbound null sender", Mail: policytest.Letter{From: "<>", To: []string{"a@closed.example"}}},
		{Name: "abuse", Mail: in("abuse@closed.example")},
		{Name: "bob's login is no one's inbound", Mail: in("bob@ours.example")},
		{Name: "all", Flags: []string{"--account-list=inline:{*=inbound}"}, Mail: in("a@ours.example"), Said: inboundsOff},
		{Name: "local submission", Mail: policytest.Letter{Client: "none", From: "a@quiet.example", To: []string{"x@else.example"}}, Said: "end" + outboundsOff[4:]},
		{Name: "monitor", Flags: []string{"--account=monitor"}, Mail: in("a@closed.example"), Events: "account would_refuse"},
	})
	policytest.Only(Check).WantError(t, "accounts:1: ", "--account-list="+policytest.File(t, "accounts", "bob off\n"))
}

// What is entered acts at once, for its time, and stays in force while the state is down.
func TestAccountEntered(t *testing.T) {
	world, now := policytest.NewWorld(), new(policytest.Clock)
	world.Clock = now.Time
	store := &policytest.Fallible{Store: state.NewMemory(world.Clock, 100), But: space}
	world.State = store
	p, err := policytest.Only(Check).Build(world)
	if err != nil {
		t.Fatal(err)
	}
	s := policytest.NewHost(t, world, p)
	want := func(name, said, cause string) {
		t.Helper()
		seen := s.Send(policytest.Letter{Login: "bob", From: "bob@ours.example", To: []string{"x@else.example"}})
		if got := strings.Join(seen.Said, "\n"); got != said {
			t.Errorf("%s: said %q, want %q", name, got, said)
		}
		if cause != "" && (len(seen.Events) != 1 || !strings.Contains(seen.Events[0].Cause, cause)) {
			t.Errorf("%s: events %v are without %q", name, seen.Events, cause)
		}
	}
	ctx := t.Context()
	off := func(side, account string, life time.Duration) {
		t.Helper()
		if err := enter(ctx, store, side, account, life, switchRow{Origin: entry.Origin{By: "root", At: now.Time(), Note: "phished\n"}}); err != nil {
			t.Fatal(err)
		}
	}
	want("nothing entered", "", "")
	off(Inbound, "bob", 0)
	want("the other side", "", "")
	off(Outbound, "Bob", time.Hour)
	want("entered", outboundsOff, `outbound of "bob" is off until 2026-11-23 13:00:00, by root (uid 0) on 2026-11-23 12:00:00: phished`)
	list, err := switches(ctx, store)
	if err != nil || len(list) != 2 || list[1].Name != "bob" || list[1].Note != "phished" || !list[0].Until.IsZero() {
		t.Errorf("list %v, %v", list, err)
	}
	now.Move(time.Hour)
	want("over", "", "")

	off(Outbound, "*", 0)
	want("all", outboundsOff, `outbound of "*" is off permanently`)
	store.Down.Store(true)
	off(Outbound, "other", 0) // so that there is something new to read
	want("last known", outboundsOff, "")
	if p, err = policytest.Only(Check).Build(world); err != nil { // a reload forgets nothing
		t.Fatal(err)
	}
	s.Runner.Swap(p)
	want("last known after a reload", outboundsOff, "")
	store.Down.Store(false)
	if done, err := remove(ctx, store, Outbound, "*"); !done || err != nil {
		t.Errorf("on: %t, %v", done, err)
	}
	if done, err := remove(ctx, store, Outbound, "*"); done || err != nil {
		t.Errorf("on again: %t, %v", done, err)
	}
	want("on", "", "")
}
