package senderblock

import (
	"strings"
	"testing"

	"mailweir/internal/entry"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// What people have blocked is refused from the next recipient on, unless something about less
// exempts it.
func TestEntered(t *testing.T) {
	const refused = "rcpt 550 5.7.1 Administrative prohibition - envelope blocked"
	names := policytest.Names{"spam.example TXT": "v=spf1 ip4:192.0.2.1 -all", "forged.example TXT": "v=spf1 -all"}
	for _, tt := range []struct {
		name    string
		flags   []string
		entries [][]string
		from    string
		said    string
		cause   string
	}{
		{name: "nothing", from: "a@spam.example"},
		{name: "address", entries: [][]string{{"block", "a@spam.example"}}, from: "A+x@spam.example", said: refused, cause: `"a@spam.example" is blocked permanently, by root (uid 0)`},
		{name: "neighbour", entries: [][]string{{"block", "a@spam.example"}}, from: "b@spam.example"},
		{name: "domain", entries: [][]string{{"block", "spam.example"}}, from: "a@sub.spam.example", said: refused},
		{name: "null sender", entries: [][]string{{"block", "spam.example"}}, from: "<>"},
		{name: "beside a list", flags: []string{"--sender-block-list=inline:{else.example=REJECT}"}, entries: [][]string{{"block", "spam.example"}}, from: "a@spam.example", said: refused},
		{name: "the list, beside entries", flags: []string{"--sender-block-list=inline:{else.example=REJECT}"}, entries: [][]string{{"block", "spam.example"}}, from: "a@else.example", said: refused, cause: "matches"},
		{name: "the list exempts an address", flags: []string{"--sender-block-list=inline:{a@spam.example=OK}"}, entries: [][]string{{"block", "spam.example"}}, from: "a@spam.example"},
		{name: "the list exempts the domain", flags: []string{"--sender-block-list=inline:{spam.example=OK}"}, entries: [][]string{{"block", "spam.example"}}, from: "a@spam.example", said: refused},
		{name: "the list exempts the very address", flags: []string{"--sender-block-list=inline:{a@spam.example=OK}"}, entries: [][]string{{"block", "a@spam.example"}}, from: "a@spam.example", said: refused},
		{name: "a permit of less, vouched", entries: [][]string{{"block", "spam.example"}, {"permit", "a@spam.example"}}, from: "a@spam.example"},
		{name: "a permit of less, not vouched", entries: [][]string{{"block", "forged.example"}, {"permit", "a@forged.example"}}, from: "a@forged.example", said: refused},
		{name: "a permit of the same", entries: [][]string{{"block", "spam.example"}, {"permit", "spam.example"}}, from: "a@spam.example", said: refused},
		{name: "a permit of more", entries: [][]string{{"block", "a@spam.example"}, {"permit", "spam.example"}}, from: "a@spam.example", said: refused},
		{name: "a list about header From alone", flags: []string{"--sender-block-on=header", "--sender-block-list=inline:{spam.example=REJECT}"}, entries: [][]string{{"block", "else.example"}}, from: "a@spam.example"},
		{name: "and what is entered", flags: []string{"--sender-block-on=header", "--sender-block-list=inline:{spam.example=REJECT}"}, entries: [][]string{{"block", "else.example"}}, from: "a@else.example", said: refused},
		{name: "off", flags: []string{"--sender-block=off"}, entries: [][]string{{"block", "spam.example"}}, from: "a@spam.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = names.Serve(t)
			p, err := policytest.Only(Check).Build(world, tt.flags...)
			if err != nil {
				t.Fatal(err)
			}
			host := policytest.NewHost(t, world, p)
			letter := policytest.Letter{Client: "192.0.2.1", From: tt.from}
			host.Visit(letter) // before anything is entered
			for _, e := range tt.entries {
				by := entry.Origin{By: "root", At: policytest.Noon}
				if _, err := world.State.Do(t.Context(), state.Put(state.Key(e[0], "sender", e[1]), by.Value(), 0).Entered()); err != nil {
					t.Fatal(err)
				}
			}
			got := host.Send(letter)
			if said := strings.Join(got.Said, "\n"); said != tt.said {
				t.Errorf("said %q, want %q", said, tt.said)
			}
			if tt.cause != "" && (len(got.Events) != 1 || !strings.Contains(got.Events[0].Cause, tt.cause)) {
				t.Errorf("events %+v, want the cause %q", got.Events, tt.cause)
			}
		})
	}
}

// While the state is unavailable, what was known last is refused; where nothing is known, the
// tables alone decide, and that is recorded.
func TestEnteredOutage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		read  bool
		from  string
		said  string
		event string
	}{
		{"known", true, "a@spam.example", "rcpt 550 5.7.1 Administrative prohibition - envelope blocked", "sender-block refused"},
		{"another", true, "a@good.example", "", ""},
		{"not read", false, "a@spam.example", "", "sender-block check_error"},
		{"not read, in the list", false, "a@listed.example", "rcpt 550 5.7.1 Administrative prohibition - envelope blocked", "sender-block refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := policytest.NewWorld()
			store := &policytest.Fallible{Store: world.State}
			world.State = store
			if _, err := store.Do(t.Context(), state.Put(state.Key("block", "sender", "spam.example"), entry.Origin{}.Value(), 0).Entered()); err != nil {
				t.Fatal(err)
			}
			store.Down.Store(!tt.read)
			p, err := policytest.Only(Check).Build(world, "--sender-block-list=inline:{listed.example=REJECT}")
			if err != nil {
				t.Fatal(err)
			}
			p.Ready(t.Context())
			host := policytest.NewHost(t, world, p)
			store.Down.Store(true)
			got := host.Send(policytest.Letter{From: tt.from})
			if said, events := strings.Join(got.Said, "\n"), strings.Join(policytest.Lines(got.Events), "\n"); said != tt.said || events != tt.event {
				t.Errorf("said %q, events %q", said, events)
			}
		})
	}
}
