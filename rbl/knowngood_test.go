package rbl

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

// The world listed, test entries in order: the list is suspended at the 20th net known to be good,
// for an hour.
func TestKnownGoodBreaker(t *testing.T) {
	b := newBench(t)
	b.liar.Set("world.example", except(dnstest.Always("A 127.0.0.2")))
	b.liar.Set("fair.example", honest(map[string][]string{"0.2.0.192": {"A 127.0.0.2"}, "1.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{Complete: true}, "world.example", "fair.example")
	refused := 0
	for i := range 40 {
		client := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		for range 3 { // the same net again changes nothing
			r := look(t, s, client.String())
			b.lists.KnownGood(client, r.Hits())
			if r.Verdict == Listed {
				refused++
			}
		}
	}
	if refused != 3*knownGoodNets-2 {
		t.Errorf("%d answers were \"listed\" before the breaker saw it, want %d", refused, 3*knownGoodNets-2)
	}
	want := "world.example known-good begins: it lists 20 of 20 nets whose mail was known to be good in the last hour"
	if got := b.log.take(); got != want {
		t.Errorf("%q", got)
	}
	b.clock.Advance(59 * time.Minute)
	b.lists.startDue().Wait()
	if got := b.log.take(); got != "" {
		t.Errorf("too early: %q", got)
	}
	b.clock.Advance(time.Minute)
	b.lists.startDue().Wait()
	if got := b.log.take(); !strings.HasPrefix(got, "world.example known-good ends") {
		t.Errorf("%q", got)
	}
	st := b.lists.Status()
	if st[0].Zone != "fair.example" || st[0].KnownGood != 6 || st[1].KnownGood != 58 || st[0].Overlap["world.example"] != 2 {
		t.Errorf("%+v", st)
	}
}

// A net is an IPv4 address or an IPv6 /64, each counted once in its hour.
func TestKnownGoodNets(t *testing.T) {
	var g goodNets
	now := time.Unix(0, 0)
	li := &list{zone: "bl.example", causes: map[Cause]suspension{}}
	prefix := func(s string) netip.Prefix { return netip.MustParsePrefix(s) }
	for i := range 3 * knownGoodNets {
		if got := g.note(now, prefix("192.0.2.1/32"), []*list{li}); got != nil {
			t.Fatalf("one net, report %d: %v", i, got)
		}
	}
	for i := range 4*knownGoodNets - 1 { // 80 nets, 20 hit: exactly a quarter
		var hit []*list
		if i >= 60 {
			hit = []*list{li}
		}
		if got := g.note(now, prefix(fmt.Sprintf("198.51.100.%d/32", i)), hit); got != nil {
			t.Fatalf("net %d: %v", i, got)
		}
	}
	if g.hits[li] != 20 || len(g.nets) != 80 {
		t.Fatalf("%d of %d", g.hits[li], len(g.nets))
	}
	if got := g.note(now, prefix("203.0.113.1/32"), []*list{li}); len(got) != 1 {
		t.Error("21 of 81 does not trip")
	}
	g.note(now.Add(knownGoodSpan), prefix("203.0.113.2/32"), nil)
	if g.hits[li] != 0 || len(g.nets) != 1 {
		t.Errorf("after an hour: %d of %d", g.hits[li], len(g.nets))
	}
}
