package greylist

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// takesOver has the rig's state take over what another program remembers.
func (g *greyRig) takesOver(in Imported, want ImportCount) {
	g.Helper()
	got, err := g.takeOver(in)
	if err != nil || got != want {
		g.Errorf("took over %+v, %v, want %+v", got, err, want)
	}
}

func (g *greyRig) takeOver(in Imported) (ImportCount, error) {
	ipv4, ipv6, passes := 24, 64, 5
	o := &options{ipv4: &ipv4, ipv6: &ipv6, passes: &passes}
	return o.takeOver(g.Context(), &policy.Call{Backends: &policy.Backends{State: g.World.State, Clock: g.Now.Time}, Delimiter: "+"}, in)
}

// who makes an imported triplet of the usual letter, with another sender.
func (g *greyRig) who(sender string, passed bool, since, life time.Duration) ImportedTriplet {
	now := g.Now.Time()
	return ImportedTriplet{
		Client: netip.MustParseAddr("192.0.2.0"), Sender: sender, Recipient: "User+any@Ours.example",
		Passed: passed, First: now.Add(-since), Until: now.Add(life),
	}
}

// Who has passed elsewhere does not wait here, and who waits need not wait from the beginning.
func TestImported(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	in := Imported{IPv4: 24, IPv6: 64, Triplets: []ImportedTriplet{
		g.who("passed@else.example", true, time.Hour, 30*24*time.Hour),
		g.who("bounces@else.example", true, time.Hour, 30*24*time.Hour),
		g.who("list-#@else.example", true, time.Hour, 30*24*time.Hour),
		g.who("", true, time.Hour, 30*24*time.Hour),
		g.who("waits@else.example", false, 10*time.Minute, 11*time.Hour),
		g.who("soon@else.example", false, 10*time.Second, 11*time.Hour),
		g.who("old@else.example", true, 50*24*time.Hour, 0),
	}}
	g.takesOver(in, ImportCount{Known: 4, Waiting: 2, Ended: 1})
	g.takesOver(in, ImportCount{Known: 4, Waiting: 2, Ended: 1}) // once more is the same
	g.wantRows(6)
	for _, sender := range []string{"passed", "bounces+77=x", "bounces", "list-4711", "waits"} {
		g.says(policytest.Letter{From: sender + "@else.example"})
	}
	g.says(policytest.Letter{From: "<>"})
	for _, sender := range []string{"soon", "old", "new", "passed2+x"} {
		g.says(policytest.Letter{From: sender + "@else.example"}, no)
	}
	g.says(policytest.Letter{From: "passed@else.example", Client: "198.51.100.1"}, no)

	// One that has passed here stays as long as ever, and its extension counts here.
	g.after(29 * 24 * time.Hour).says(policytest.Letter{From: "bounces+78=x@else.example"})
	g.after(29 * 24 * time.Hour).says(policytest.Letter{From: "bounces+79=x@else.example"})
	g.says(policytest.Letter{From: "own@else.example"}, no)
	g.after(time.Minute).says(policytest.Letter{From: "own@else.example"})
	g.says(policytest.Letter{From: "own+x@else.example"}, no)
}

// What is known already stays known as long as it was.
func TestImportedShortensNothing(t *testing.T) {
	g := newGreyRig(t)
	g.says(policytest.Letter{}, "rcpt "+greylisted)
	g.after(time.Minute).says(policytest.Letter{})
	sender := "sender@else.example"
	g.takesOver(Imported{IPv4: 24, IPv6: 64, Triplets: []ImportedTriplet{g.who(sender, true, time.Hour, time.Hour), g.who(sender, false, time.Hour, time.Hour)}}, ImportCount{Known: 2})
	g.after(35 * 24 * time.Hour).says(policytest.Letter{})
}

func TestImportedClients(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	until := g.Now.Time().Add(time.Hour)
	client := func(address string, passes int, known bool) ImportedClient {
		return ImportedClient{netip.MustParseAddr(address), passes, known, until}
	}
	ended := client("203.0.113.1", 9, true)
	ended.Until = g.Now.Time()
	g.takesOver(Imported{IPv4: 32, IPv6: 128, Clients: []ImportedClient{
		client("192.0.2.9", 2, true), client("192.0.2.10", 1, false), client("198.51.100.1", 4, false), client("2001:db8::1", 7, false), ended,
	}}, ImportCount{Clients: 4, Ended: 1})
	for address, want := range map[string][]string{"192.0.2.77": nil, "198.51.100.1": {no}, "203.0.113.1": {no}, "2001:db8::2": nil} {
		g.says(policytest.Letter{Client: address}, want...)
	}
	// A count goes on from where it was.
	g.after(time.Minute).says(policytest.Letter{Client: "198.51.100.1"})
	g.says(policytest.Letter{Client: "198.51.100.1", From: "another@else.example"})
	g.takesOver(Imported{IPv4: 24, IPv6: 64, Clients: []ImportedClient{client("198.51.100.1", 1, false)}}, ImportCount{Clients: 1})
	if value, _, _ := g.World.State.Get(t.Context(), clientPassesKey("198.51.100.0/24")); string(value) != "5" {
		t.Errorf("the count is %q, want 5", value)
	}
}

// Nets that are smaller here would have mail wait again from the rest of each.
func TestImportedIntoSmallerNets(t *testing.T) {
	g := newGreyRig(t)
	var wrong *policy.WrongError
	for _, in := range []Imported{{IPv4: 16, IPv6: 64}, {IPv4: 24, IPv6: 48}} {
		if _, err := g.takeOver(in); !errors.As(err, &wrong) {
			t.Errorf("nets of /%d and /%d: %v", in.IPv4, in.IPv6, err)
		}
	}
	if list, err := g.World.State.List(t.Context(), state.Prefix(knownSpace), "", 10); len(list) > 0 || err != nil {
		t.Errorf("%v, %v is remembered", list, err)
	}
}
