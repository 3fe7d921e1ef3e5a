package policy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/state"
	"mailweir/internal/table"
)

// holder is a scope's: it keeps what is held, until it has ended with a fate.
type holder struct {
	held  []func(Fate)
	ended bool
	fate  Fate
}

func (h *holder) Hold(giveBack func(Fate)) (Fate, bool) {
	if !h.ended {
		h.held = append(h.held, giveBack)
	}
	return h.fate, h.ended
}

// end ends the scope.
func (h *holder) end(fate Fate) {
	h.ended, h.fate = true, fate
	for _, f := range h.held {
		f(fate)
	}
}

// inquiry knows the recipients and nothing else.
type inquiry struct {
	Inquiry
	recipients []*Recipient
}

func (i inquiry) Recipients() iter.Seq[*Recipient] { return slices.Values(i.recipients) }

func (i inquiry) AnyRecipient(such func(*Recipient) bool) bool {
	return slices.ContainsFunc(i.recipients, such)
}

func TestSlot(t *testing.T) {
	env := new(Common).Env("x", Enforce)
	numbers, texts := NewSlot[int](env), NewSlot[string](env)
	c, m := new(Connection), new(Message)
	*numbers.Of(c), *texts.Of(c), *numbers.Of(m) = 1, "one", 2
	if *numbers.Of(c) != 1 || *texts.Of(c) != "one" || *numbers.Of(m) != 2 || *texts.Of(m) != "" {
		t.Errorf("%d %q %d %q", *numbers.Of(c), *texts.Of(c), *numbers.Of(m), *texts.Of(m))
	}
}

func TestShared(t *testing.T) {
	env := new(Common).Env("x", Defer)
	made := 0
	create := func() *int { made++; return new(int) }
	first, second := Shared(env, create), Shared(env, create)
	if first != second || made != 1 {
		t.Errorf("made %d times", made)
	}
	if other := Shared(env, func() *string { return new(string) }); other == nil || env.Mode() != Defer {
		t.Error("another type has none of its own")
	}
}

func TestEnvList(t *testing.T) {
	common := &Common{Settings: &Settings{}, Tables: table.NewLoader(nil)}
	env := common.Env("x", Enforce)
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	open := func(specs ...string) (*table.List, error) {
		tables := NewFlags(set, "x").Tables(fmt.Sprint("list", len(specs[0])), "u", table.Use{Asked: table.Domains, Values: table.Any, Bare: "OK"})
		tables.specs = specs
		return tables.Open(env)
	}
	list, err := open("inline:{example.org=x}")
	if err != nil {
		t.Fatal(err)
	}
	if match, err := list.Domain(t.Context(), "sub.example.org"); err != nil || !match.Member() {
		t.Errorf("a sub-domain: %+v, %v", match, err)
	}
	if _, err := open("nothing:x"); err == nil || !strings.Contains(err.Error(), "--x-list9: ") {
		t.Errorf("the error does not name the flag: %v", err)
	}
}

func TestConnection(t *testing.T) {
	list, err := table.NewLoader(nil).List(table.ListOptions{}, "inline:{192.0.2.1=OK, known.example=OK}")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, client, host string
		want               bool
	}{
		{"by its address", "192.0.2.1", "", true},
		{"by its name", "192.0.2.2", "known.example", true},
		{"neither", "192.0.2.2", "other.example", false},
		{"unknown client", "", "known.example", false},
	} {
		conn := &Connection{ConnectFacts: ConnectFacts{Name: c.host}}
		if c.client != "" {
			conn.Client = netip.MustParseAddr(c.client)
		}
		match, err := conn.LookUp(t.Context(), list)
		if err != nil || match.Member() != c.want {
			t.Errorf("%s: %+v, %v", c.name, match, err)
		}
	}
	if c := (&Connection{Exempt: ExemptTrusted}); !c.Trusted() || c.InboundRelay() {
		t.Errorf("trusted: %v, relay: %v", c.Trusted(), c.InboundRelay())
	}
	if c := (&Connection{Exempt: ExemptRelay}); c.Trusted() || !c.InboundRelay() {
		t.Errorf("trusted: %v, relay: %v", c.Trusted(), c.InboundRelay())
	}
}

func TestMessage(t *testing.T) {
	for _, c := range []struct {
		conn, own Exemption
		want      bool
	}{{0, 0, false}, {ExemptTrusted, 0, true}, {0, ExemptTrusted, true}, {ExemptRelay, ExemptLogin, false}} {
		m := &Message{Conn: &Connection{Exempt: c.conn}, Exempt: c.own}
		if m.Trusted() != c.want {
			t.Errorf("client %b, sender %b: trusted is %v", c.conn, c.own, m.Trusted())
		}
	}
	m := &Message{Fields: []Field{{Name: "From", Value: "a@example.org"}, {Name: "To", Value: "x"}, {Name: "FROM", Value: "b@example.org"}}}
	if got := m.Values("from"); !slices.Equal(got, []string{"a@example.org", "b@example.org"}) {
		t.Errorf("values %q", got)
	}
	from := m.HeaderFrom()
	m.Fields = nil // it is parsed once
	again := m.HeaderFrom()
	if first, second := slices.Collect(from.Authors()), slices.Collect(again.Authors()); len(first) != 2 || len(second) != 2 {
		t.Errorf("%+v, then %+v", first, second)
	}
}

func TestAlwaysAccepted(t *testing.T) {
	m := new(Message)
	postmaster, other := &Recipient{Msg: m, Exempt: ExemptAlwaysAccept}, &Recipient{Msg: m}
	for _, c := range []struct {
		name string
		list []*Recipient
		want bool
	}{
		{"alone", []*Recipient{postmaster}, true},
		{"with another", []*Recipient{postmaster, other}, false},
		{"nobody is left", nil, true},
	} {
		m.Inquiry = inquiry{recipients: c.list}
		if got := postmaster.AlwaysAccepted(); got != c.want || other.AlwaysAccepted() {
			t.Errorf("%s: %v, the other %v", c.name, got, other.AlwaysAccepted())
		}
	}
	if conn := new(Connection); (&Recipient{Msg: &Message{Conn: conn}}).Conn() != conn {
		t.Error("a recipient's connection is not its message's")
	}
}

func TestAcquire(t *testing.T) {
	store := state.NewMemory(time.Now, 0)
	defer store.Close()
	acquire := func(h *holder) bool {
		t.Helper()
		ok, err := Acquire(t.Context(), store, &Base{Holder: h}, "key", 1)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	first := new(holder)
	if !acquire(first) || acquire(new(holder)) {
		t.Fatal("one of one was not taken once")
	}
	first.end(Refused)
	if !acquire(&holder{ended: true}) {
		t.Error("what the first scope held is not free")
	}
	if !acquire(new(holder)) {
		t.Error("a scope that had ended keeps what it took")
	}
	if _, err := Acquire(t.Context(), broken{store}, &Base{Holder: new(holder)}, "key", 1); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{ state.Store }

func (broken) Acquire(context.Context, string, int) (state.Lease, bool, error) {
	return nil, true, errBroken
}

func TestReserve(t *testing.T) {
	for _, c := range []struct {
		name  string
		ended bool
		fate  Fate
		back  int
		kept  bool
	}{
		{"accepted in the end", false, Accepted, 0, true},
		{"refused in the end", false, Refused, 1, true},
		{"accepted already", true, Accepted, 0, true},
		{"abandoned already", true, Abandoned, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, back := &holder{ended: c.ended, fate: c.fate}, 0
			r := &Recipient{Base: Base{Holder: h}}
			if kept := Reserve(r, func() { back++ }); kept != c.kept {
				t.Errorf("kept is %v", kept)
			}
			h.end(c.fate)
			if back != c.back {
				t.Errorf("given back %d times, want %d", back, c.back)
			}
		})
	}
}

func TestAdmitWithin(t *testing.T) {
	places := make(chan struct{}, 1)
	leave := AdmitWithin(t.Context(), places)
	if leave == nil {
		t.Fatal("a free place is not to be had")
	}
	over, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-over.Done()
	if AdmitWithin(over, places) != nil {
		t.Error("two have one place")
	}
	leave()
	if AdmitWithin(t.Context(), places) == nil {
		t.Error("a place that was given back is not to be had")
	}
}

func TestUnmapped(t *testing.T) {
	for in, want := range map[string]string{"::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1", "192.0.2.1": "192.0.2.1"} {
		if got := Unmapped(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}
