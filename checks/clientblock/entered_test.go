package clientblock

import (
	"strings"
	"testing"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

func enter(t *testing.T, store state.Store, kind, net string) {
	t.Helper()
	by := entry.Origin{By: "root", At: policytest.Noon}
	if _, err := store.Do(t.Context(), state.Put(state.Key(kind, "client", net), by.Value(), 0).Entered()); err != nil {
		t.Fatal(err)
	}
}

// A client that somebody blocks is refused with its next message, unless a smaller net is permitted
// or the tables exempt it.
func TestEntered(t *testing.T) {
	const refused = "mail 421 4.7.1 Sender address blocked"
	for _, tt := range []struct {
		name    string
		flags   []string
		entries [][]string
		letter  policytest.Letter
		said    string
	}{
		{name: "nothing"},
		{name: "address", entries: [][]string{{"block", "192.0.2.1/32"}}, said: refused},
		{name: "554", flags: []string{"--client-block-code=554"}, entries: [][]string{{"block", "192.0.2.1/32"}}, said: "mail 554 5.7.1 Sender address blocked"},
		{name: "net", entries: [][]string{{"block", "192.0.2.0/24"}}, said: refused},
		{name: "another net", entries: [][]string{{"block", "192.0.3.0/24"}}},
		{name: "IPv6", entries: [][]string{{"block", "2001:db8::/32"}}, letter: policytest.Letter{Client: "2001:db8::9"}, said: refused},
		{name: "a login", entries: [][]string{{"block", "192.0.2.0/24"}}, letter: policytest.Letter{Login: "bob"}},
		{name: "no client", entries: [][]string{{"block", "0.0.0.0/0"}}, letter: policytest.Letter{Client: "none"}},
		{name: "a permit of less", entries: [][]string{{"block", "192.0.2.0/24"}, {"permit", "192.0.2.1/32"}}},
		{name: "a permit of the same", entries: [][]string{{"block", "192.0.2.0/24"}, {"permit", "192.0.2.0/24"}}, said: refused},
		{name: "a permit of more", entries: [][]string{{"block", "192.0.2.1/32"}, {"permit", "192.0.2.0/24"}}, said: refused},
		{name: "the tables exempt it from a net", flags: []string{"--client-block-list=inline:{192.0.2.1=OK}"}, entries: [][]string{{"block", "192.0.2.0/24"}}},
		{name: "and not from a block of itself", flags: []string{"--client-block-list=inline:{192.0.2.1=OK}"}, entries: [][]string{{"block", "192.0.2.1/32"}}, said: refused},
		{name: "the tables refuse it, too", flags: []string{"--client-block-list=inline:{192.0.2.1=REJECT}"}, entries: [][]string{{"block", "192.0.2.0/24"}}, said: refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := policytest.NewWorld()
			p, err := policytest.Only(Check).Build(world, tt.flags...)
			if err != nil {
				t.Fatal(err)
			}
			host := policytest.NewHost(t, world, p)
			host.Visit(tt.letter)
			for _, e := range tt.entries {
				enter(t, world.State, e[0], e[1])
			}
			if said := strings.Join(host.Visit(tt.letter), "\n"); said != tt.said {
				t.Errorf("said %q, want %q", said, tt.said)
			}
		})
	}
}

// An entry acts on a connection that is open already.
func TestEnteredOnAnOpenConnection(t *testing.T) {
	host := policytest.Only(Check).Host(t)
	letter := policytest.Letter{}
	s := host.Runner.NewSession()
	s.Connect(letter.Connect())
	s.Helo(policy.HeloFacts{})
	policytest.WantSaid(t, "before", policytest.Begin(s, letter), "")
	enter(t, host.World.State, "block", "192.0.2.1/32")
	policytest.WantSaid(t, "after", policytest.Begin(s, letter), "mail 421 4.7.1 Sender address blocked")
	host.Leave(s)
}

// Where nothing is known of what people have blocked, the mail goes on, and that is recorded.
func TestEnteredOutage(t *testing.T) {
	world := policytest.NewWorld()
	store := &policytest.Fallible{Store: world.State}
	world.State = store
	store.Down.Store(true)
	p, err := policytest.Only(Check).Build(world)
	if err != nil {
		t.Fatal(err)
	}
	got := policytest.NewHost(t, world, p).Send(policytest.Letter{})
	if events := policytest.Lines(got.Events); len(got.Said) > 0 || strings.Join(events, "\n") != "client-block check_error" {
		t.Errorf("said %q, events %q", got.Said, events)
	}
}
