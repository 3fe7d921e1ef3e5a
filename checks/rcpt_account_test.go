package checks

import (
	"strings"
	"testing"
	"time"

	"mailweir/internal/state"
)

const (
	outboundsOff = "rcpt 451 4.3.2 Account outbounds disabled"
	inboundsOff  = "rcpt 451 4.3.2 Account inbounds disabled"
)

func TestAccountList(t *testing.T) {
	list := file(t, "accounts", "bob outbound his password is known\ncarol@ours.example both\nclosed.example inbound moving\n"+
		"quiet.example outbound\nboss@quiet.example DUNNO\nhalf inbound\n")
	out := func(login, from string, to ...string) letter {
		if to == nil {
			to = []string{"x@else.example"}
		}
		return letter{login: login, from: from, to: to}
	}
	in := func(to ...string) letter { return letter{to: to} }
	only(Account).play(t, []string{"--local-domains=inline:{ours.example=x, closed.example=x}", "--account-list=" + list}, []scenario{
		{name: "login", mail: out("bob", "bob@ours.example"), said: outboundsOff, events: "account deferred", cause: list + ":1: his password is known"},
		{name: "whatever its case", mail: out("BOB", "bob@ours.example"), said: outboundsOff},
		{name: "login with domain", mail: out("Carol@Ours.Example", "carol@ours.example"), said: outboundsOff},
		{name: "neighbour", mail: out("bobby", "bob@ours.example")},
		{name: "domain of the login", mail: out("a@quiet.example", "a@ours.example"), said: outboundsOff},
		{name: "domain of the sender", mail: out("a", "a@quiet.example"), said: outboundsOff},
		{name: "domain of a trusted host", mail: letter{client: "127.0.0.1", from: "a@quiet.example", to: []string{"x@else.example"}}, said: outboundsOff},
		{name: "exempt", mail: out("boss@quiet.example", "boss@quiet.example")},
		{name: "sub-domain", mail: out("a", "a@mx.quiet.example")},
		{name: "the other side", mail: out("half", "a@ours.example")},
		{name: "null sender", mail: out("bob", "<>")},
		{name: "internal", mail: out("bob", "bob@ours.example", "a@ours.example")},
		{name: "only the external recipient", mail: out("bob", "bob@ours.example", "a@ours.example", "x@else.example"), said: outboundsOff},
		{name: "inbound", mail: in("a@closed.example"), said: inboundsOff, cause: "moving"},
		{name: "inbound neighbour", mail: in("a@ours.example")},
		{name: "one of two", mail: in("a@closed.example", "a@ours.example"), said: inboundsOff},
		{name: "inbound null sender", mail: letter{from: "<>", to: []string{"a@closed.example"}}},
		{name: "abuse", mail: in("abuse@closed.example")},
		{name: "bob's login is no one's inbound", mail: in("bob@ours.example")},
		{name: "all", flags: []string{"--account-list=inline:{*=inbound}"}, mail: in("a@ours.example"), said: inboundsOff},
		{name: "local submission", mail: letter{client: "none", from: "a@quiet.example", to: []string{"x@else.example"}}, said: "end" + outboundsOff[4:]},
		{name: "monitor", flags: []string{"--account=monitor"}, mail: in("a@closed.example"), events: "account would refuse"},
	})
	only(Account).wantError(t, "accounts:1: ", "--account-list="+file(t, "accounts", "bob off\n"))
}

// What is entered acts at once, for its time, and stays in force while the state is down.
func TestAccountEntered(t *testing.T) {
	world, now := newWorld(), new(hand)
	world.Clock = now.time
	store := &fallible{Store: state.NewMemory(world.Clock, 100), but: accountSpace}
	world.State = store
	p, err := only(Account).build(world)
	if err != nil {
		t.Fatal(err)
	}
	s := newHost(t, world, p)
	want := func(name, said, cause string) {
		t.Helper()
		seen := s.send(letter{login: "bob", from: "bob@ours.example", to: []string{"x@else.example"}})
		if got := strings.Join(seen.said, "\n"); got != said {
			t.Errorf("%s: said %q, want %q", name, got, said)
		}
		if cause != "" && (len(seen.events) != 1 || !strings.Contains(seen.events[0].Cause, cause)) {
			t.Errorf("%s: events %v are without %q", name, seen.events, cause)
		}
	}
	ctx := t.Context()
	off := func(side, account string, life time.Duration) {
		t.Helper()
		if err := SwitchAccountOff(ctx, store, side, account, life, Entered{By: "root", At: now.time(), Note: "phished\n"}); err != nil {
			t.Fatal(err)
		}
	}
	want("nothing entered", "", "")
	off(AccountInbound, "bob", 0)
	want("the other side", "", "")
	off(AccountOutbound, "Bob", time.Hour)
	want("entered", outboundsOff, `outbound of "bob" is off until 2026-11-23 13:00:00, by root (uid 0) on 2026-11-23 12:00:00: phished`)
	list, err := AccountSwitches(ctx, store)
	if err != nil || len(list) != 2 || list[1].Name != "bob" || list[1].Note != "phished" || !list[0].Until.IsZero() {
		t.Errorf("list %v, %v", list, err)
	}
	now.move(time.Hour)
	want("over", "", "")

	off(AccountOutbound, "*", 0)
	want("all", outboundsOff, `outbound of "*" is off for good`)
	store.down.Store(true)
	off(AccountOutbound, "other", 0) // so that there is something new to read
	want("last known", outboundsOff, "")
	if p, err = only(Account).build(world); err != nil { // a reload forgets nothing
		t.Fatal(err)
	}
	s.runner.Swap(p)
	want("last known after a reload", outboundsOff, "")
	store.down.Store(false)
	if done, err := SwitchAccountOn(ctx, store, AccountOutbound, "*"); !done || err != nil {
		t.Errorf("on: %t, %v", done, err)
	}
	if done, err := SwitchAccountOn(ctx, store, AccountOutbound, "*"); done || err != nil {
		t.Errorf("on again: %t, %v", done, err)
	}
	want("on", "", "")
}
