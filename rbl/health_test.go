package rbl

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// What the self-test finds in each way that lists have died.
func TestSelfTest(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		zone string
		b    behaviour
		opt  SetOptions
		why  string // empty: asked
	}{
		{"in order", Addresses, "bl.example", honest(nil), SetOptions{}, ""},
		{"in order, names", Domains, "bl.example", honest(nil), SetOptions{}, ""},
		{"lists the world", Addresses, "bl.example", always("A 127.0.0.2"), SetOptions{}, "self-test: it lists 1.0.0.127"},
		{"lists the world of names", Domains, "bl.example", always("A 127.0.0.2"), SetOptions{}, "self-test: it lists invalid"},
		{"parked", Addresses, "bl.example", always("A 192.0.2.80"), SetOptions{}, "self-test: answer 192.0.2.80 is outside"},
		{"parked, without test entries", Addresses, "bl.example", always("A 192.0.2.80"), SetOptions{NoSelfTest: []string{"bl.example"}}, "self-test: answer 192.0.2.80 is outside"},
		{"emptied", Addresses, "bl.example", func(_ string, m *dns.Msg, _ bool) [][]byte { return one(nx(m)) }, SetOptions{}, "self-test: its test entry is not listed"},
		{"emptied, without test entries", Addresses, "bl.example", func(_ string, m *dns.Msg, _ bool) [][]byte { return one(nx(m)) }, SetOptions{NoSelfTest: []string{"bl.example"}}, ""},
		{"silent", Addresses, "bl.example", silent, SetOptions{}, "no-answers: its test was not answered: no answer in time"},
		{"silent, without test entries", Addresses, "bl.example", silent, SetOptions{NoSelfTest: []string{"bl.example"}}, "no-answers: its test was not answered"},
		{"refuses", Addresses, "bl.example", code4(dns.RcodeRefused), SetOptions{}, "no-answers: its test was not answered: refused"},
		{"over quota", Addresses, "bl.example", always("A 127.255.255.255"), SetOptions{}, "self-test: answer 127.255.255.255 is an error code: too many questions"},
		{"unknown code", Addresses, "zen.spamhaus.org", honest(map[string][]string{"2.0.0.127": {"A 127.0.0.99"}}), SetOptions{}, "self-test: answer 127.0.0.99 is not one of the codes of zen.spamhaus.org"},
		{"known to lack test entries", Addresses, "hostkarma.junkemailfilter.com", honest(map[string][]string{"1.0.0.127": {"A 127.0.0.1"}, "2.0.0.127": {}}), SetOptions{}, ""},
		{"special test code", Addresses, "list.dnswl.org*-1", honest(map[string][]string{"2.0.0.127": {"A 127.0.10.0"}, testKey(listed6): {"A 127.0.10.0"}}), SetOptions{}, ""},
		{"test name of its own", Domains, "dbl.spamhaus.org", honest(map[string][]string{"dbltest.com": {"A 127.0.1.2"}, "test": {}}), SetOptions{}, ""},
		{"IPv6 lists the world", Addresses, "bl.example", honest(map[string][]string{testKey(unlisted6): {"A 127.0.0.2"}}), SetOptions{}, "self-test: it lists 1.0.0.0.0.0.f.7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			zone, _, _ := strings.Cut(tt.zone, "*")
			b.liar.set(zone, tt.b)
			b.setOf(t, tt.kind, tt.opt, tt.zone)
			s := b.lists.Status()[0]
			if s.Asked != (tt.why == "") || !strings.HasPrefix(s.Why, tt.why) {
				t.Errorf("asked %v: %q, want %q", s.Asked, s.Why, tt.why)
			}
			changes := b.log.take()
			if (changes == "") != (tt.why == "") || strings.Contains(changes, "\n") {
				t.Errorf("changes: %q", changes)
			}
		})
	}
}

// A list without the IPv6 test entry is asked about IPv4 clients only, unless it is documented to know IPv6.
func TestIPv4OnlyList(t *testing.T) {
	noSix := map[string][]string{
		testKey(netip.MustParseAddr("2001:db8::99")): {"A 127.0.0.2"}, "99.2.0.192": {"A 127.0.0.2"},
	}
	for zone, want := range map[string]Verdict{"bl.example": NotListed, "zen.spamhaus.org": Listed} {
		b := newBench(t)
		b.liar.set(zone, func(key string, m *dns.Msg, tcp bool) [][]byte {
			if key == testKey(listed6) {
				return one(nx(m))
			}
			return honest(noSix)(key, m, tcp)
		})
		s := b.set(t, SetOptions{}, zone)
		if r := look(t, s, "192.0.2.99"); r.Verdict != Listed {
			t.Errorf("%s, IPv4: %v", zone, r.Verdict)
		}
		if r := look(t, s, "2001:db8::99"); r.Verdict != want {
			t.Errorf("%s, IPv6: %v, want %v", zone, r.Verdict, want)
		}
		if six := b.lists.Status()[0].IPv6; six != (want == Listed) {
			t.Errorf("%s: status says IPv6 %v", zone, six)
		}
	}
}

// Tests run hourly; one that fails rests the list and is tried again after a minute, two, four; each change is told once.
func TestSelfTestSchedule(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	tests := func() int { return b.liar.count("A 1.0.0.127.bl.example") }
	step := func(d time.Duration, wantTests int, wantChanges string) {
		t.Helper()
		b.clock.advance(d)
		before := tests()
		b.lists.startDue().Wait()
		if n := tests() - before; n != wantTests {
			t.Errorf("after %v: %d tests, want %d", d, n, wantTests)
		}
		if got := b.log.take(); got != wantChanges {
			t.Errorf("after %v: changes %q, want %q", d, got, wantChanges)
		}
	}
	step(59*time.Minute, 0, "")
	step(time.Minute, 1, "")
	b.liar.set("bl.example", always("A 127.0.0.2"))
	step(time.Hour, 1, "bl.example self-test begins: it lists 1.0.0.127, which no list may: it answers 127.0.0.2")
	if r := look(t, s, "192.0.2.98"); r.Verdict != NotListed || r.Lists[0].State != Resting {
		t.Errorf("while the test fails: %v, %v", r.Verdict, r.Lists[0].State)
	}
	step(59*time.Second, 0, "")
	step(time.Second, 1, "")
	step(time.Minute, 0, "")
	step(time.Minute, 1, "")
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	step(4*time.Minute, 1, "bl.example self-test ends: it lists 1.0.0.127, which no list may: it answers 127.0.0.2")
	if r := look(t, s, "192.0.2.99"); r.Verdict != Listed {
		t.Errorf("after the test passed: %v", r.Verdict)
	}
	step(59*time.Minute, 0, "")
	step(time.Minute, 1, "")
}

// Ten failures in a row rest a list, whatever kind they are; an answer between starts the count again; the test ends the rest.
func TestNoAnswersBreaker(t *testing.T) {
	for name, bad := range map[string]behaviour{
		"SERVFAIL": code4(dns.RcodeServerFailure), "error code": always("A 127.255.255.254"), "parked": always("A 192.0.2.80"),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.liar.set("bl.example", except(bad))
			s := b.set(t, SetOptions{}, "bl.example")
			b.liar.set("good.example", honest(nil))
			for i := range failureLimit {
				if !b.lists.Status()[0].Asked {
					t.Fatalf("rests after %d failures", i)
				}
				look(t, s, fmt.Sprintf("192.0.2.%d", i))
				look(t, s, fmt.Sprintf("192.0.2.%d", i)) // the same failure again, from the cache: not counted
			}
			st := b.lists.Status()[0]
			if st.Asked || !strings.HasPrefix(st.Why, "no-answers: ") {
				t.Fatalf("still asked after %d failures: %q", failureLimit, st.Why)
			}
			before := b.liar.questions()
			look(t, s, "192.0.2.200")
			if b.liar.questions() != before {
				t.Error("asked while resting")
			}
			b.log.take()
			b.clock.advance(firstRetry)
			b.lists.startDue().Wait()
			if got := b.log.take(); !strings.HasPrefix(got, "bl.example no-answers ends") {
				t.Errorf("after the test: %q", got)
			}
		})
	}
}

func TestAnswerEndsRowOfFailures(t *testing.T) {
	b := newBench(t)
	good := map[string]bool{"5.2.0.192": true}
	b.liar.set("bl.example", except(func(key string, m *dns.Msg, tcp bool) [][]byte {
		if good[key] {
			return one(nx(m))
		}
		return code4(dns.RcodeServerFailure)(key, m, tcp)
	}))
	s := b.set(t, SetOptions{}, "bl.example")
	for i := range failureLimit + 2 {
		look(t, s, fmt.Sprintf("192.0.2.%d", i))
	}
	if st := b.lists.Status()[0]; !st.Asked || st.Errors != failureLimit+1 {
		t.Errorf("asked %v, %d errors", st.Asked, st.Errors)
	}
}

// A list that is silent is given up at each caller's deadline, and after ten of those it costs nobody any more time.
func TestSilentListIsRested(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", except(silent))
	s := b.set(t, SetOptions{}, "bl.example")
	for i := range failureLimit {
		r := lookFor(s, fmt.Sprintf("192.0.2.%d", i), 20*time.Millisecond)
		if r.Verdict != Unknown || r.Lists[0].Err == nil || !strings.Contains(r.Lists[0].Err.Error(), "no answer in time") {
			t.Fatalf("%v, %v", r.Verdict, r.Lists[0].Err)
		}
	}
	r := lookFor(s, "192.0.2.99", time.Minute)
	if r.Verdict != NotListed || r.Lists[0].State != Resting {
		t.Errorf("%v, %v", r.Verdict, r.Lists[0].State)
	}
}

// A caller who goes away is no failure of the list.
func TestCancelIsNoFailure(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", except(silent))
	s := b.set(t, SetOptions{}, "bl.example")
	for i := range 2 * failureLimit {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := s.Lookup(ctx, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		if r.Lists[0].State != NotAsked || r.Verdict != Unknown {
			t.Fatalf("%v, %v", r.Lists[0].State, r.Verdict)
		}
	}
	if st := b.lists.Status()[0]; !st.Asked || st.Errors != 0 {
		t.Errorf("asked %v, %d errors", st.Asked, st.Errors)
	}
}

// The world listed, test entries in order: the list rests at the 20th net known to be good, for an hour.
func TestKnownGoodBreaker(t *testing.T) {
	b := newBench(t)
	b.liar.set("world.example", except(always("A 127.0.0.2")))
	b.liar.set("fair.example", honest(map[string][]string{"0.2.0.192": {"A 127.0.0.2"}, "1.2.0.192": {"A 127.0.0.2"}}))
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
	b.clock.advance(59 * time.Minute)
	b.lists.startDue().Wait()
	if got := b.log.take(); got != "" {
		t.Errorf("too early: %q", got)
	}
	b.clock.advance(time.Minute)
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
	li := &list{zone: "bl.example", causes: map[Cause]rest{}}
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

func TestManualRest(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	look(t, s, "192.0.2.99")
	if err := b.lists.Rest("bl.example", time.Hour, "maintenance"); err != nil {
		t.Fatal(err)
	}
	if r := look(t, s, "192.0.2.99"); r.Verdict != NotListed || r.Lists[0].Why != "manual: maintenance" {
		t.Errorf("%v %q", r.Verdict, r.Lists[0].Why)
	}
	b.clock.advance(time.Hour)
	b.lists.startDue().Wait()
	if err := b.lists.Rest("bl.example", 0, "again"); err != nil {
		t.Fatal(err)
	}
	if err := b.lists.Resume("bl.example"); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"bl.example manual begins: maintenance", "bl.example manual ends: maintenance",
		"bl.example manual begins: again", "bl.example manual ends: again",
	}, "\n")
	if d := cmp.Diff(want, b.log.take()); d != "" {
		t.Error(d)
	}
	if err := b.lists.Rest("other.example", 0, ""); err == nil {
		t.Error("rested a list that is not there")
	}
}

// A reload makes the new set first and closes the old one then: health, counters and answers stay, and nothing is tested again.
func TestReloadKeepsHealth(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2", `TXT "why"`}}))
	old := b.set(t, SetOptions{}, "bl.example")
	look(t, old, "192.0.2.99")
	before := b.liar.questions()
	next := b.set(t, SetOptions{Threshold: 2}, "bl.example=127.0.0.2*2")
	old.Close()
	if r := look(t, next, "192.0.2.99"); r.Verdict != Listed || r.Score != 2 || r.Reason != "why" {
		t.Errorf("%v %d %q", r.Verdict, r.Score, r.Reason)
	}
	if n := b.liar.questions() - before; n != 0 {
		t.Errorf("%d new questions", n)
	}
	if st := b.lists.Status(); len(st) != 1 || st[0].Hits != 2 {
		t.Errorf("%+v", st)
	}
	next.Close()
	if st := b.lists.Status(); len(st) != 0 {
		t.Errorf("closed lists remain: %+v", st)
	}
}

// What was remembered of a client is forgotten when a list's health changes or an answer's time is over.
func TestRememberedResults(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	first := look(t, s, "192.0.2.99")
	if look(t, s, "192.0.2.99") != first {
		t.Error("not remembered")
	}
	b.clock.advance(300 * time.Second)
	if look(t, s, "192.0.2.99") == first {
		t.Error("remembered past the TTL")
	}
	if n := b.liar.count("A 99.2.0.192.bl.example"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// A list that is slow to answer its test keeps no other from being tested.
func TestTestsDoNotWaitForEachOther(t *testing.T) {
	l := newLiar(t)
	l.set("slow.example", silent)
	l.set("good.example", honest(nil))
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Hour, QuestionTimeout: time.Hour}, l.addr)
	lists := NewLists(r, ListsOptions{Tick: time.Hour})
	t.Cleanup(lists.Close)
	b := &bench{lists: lists}
	entries, err := Parse(Addresses, []string{"slow.example"})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := lists.NewSet(entries, SetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slow.Close)
	waitFor(t, func() bool { return l.count("A 1.0.0.127.slow.example") > 0 })
	good := b.set(t, SetOptions{}, "good.example")
	if res := look(t, slow, "192.0.2.99"); res.Lists[0].Why != "untested: not tested yet" || res.Verdict != NotListed {
		t.Errorf("%v %q", res.Verdict, res.Lists[0].Why)
	}
	if res := look(t, good, "192.0.2.99"); res.Lists[0].State != Clear {
		t.Errorf("%v", res.Lists[0].State)
	}
}
