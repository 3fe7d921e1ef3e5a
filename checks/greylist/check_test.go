package greylist

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

const greylisted = "451 4.7.1 Internal resource temporarily unavailable"

// greyRig is a policy with greylisting, a clock that can be moved, and a state that stays.
type greyRig struct {
	*testing.T
	*policytest.Host
}

func newGreyRig(t *testing.T, flags ...string) *greyRig {
	return newGreyRigOf(t, policytest.Only(Check), flags...)
}

// spam refuses messages with a field Spam.
var spam = policytest.RefusesMessage("spam", func(m *policy.Message) bool { return len(m.Values("Spam")) > 0 })

func newGreyRigOf(t *testing.T, rig policytest.Rig, flags ...string) *greyRig {
	return &greyRig{t, rig.Host(t, append([]string{"--greylist=enforce", "--greylist-skip-spf=false"}, flags...)...)}
}

// after moves the clock.
func (g *greyRig) after(d time.Duration) *greyRig {
	g.Host.After(d)
	return g
}

// says sends a letter and compares what is refused, one line each.
func (g *greyRig) says(l policytest.Letter, want ...string) policytest.Sent {
	g.Helper()
	got := g.Send(l)
	if strings.Join(got.Said, "\n") != strings.Join(want, "\n") {
		g.Errorf("%s: said %q, want %q", g.Now.Time().Sub(policytest.Noon), got.Said, want)
	}
	return got
}

func TestGreylistTimes(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	seen := g.says(policytest.Letter{}, no)
	if want := `192.0.2.0/24 "sender@else.example" "user@ours.example": first seen`; len(seen.Events) != 1 || seen.Events[0].Cause != want {
		t.Errorf("events %v, want cause %s", seen.Events, want)
	}
	g.after(59*time.Second).says(policytest.Letter{}, no) // too soon, and the clock goes on
	g.after(time.Second).says(policytest.Letter{Client: "192.0.2.200"})
	g.after(35 * 24 * time.Hour).says(policytest.Letter{}) // known, and renewed
	g.after(35 * 24 * time.Hour).says(policytest.Letter{})
	g.after(37*24*time.Hour).says(policytest.Letter{}, no) // forgotten

	g = newGreyRig(t)
	g.says(policytest.Letter{}, no)
	g.after(12*time.Hour+time.Minute).says(policytest.Letter{}, no) // after the window: the first time again
	g.after(30*time.Second).says(policytest.Letter{}, no)
	g.after(30 * time.Second).says(policytest.Letter{})

	g = newGreyRig(t, "--greylist-delay=0s", "--greylist-window=1h")
	g.says(policytest.Letter{}, no)
	g.says(policytest.Letter{})
}

// A sender who makes the keys of the state too long has to wait like anyone.
func TestGreylistLongSender(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	long := policytest.Letter{From: strings.Repeat("|", 1400) + "@else.example"}
	g.says(long, no)
	g.after(time.Minute).says(long)
	g.says(policytest.Letter{From: strings.Repeat("|", 1400) + "@other.example", Client: "192.0.3.1"}, no)
}

func TestGreylistTriplet(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t, "--greylist-client-passes=0")
	g.says(policytest.Letter{}, no)
	g.after(time.Minute)
	g.says(policytest.Letter{Client: "192.0.3.1"}, no)
	g.says(policytest.Letter{From: "other@else.example"}, no)
	g.says(policytest.Letter{To: []string{"other@ours.example"}}, no)
	g.says(policytest.Letter{To: []string{"User+news@ours.example", "third@ours.example"}}, no) // each recipient has an answer of its own
	g.says(policytest.Letter{Client: "2001:db8:1:2::1"}, no)
	g.after(time.Minute)
	g.says(policytest.Letter{Client: "2001:db8:1:2:3::4"})
	g.says(policytest.Letter{Client: "2001:db8:1:3::1"}, no)
}

func TestGreylistPasses(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t, "--greylist-client-passes=3")
	var to, refused []string
	for i := range 3 {
		to = append(to, fmt.Sprintf("user%c@ours.example", 'a'+i))
		refused = append(refused, no)
	}
	g.says(policytest.Letter{To: to}, refused...)
	g.after(time.Minute).says(policytest.Letter{To: to[:2]})
	g.says(policytest.Letter{From: "new@else.example"}, no) // two are not enough
	g.says(policytest.Letter{To: to[2:]})
	g.says(policytest.Letter{Client: "192.0.2.77", From: "newer@else.example"})
	g.says(policytest.Letter{Client: "192.0.3.77", From: "newer@else.example"}, no)
	for client, want := range map[string]bool{"192.0.2.1": true, "192.0.3.77": false} {
		if _, known, err := g.World.State.Get(t.Context(), history.KnownNetKey(netip.MustParseAddr(client))); known != want || err != nil {
			t.Errorf("%s is a known net: %t, %v, want %t", client, known, err, want)
		}
	}
	for range 3 {
		g.after(30 * 24 * time.Hour).says(policytest.Letter{From: "newest@else.example"}) // renewed by use
	}
	g.after(37*24*time.Hour).says(policytest.Letter{From: "newest@else.example"}, no)
}

func TestGreylistNullSender(t *testing.T) {
	const no = "end " + greylisted
	bounce := func(to ...string) policytest.Letter { return policytest.Letter{From: "<>", To: to} }
	g := newGreyRig(t)
	seen := g.says(bounce("a@ours.example", "b@ours.example"), no)
	if len(seen.Events) != 1 || seen.Events[0].Count != 2 {
		t.Errorf("events %v, want one for both", seen.Events)
	}
	g.after(time.Minute).says(bounce("a@ours.example", "c@ours.example")) // one of them is known now
	g.says(bounce("c@ours.example"), no)
	g.says(bounce("b@ours.example"))

	// Bad behaviour under the null sender is not counted, so good behaviour under it lets nobody
	// off either.
	client := netip.MustParseAddr("192.0.2.1")
	if _, known, err := g.World.State.Get(t.Context(), history.KnownNetKey(client)); known || err != nil {
		t.Errorf("%s is a known net, %v", client, err)
	}
}

// What another check refuses leaves no triplet, and renews none.
func TestGreylistOtherChecks(t *testing.T) {
	const no = "rcpt " + greylisted
	bad := policytest.Letter{Header: []string{"Spam: yes"}}
	blocked := policytest.Refuses("blocked", func(r *policy.Recipient) bool { return r.Msg.Sender.Key() == "bad@else.example" })
	g := newGreyRigOf(t, policytest.Only(blocked, Check, spam))
	g.says(policytest.Letter{From: "bad@else.example"}, "rcpt 550 5.7.1 blocked")
	g.wantRows(0)
	g.says(bad, no) // deferred before its header is seen
	g.after(time.Minute).says(bad, "end 550 5.7.1 spam")
	g.wantRows(1) // still waiting
	g.says(policytest.Letter{})
	g.after(20*24*time.Hour).says(bad, "end 550 5.7.1 spam")
	g.after(20*24*time.Hour).says(policytest.Letter{}, no) // it has not been renewed
}

// wantRows counts what is remembered of triplets.
func (g *greyRig) wantRows(want int) {
	g.Helper()
	n := 0
	for _, space := range []string{knownSpace, pendingSpace} {
		list, err := g.World.State.List(g.Context(), state.Prefix(space), "", 100)
		if err != nil {
			g.Fatal(err)
		}
		n += len(list)
	}
	if n != want {
		g.Errorf("%d triplets are remembered, want %d", n, want)
	}
}

func TestGreylistWhoNeedNotWait(t *testing.T) {
	const no = "rcpt " + greylisted
	policytest.Only(Check).Play(t, []string{"--greylist=enforce", "--greylist-skip-spf=false"}, []policytest.Scenario{
		{Name: "untrusted client", Mail: policytest.Letter{}, Said: no, Events: "greylist deferred"},
		{Name: "trusted", Mail: policytest.Letter{Client: "127.0.0.1"}},
		{Name: "login", Mail: policytest.Letter{Login: "bob"}},
		{Name: "local submission", Mail: policytest.Letter{Client: "none"}},
		{Name: "relay", Flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, Mail: policytest.Letter{}},
		{Name: "abuse", Mail: policytest.Letter{To: []string{"abuse@ours.example"}}},
		{Name: "permitted client", Flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, Mail: policytest.Letter{}},
		{Name: "client", Flags: []string{"--greylist-bypass=cidr:" + policytest.File(t, "nets", "192.0.2.0/24 OK\n")}, Mail: policytest.Letter{}},
		{Name: "sender", Flags: []string{"--greylist-bypass=inline:{ {else.example=OK unverified} }"}, Mail: policytest.Letter{}},
		{Name: "recipient", Flags: []string{"--greylist-bypass=inline:{user@ours.example=OK}"}, Mail: policytest.Letter{To: []string{"user@ours.example", "b@ours.example"}}, Said: no},
		{Name: "client alone", Flags: []string{"--greylist-bypass-clients=inline:{client.example=OK}"}, Mail: policytest.Letter{Name: "mx.client.example"}},
		{Name: "sender in a list of clients", Flags: []string{"--greylist-bypass-clients=inline:{else.example=OK}"}, Mail: policytest.Letter{}, Said: no},
		{Name: "recipient alone", Flags: []string{"--greylist-bypass-recipients=inline:{user@=OK}"}, Mail: policytest.Letter{To: []string{"user+x@ours.example", "b@ours.example"}}, Said: no},
		{Name: "sender in a list of recipients", Flags: []string{"--greylist-bypass-recipients=inline:{sender@=OK}"}, Mail: policytest.Letter{}, Said: no},
		{Name: "exception", Flags: []string{"--greylist-bypass=inline:{ {sender@else.example=DUNNO} {else.example=OK} }"}, Mail: policytest.Letter{}, Said: no},
		{Name: "monitor", Flags: []string{"--greylist=monitor"}, Mail: policytest.Letter{}, Events: "greylist would_refuse"},
		{Name: "by default", Flags: []string{"--greylist=monitor"}, Mail: policytest.Letter{From: "<>"}, Events: "greylist would_refuse"},
		{Name: "pilot", Flags: []string{"--enforce-for=inline:{a@ours.example=x}"}, Mail: policytest.Letter{To: []string{"a@ours.example", "b@ours.example"}}, Said: no, Events: "greylist deferred\ngreylist would_refuse"},
	})
	for flag, words := range map[string]string{
		"--greylist-ipv4=33": "--greylist-ipv4", "--greylist-ipv6=0": "--greylist-ipv6", "--greylist-window=1m": "--greylist-window",
		"--greylist-keep=1s": "--greylist-keep", "--greylist-bypass=inline:{a=REJECT}": "--greylist-bypass",
		"--greylist-bypass-clients=inline:{a=REJECT}": "--greylist-bypass-clients", "--greylist-bypass-recipients=inline:{a=REJECT}": "--greylist-bypass-recipients",
	} {
		policytest.Only(Check).WantError(t, words, "--greylist=enforce", flag)
	}
}

// Monitor mode learns as enforce would.
func TestGreylistMonitorLearns(t *testing.T) {
	g := newGreyRig(t, "--greylist=monitor")
	for i, want := range []int{1, 1, 0} {
		if got := g.says(policytest.Letter{}); len(got.Events) != want {
			t.Errorf("mail %d: %d events, want %d", i, len(got.Events), want)
		}
		g.after(40 * time.Second)
	}
	g.after(20 * time.Hour)
	g.wantTold()
}

// Through Postfix the end of a transaction that the client gives up is seen only with the next
// command: its mail was judged when it came all the same.
func TestGreylistEndToldLate(t *testing.T) {
	for _, mode := range []string{"enforce", "monitor"} {
		g := newGreyRig(t, "--greylist="+mode)
		s, _ := g.Begin(policytest.Letter{})
		g.after(4 * time.Second)
		g.Leave(s)
		events := g.Send(policytest.Letter{}).Events
		if len(events) != 1 || !strings.Contains(events[0].Cause, ": retried after 4s,") {
			t.Errorf("%s: events %+v", mode, events)
		}
	}
}

// The state that is down: the mail goes on, or waits where that is wanted.
func TestGreylistDown(t *testing.T) {
	for flag, want := range map[string]string{"accept": "", "defer": "rcpt " + greylisted} {
		world := policytest.NewWorld()
		store := &policytest.Fallible{Store: world.State}
		store.Down.Store(true)
		world.State = store
		p, err := policytest.Only(Check).Build(world, "--greylist=enforce", "--greylist-on-error="+flag)
		if err != nil {
			t.Fatal(err)
		}
		s := policytest.NewHost(t, world, p)
		got := s.Send(policytest.Letter{})
		if strings.Join(got.Said, "\n") != want || len(got.Events) != 1 || got.Events[0].Err == "" {
			t.Errorf("%s: said %q, events %+v", flag, got.Said, got.Events)
		}
	}
}

func TestGreylistNotRetried(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	g.says(policytest.Letter{From: "once@else.example"}, no)
	g.says(policytest.Letter{From: "soon@else.example"}, no)
	g.says(policytest.Letter{From: "pool@else.example"}, no)
	g.says(policytest.Letter{From: "back@else.example"}, no)
	g.after(30 * time.Second)
	g.says(policytest.Letter{From: "soon@else.example"}, no)
	g.says(policytest.Letter{From: "pool@else.example", Client: "203.0.113.1"}, no)
	g.after(time.Hour).says(policytest.Letter{From: "back@else.example"})
	g.says(policytest.Letter{From: "pool@else.example", Client: "203.0.113.1"})
	g.wantTold()
	g.after(11 * time.Hour)
	g.wantTold("once@else.example user@ours.example first seen on 2026-11-23 12:00:00 from 192.0.2.0/24")
	g.wantTold()
	g.after(13 * time.Hour)
	g.wantTold()
	g.wantRows(2) // the two that are known
}

// wantTold lets time tell what did not come back: sender, recipient, cause.
func (g *greyRig) wantTold(want ...string) {
	g.Helper()
	g.Taken()
	g.Runner.Tick(g.Context())
	var got []string
	for _, e := range g.Taken() {
		if e.Action != policy.ActionNotRetried || e.Check != "greylist" {
			g.Errorf("event %+v", e)
		}
		got = append(got, e.Sender+" "+strings.Join(e.Recipients, ",")+" "+e.Cause)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		g.Errorf("%s: told %q, want %q", g.Now.Time().Sub(policytest.Noon), got, want)
	}
}

func FuzzReadPending(f *testing.F) {
	f.Add([]byte("2026-11-23T12:00:00.000Z refused retried passed"))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, value []byte) {
		p, ok := readPending(value)
		if !ok {
			return
		}
		if again, ok := readPending(p.value()); !ok || again != p {
			t.Errorf("%q reads as %+v, and that as %+v", value, p, again)
		}
	})
}

// Whom SPF vouches for need not wait, and teaches nothing. What SPF cannot tell vouches for nobody.
func TestGreylistSPF(t *testing.T) {
	const no = "rcpt " + greylisted
	known := policytest.Names{"pass.example TXT": "v=spf1 ip4:192.0.2.0/24 -all", "other.example TXT": "v=spf1 -all", "down.example TXT": "fail", "mx.pass.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
	g := newGreyRig(t, "--greylist-skip-spf=true")
	g.World.DNS, g.World.Lists, _ = known.Serve(t)
	g.says(policytest.Letter{From: "a@pass.example"})
	g.wantRows(0)
	g.says(policytest.Letter{From: "a@other.example"}, no)
	g.says(policytest.Letter{From: "a@down.example"}, no)
	g.says(policytest.Letter{From: "a@none.example"}, no)
	g.says(policytest.Letter{From: "<>", Helo: "mx.pass.example"})
	g.says(policytest.Letter{From: "<>", Helo: "mx.other.example"}, "end "+greylisted)
}

// What was only monitored is not told of, and leaves nothing behind where another check refuses it
// in the end.
func TestGreylistOfAPilot(t *testing.T) {
	g := newGreyRig(t, "--enforce-for=inline:{pilot@ours.example=x}")
	g.says(policytest.Letter{To: []string{"pilot@ours.example", "user@ours.example"}}, "rcpt "+greylisted)
	g.after(12*time.Hour + time.Minute)
	g.wantTold("sender@else.example pilot@ours.example first seen on 2026-11-23 12:00:00 from 192.0.2.0/24")

	g = newGreyRigOf(t, policytest.Only(Check, spam), "--greylist=monitor")
	g.says(policytest.Letter{Header: []string{"Spam: yes"}}, "end 550 5.7.1 spam")
	g.wantRows(0)
}
