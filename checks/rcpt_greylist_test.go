package checks

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

const greylisted = "451 4.7.1 Internal resource temporarily unavailable"

// greyRig is a policy with greylisting, a clock that can be moved, and a state that stays.
type greyRig struct {
	*testing.T
	*host
}

func newGreyRig(t *testing.T, flags ...string) *greyRig {
	return newGreyRigOf(t, only(Greylist), flags...)
}

// spam refuses messages with a field Spam.
var spam = refusesMessage("spam", func(m *policy.Message) bool { return len(m.Values("Spam")) > 0 })

func newGreyRigOf(t *testing.T, rig rig, flags ...string) *greyRig {
	return &greyRig{t, rig.host(t, append([]string{"--greylist=enforce", "--greylist-skip-spf=false"}, flags...)...)}
}

// after moves the clock.
func (g *greyRig) after(d time.Duration) *greyRig {
	g.host.after(d)
	return g
}

// says sends a letter and compares what is refused, one line each.
func (g *greyRig) says(l letter, want ...string) sent {
	g.Helper()
	got := g.send(l)
	if strings.Join(got.said, "\n") != strings.Join(want, "\n") {
		g.Errorf("%s: said %q, want %q", g.now.time().Sub(noon), got.said, want)
	}
	return got
}

func TestGreylistTimes(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	seen := g.says(letter{}, no)
	if want := `192.0.2.0/24 "sender@else.example" "user@ours.example": first seen`; len(seen.events) != 1 || seen.events[0].Cause != want {
		t.Errorf("events %v, want cause %s", seen.events, want)
	}
	g.after(59*time.Second).says(letter{}, no) // too soon, and the clock goes on
	g.after(time.Second).says(letter{client: "192.0.2.200"})
	g.after(35 * 24 * time.Hour).says(letter{}) // known, and renewed
	g.after(35 * 24 * time.Hour).says(letter{})
	g.after(37*24*time.Hour).says(letter{}, no) // forgotten

	g = newGreyRig(t)
	g.says(letter{}, no)
	g.after(12*time.Hour+time.Minute).says(letter{}, no) // after the window: the first time again
	g.after(30*time.Second).says(letter{}, no)
	g.after(30 * time.Second).says(letter{})

	g = newGreyRig(t, "--greylist-delay=0s", "--greylist-window=1h")
	g.says(letter{}, no)
	g.says(letter{})
}

func TestGreylistTriplet(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t, "--greylist-client-passes=0")
	g.says(letter{}, no)
	g.after(time.Minute)
	g.says(letter{client: "192.0.3.1"}, no)
	g.says(letter{from: "other@else.example"}, no)
	g.says(letter{to: []string{"other@ours.example"}}, no)
	g.says(letter{to: []string{"User+news@ours.example", "third@ours.example"}}, no) // each recipient has an answer of its own
	g.says(letter{client: "2001:db8:1:2::1"}, no)
	g.after(time.Minute)
	g.says(letter{client: "2001:db8:1:2:3::4"})
	g.says(letter{client: "2001:db8:1:3::1"}, no)
}

func TestGreylistPasses(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t, "--greylist-client-passes=3")
	var to, refused []string
	for i := range 3 {
		to = append(to, fmt.Sprintf("user%c@ours.example", 'a'+i))
		refused = append(refused, no)
	}
	g.says(letter{to: to}, refused...)
	g.after(time.Minute).says(letter{to: to[:2]})
	g.says(letter{from: "new@else.example"}, no) // two are not enough
	g.says(letter{to: to[2:]})
	g.says(letter{client: "192.0.2.77", from: "newer@else.example"})
	g.says(letter{client: "192.0.3.77", from: "newer@else.example"}, no)
	for client, want := range map[string]bool{"192.0.2.1": true, "192.0.3.77": false} {
		if _, known, err := g.world.State.Get(t.Context(), knownNetKey(netip.MustParseAddr(client))); known != want || err != nil {
			t.Errorf("%s is a known net: %t, %v, want %t", client, known, err, want)
		}
	}
	for range 3 {
		g.after(30 * 24 * time.Hour).says(letter{from: "newest@else.example"}) // renewed by use
	}
	g.after(37*24*time.Hour).says(letter{from: "newest@else.example"}, no)
}

func TestGreylistNullSender(t *testing.T) {
	const no = "end " + greylisted
	bounce := func(to ...string) letter { return letter{from: "<>", to: to} }
	g := newGreyRig(t)
	seen := g.says(bounce("a@ours.example", "b@ours.example"), no)
	if len(seen.events) != 1 || seen.events[0].Count != 2 {
		t.Errorf("events %v, want one for both", seen.events)
	}
	g.after(time.Minute).says(bounce("a@ours.example", "c@ours.example")) // one of them is known now
	g.says(bounce("c@ours.example"), no)
	g.says(bounce("b@ours.example"))

	// Bad behaviour under the null sender is not counted, so good behaviour under it lets nobody off either.
	client := netip.MustParseAddr("192.0.2.1")
	if _, known, err := g.world.State.Get(t.Context(), knownNetKey(client)); known || err != nil {
		t.Errorf("%s is a known net, %v", client, err)
	}
}

// What another check refuses leaves no triplet, and renews none.
func TestGreylistOtherChecks(t *testing.T) {
	const no = "rcpt " + greylisted
	bad := letter{header: []string{"Spam: yes"}}
	blocked := refuses("blocked", func(r *policy.Recipient) bool { return r.Msg.Sender.Key() == "bad@else.example" })
	g := newGreyRigOf(t, only(blocked, Greylist, spam))
	g.says(letter{from: "bad@else.example"}, "rcpt 550 5.7.1 blocked")
	g.wantRows(0)
	g.says(bad, no) // deferred before its header is seen
	g.after(time.Minute).says(bad, "end 550 5.7.1 spam")
	g.wantRows(1) // still waiting
	g.says(letter{})
	g.after(20*24*time.Hour).says(bad, "end 550 5.7.1 spam")
	g.after(20*24*time.Hour).says(letter{}, no) // it has not been renewed
}

// wantRows counts what is remembered of triplets.
func (g *greyRig) wantRows(want int) {
	g.Helper()
	n := 0
	for _, space := range []string{greylistKnownSpace, greylistPendingSpace} {
		list, err := g.world.State.List(g.Context(), state.Prefix(space), "", 100)
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
	only(Greylist).play(t, []string{"--greylist=enforce", "--greylist-skip-spf=false"}, []scenario{
		{name: "stranger", mail: letter{}, said: no, events: "greylist deferred"},
		{name: "trusted", mail: letter{client: "127.0.0.1"}},
		{name: "login", mail: letter{login: "bob"}},
		{name: "local submission", mail: letter{client: "none"}},
		{name: "relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, mail: letter{}},
		{name: "abuse", mail: letter{to: []string{"abuse@ours.example"}}},
		{name: "permitted client", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, mail: letter{}},
		{name: "client", flags: []string{"--greylist-bypass=cidr:" + file(t, "nets", "192.0.2.0/24 OK\n")}, mail: letter{}},
		{name: "sender", flags: []string{"--greylist-bypass=inline:{else.example=OK}"}, mail: letter{}},
		{name: "recipient", flags: []string{"--greylist-bypass=inline:{user@ours.example=OK}"}, mail: letter{to: []string{"user@ours.example", "b@ours.example"}}, said: no},
		{name: "exception", flags: []string{"--greylist-bypass=inline:{ {sender@else.example=DUNNO} {else.example=OK} }"}, mail: letter{}, said: no},
		{name: "monitor", flags: []string{"--greylist=monitor"}, mail: letter{}, events: "greylist would refuse"},
		{name: "by default", flags: []string{"--greylist=monitor"}, mail: letter{from: "<>"}, events: "greylist would refuse"},
		{name: "pilot", flags: []string{"--enforce-for=inline:{a@ours.example=x}"}, mail: letter{to: []string{"a@ours.example", "b@ours.example"}}, said: no, events: "greylist deferred\ngreylist would refuse"},
	})
	for flag, words := range map[string]string{
		"--greylist-ipv4=33": "--greylist-ipv4", "--greylist-ipv6=0": "--greylist-ipv6", "--greylist-window=1m": "--greylist-window",
		"--greylist-keep=1s": "--greylist-keep", "--greylist-bypass=inline:{a=REJECT}": "--greylist-bypass",
	} {
		only(Greylist).wantError(t, words, "--greylist=enforce", flag)
	}
}

// Monitor mode learns as enforce would.
func TestGreylistMonitorLearns(t *testing.T) {
	g := newGreyRig(t, "--greylist=monitor")
	for i, want := range []int{1, 1, 0} {
		if got := g.says(letter{}); len(got.events) != want {
			t.Errorf("mail %d: %d events, want %d", i, len(got.events), want)
		}
		g.after(40 * time.Second)
	}
	g.after(20 * time.Hour)
	g.wantTold()
}

// The state that is down: the mail goes on, or waits where that is wanted.
func TestGreylistDown(t *testing.T) {
	for flag, want := range map[string]string{"accept": "", "defer": "rcpt " + greylisted} {
		world := newWorld()
		store := &fallible{Store: world.State}
		store.down.Store(true)
		world.State = store
		p, err := only(Greylist).build(world, "--greylist=enforce", "--greylist-on-error="+flag)
		if err != nil {
			t.Fatal(err)
		}
		s := newHost(t, world, p)
		got := s.send(letter{})
		if strings.Join(got.said, "\n") != want || len(got.events) != 1 || got.events[0].Err == "" {
			t.Errorf("%s: said %q, events %+v", flag, got.said, got.events)
		}
	}
}

func TestGreylistNotRetried(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	g.says(letter{from: "once@else.example"}, no)
	g.says(letter{from: "soon@else.example"}, no)
	g.says(letter{from: "pool@else.example"}, no)
	g.says(letter{from: "back@else.example"}, no)
	g.after(30 * time.Second)
	g.says(letter{from: "soon@else.example"}, no)
	g.says(letter{from: "pool@else.example", client: "203.0.113.1"}, no)
	g.after(time.Hour).says(letter{from: "back@else.example"})
	g.says(letter{from: "pool@else.example", client: "203.0.113.1"})
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
	g.taken()
	g.runner.Tick(g.Context())
	var got []string
	for _, e := range g.taken() {
		if e.Action != policy.ActionNotRetried || e.Check != "greylist" {
			g.Errorf("event %+v", e)
		}
		got = append(got, e.Sender+" "+strings.Join(e.Recipients, ",")+" "+e.Cause)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		g.Errorf("%s: told %q, want %q", g.now.time().Sub(noon), got, want)
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
	known := names{"pass.example TXT": "v=spf1 ip4:192.0.2.0/24 -all", "other.example TXT": "v=spf1 -all", "down.example TXT": "fail", "mx.pass.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
	g := newGreyRig(t, "--greylist-skip-spf=true")
	g.world.DNS, g.world.Lists, _ = known.serve(t)
	g.says(letter{from: "a@pass.example"})
	g.wantRows(0)
	g.says(letter{from: "a@other.example"}, no)
	g.says(letter{from: "a@down.example"}, no)
	g.says(letter{from: "a@none.example"}, no)
	g.says(letter{from: "<>", helo: "mx.pass.example"})
	g.says(letter{from: "<>", helo: "mx.other.example"}, "end "+greylisted)
}

// What was only monitored is not told of, and leaves nothing behind where another check refuses it in the end.
func TestGreylistOfAPilot(t *testing.T) {
	g := newGreyRig(t, "--enforce-for=inline:{pilot@ours.example=x}")
	g.says(letter{to: []string{"pilot@ours.example", "user@ours.example"}}, "rcpt "+greylisted)
	g.after(12*time.Hour + time.Minute)
	g.wantTold("sender@else.example pilot@ours.example first seen on 2026-11-23 12:00:00 from 192.0.2.0/24")

	g = newGreyRigOf(t, only(Greylist, spam), "--greylist=monitor")
	g.says(letter{header: []string{"Spam: yes"}}, "end 550 5.7.1 spam")
	g.wantRows(0)
}
