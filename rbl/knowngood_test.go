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
			b.lists.KnownGood(client, fmt.Sprintf("sender%d.example", i/2), r.Hits())
			if r.Verdict == Listed {
				refused++
			}
		}
	}
	if refused != 3*knownGoodNets-2 {
		t.Errorf("%d answers were \"listed\" before the breaker saw it, want %d", refused, 3*knownGoodNets-2)
	}
	want := "world.example known-good begins: it lists 20 of 20 nets whose mail was known to be good in the last hour, of 10 sender domains"
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
	sender := func(i int) string { return fmt.Sprintf("sender%d.example", i/2) }
	prefix := func(s string) netip.Prefix { return netip.MustParsePrefix(s) }
	for i := range 3 * knownGoodNets {
		if got := g.note(now, prefix("192.0.2.1/32"), sender(1000), []*list{li}); got != nil {
			t.Fatalf("one net, report %d: %v", i, got)
		}
	}
	for i := range 4*knownGoodNets - 1 { // 80 nets, 20 hit: exactly a quarter
		var hit []*list
		if i >= 60 {
			hit = []*list{li}
		}
		if got := g.note(now, prefix(fmt.Sprintf("198.51.100.%d/32", i)), sender(i), hit); got != nil {
			t.Fatalf("net %d: %v", i, got)
		}
	}
	if g.hits[li].nets != 20 || len(g.nets) != 80 {
		t.Fatalf("%d of %d", g.hits[li].nets, len(g.nets))
	}
	if got := g.note(now, prefix("203.0.113.1/32"), sender(100), []*list{li}); len(got) != 1 {
		t.Error("21 of 81 does not trip")
	}
	g.note(now.Add(knownGoodSpan), prefix("203.0.113.2/32"), sender(101), nil)
	if len(g.hits) != 0 || len(g.nets) != 1 || len(g.senders) != 1 {
		t.Errorf("after an hour: %v of %d nets and %d senders", g.hits, len(g.nets), len(g.senders))
	}
}

// TestKnownGoodOfOne: nobody who has one domain, and found one user to write to it, can have a list
// suspended by sending from where the list rightly lists him; and a list that lists the world is
// found out all the same.
func TestKnownGoodOfOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		listed func(i int) (domain string) // of the listed nets, 40 of them
		clean  int                         // nets of as many other domains that are not listed
		want   string
	}{
		{"one domain", func(int) string { return "bots.example" }, 0, ""},
		{"one domain beside good ones", func(int) string { return "bots.example" }, 19, ""},
		{"its subdomains", func(i int) string { return fmt.Sprintf("a%d.bots.example", i) }, 0, ""},
		{"upper case and the root's dot", func(i int) string { return []string{"bots.example", "BOTS.example", "bots.example."}[i%3] }, 0, ""},
		{"names of a hosting provider", func(i int) string { return fmt.Sprintf("a%d.blogspot.com", i) }, 0, ""},
		{"four domains beside good ones", func(i int) string { return fmt.Sprintf("bots%d.example", i%4) }, 12, ""},
		{"nine domains", func(i int) string { return fmt.Sprintf("bots%d.example", i%9) }, 0, ""},
		{"five domains beside good ones", func(i int) string { return fmt.Sprintf("mail%d.example", i%5) }, 10, "10 of 20 nets whose mail was known to be good in the last hour, of 5 sender domains"},
		{"the world", func(i int) string { return fmt.Sprintf("mail%d.example", i/2) }, 0, "20 of 20 nets whose mail was known to be good in the last hour, of 10 sender domains"},
		{"the world, a net for each", func(i int) string { return fmt.Sprintf("mail%d.co.uk", i) }, 0, "20 of 20 nets whose mail was known to be good in the last hour, of 20 sender domains"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.liar.Set("bl.example", except(dnstest.Always("A 127.0.0.2")))
			b.set(t, SetOptions{Complete: true}, "bl.example")
			for i := range c.clean {
				b.lists.KnownGood(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), fmt.Sprintf("clean%d.example", i), nil)
			}
			for i := range 40 {
				b.lists.KnownGood(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), c.listed(i), []string{"bl.example"})
			}
			want := ""
			if c.want != "" {
				want = "bl.example known-good begins: it lists " + c.want
			}
			if got := b.log.take(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestRegistered(t *testing.T) {
	for domain, want := range map[string]string{
		"a.example": "a.example", "x.y.a.example": "a.example", "A.Example.": "a.example", "x.a.co.uk": "a.co.uk",
		"x.blogspot.com": "blogspot.com", "y.x.github.io": "github.io", "com": "com", "": "",
	} {
		if got := registered(domain); got != want {
			t.Errorf("%q: %q, want %q", domain, got, want)
		}
	}
}
