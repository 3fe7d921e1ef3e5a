package autoallow

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// pairs lists what auto-allow has learned: USER ADDRESS, one a line.
func pairs(t *testing.T, world *policy.Backends) string {
	t.Helper()
	list, err := listPairs(t.Context(), world.State, filter{}, policy.Span{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range list.Rows {
		lines = append(lines, one.User+" "+one.Address)
	}
	return strings.Join(lines, "\n")
}

func TestAutoAllowLearns(t *testing.T) {
	outbound := policytest.Letter{Login: "bob", Door: "587", From: "bob@ours.example", To: []string{"friend@else.example"}}
	with := func(change func(*policytest.Letter)) policytest.Letter {
		l := outbound
		change(&l)
		return l
	}
	field := func(f string) policytest.Letter {
		return with(func(l *policytest.Letter) { l.Header = []string{"From: bob@ours.example", f} })
	}
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("u%d@else.example", i)
	}
	const learned = "bob@ours.example friend@else.example"
	for _, c := range []struct {
		name  string
		flags []string
		mail  policytest.Letter
		want  string
	}{
		{name: "submission", mail: outbound, want: learned},
		{name: "trusted net", mail: with(func(l *policytest.Letter) { l.Login, l.Door, l.Client = "", "", "127.0.0.1" }), want: learned},
		{name: "local submission", mail: with(func(l *policytest.Letter) { l.Login, l.Client = "", "none" }), want: learned},
		{name: "without the sender's extension", mail: with(func(l *policytest.Letter) { l.From = "Bob+shop@Ours.Example" }), want: learned},
		{name: "external recipients alone", mail: with(func(l *policytest.Letter) { l.To = []string{"a@ours.example", "y@else.example", "x@else.example"} }), want: "bob@ours.example x@else.example\nbob@ours.example y@else.example"},
		{name: "accepted recipients alone", mail: with(func(l *policytest.Letter) { l.To = []string{"blocked@else.example", "x@else.example"} }), want: "bob@ours.example x@else.example"},
		{name: "a person's own word", mail: field("Auto-Submitted: No"), want: learned},
		{name: "first class", mail: field("Precedence: first-class"), want: learned},
		{name: "50 recipients", mail: with(func(l *policytest.Letter) { l.To = many[:1] }), want: "bob@ours.example u0@else.example"},

		{name: "untrusted client", mail: with(func(l *policytest.Letter) { l.Login, l.Door, l.To = "", "", []string{"user@ours.example"} })},
		{name: "login at another door", mail: with(func(l *policytest.Letter) { l.Door = "" })},
		{name: "sender not ours", mail: with(func(l *policytest.Letter) { l.From = "bob@third.example" })},
		{name: "null sender", mail: with(func(l *policytest.Letter) { l.From = "<>" })},
		{name: "automatic answer", mail: field("Auto-Submitted: auto-replied (vacation)")},
		{name: "with a parameter", mail: field("auto-submitted: auto-generated; x=y")},
		{name: "bulk", mail: field("Precedence: BULK")},
		{name: "list", mail: field("List-Id: <x.ours.example>")},
		{name: "list with a post address alone", mail: field("list-post: <mailto:x@ours.example>")},
		{name: "51 recipients", mail: with(func(l *policytest.Letter) { l.To = many })},
		{name: "refused at the end", mail: field("Spam: yes")},
		{name: "skipped user", flags: []string{"--auto-allow-skip=inline:{bob@ours.example=x}"}, mail: outbound},
		{name: "skipped domain", flags: []string{"--auto-allow-skip=inline:{else.example=x}"}, mail: outbound},
		{name: "off", flags: []string{"--auto-allow=off"}, mail: outbound},
		{name: "monitor", flags: []string{"--auto-allow=monitor"}, mail: outbound, want: learned},
	} {
		blocked := policytest.Refuses("blocked", func(r *policy.Recipient) bool { return r.Address.Local == "blocked" })
		spam := policytest.RefusesMessage("spam", func(m *policy.Message) bool { return len(m.Values("Spam")) > 0 })
		t.Run(c.name, func(t *testing.T) {
			world := policytest.NewWorld()
			p, err := policytest.Only(blocked, Check, spam).Build(world, append([]string{"--services=587=submission"}, c.flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			s := policytest.NewHost(t, world, p)
			s.Send(c.mail)
			if got := pairs(t, world); got != c.want {
				t.Errorf("learned\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	policytest.Only(Check).WantError(t, "--auto-allow-for", "--auto-allow-for=1s")
}

// An answer passes if something vouches for its sender, for that user and for as long as it is
// known.
func TestAutoAllowPermits(t *testing.T) {
	known := policytest.Names{"else.example TXT": "v=spf1 ip4:192.0.2.1 -all", "forged.example TXT": "v=spf1 -all", "list.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
	now := new(policytest.Clock)
	world := policytest.NewWorld()
	world.Clock = now.Time
	world.State = state.NewMemory(world.Clock, 1000)
	world.DNS, world.Lists, _ = known.Serve(t)
	flags := []string{"--services=587=submission"}
	blocked := policytest.Refuses("blocked", func(r *policy.Recipient) bool { return r.Msg.Sender.Key() == "blocked@else.example" })
	strict := policytest.Refuses("strict", func(r *policy.Recipient) bool { return r.Direction == policy.Inbound })
	strict.Exempt = policy.ExemptAutoAllow
	rig := policytest.Only(blocked, Check, strict)
	p, err := rig.Build(world, flags...)
	if err != nil {
		t.Fatal(err)
	}
	s := policytest.NewHost(t, world, p)
	const no = "rcpt 550 5.7.1 strict"
	want := func(from, to, said string) {
		t.Helper()
		if got := strings.Join(s.Send(policytest.Letter{From: from, To: []string{to}}).Said, "\n"); got != said {
			t.Errorf("%s to %s: said %q, want %q", from, to, got, said)
		}
	}
	write := func(to ...string) {
		t.Helper()
		if got := s.Send(policytest.Letter{Login: "bob", Door: "587", From: "bob@ours.example", To: to}).Said; got != nil {
			t.Fatal(got)
		}
	}
	knownNet := func(want bool) {
		t.Helper()
		if _, found, err := world.State.Get(t.Context(), history.KnownNetKey(netip.MustParseAddr("192.0.2.1"))); found != want || err != nil {
			t.Errorf("known net: %t, %v, want %t", found, err, want)
		}
	}
	want("friend@else.example", "bob@ours.example", no)
	write("friend@else.example", "x@forged.example", "blocked@else.example")
	knownNet(false)
	want("Friend@Else.example", "bob+x@ours.example", "")
	knownNet(true)
	want("prvs=0123abcdef=friend@else.example", "bob@ours.example", "")
	want("other@else.example", "bob@ours.example", no)
	want("friend@else.example", "alice@ours.example", no)
	want("x@forged.example", "bob@ours.example", no)
	want("blocked@else.example", "bob@ours.example", "rcpt 550 5.7.1 blocked")

	now.Move(119 * 24 * time.Hour)
	write("friend@else.example")
	now.Move(119 * 24 * time.Hour) // since the last message
	want("friend@else.example", "bob@ours.example", "")
	now.Move(3 * 24 * time.Hour)
	want("friend@else.example", "bob@ours.example", no)

	write("friend@else.example")
	if p, err = rig.Build(world, append(flags, "--auto-allow=monitor")...); err != nil {
		t.Fatal(err)
	}
	s.Runner.Swap(p)
	want("friend@else.example", "bob@ours.example", no)
}

func TestAutoAllowAdmin(t *testing.T) {
	world := policytest.NewWorld()
	p, err := policytest.Only(Check).Build(world, "--services=587=submission")
	if err != nil {
		t.Fatal(err)
	}
	s := policytest.NewHost(t, world, p)
	for _, user := range []string{"bob", "alice"} {
		s.Send(policytest.Letter{Login: user, Door: "587", From: user + "@ours.example", To: []string{"x@else.example", "y@else.example"}})
	}
	list, err := listPairs(t.Context(), world.State, filter{User: "Bob+news@ours.example", Delimiter: "+"}, policy.Span{Limit: 100})
	if err != nil || len(list.Rows) != 2 || list.Rows[0].Address != "x@else.example" || list.Rows[0].Last != "2026-11-23 12:00:00" {
		t.Errorf("list %+v, %v", list, err)
	}
	if list, err = listPairs(t.Context(), world.State, filter{}, policy.Span{Limit: 3}); len(list.Rows) != 3 || list.Next == "" || err != nil {
		t.Errorf("%d rows, next %q, %v, want the limit of 3", len(list.Rows), list.Next, err)
	}
	policytest.Paged(t, 4, func(span policy.Span) (policy.Part[pair], error) {
		return listPairs(t.Context(), world.State, filter{}, span)
	})
	if n, err := forget(t.Context(), world.State, filter{External: "X@else.example"}); n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if n, err := forget(t.Context(), world.State, filter{User: "bob@ours.example"}); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if got := pairs(t, world); got != "alice@ours.example y@else.example" {
		t.Errorf("left %q", got)
	}
}
