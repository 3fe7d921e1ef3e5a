package rbl

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
)

// What the self-test finds in each way that lists have died.
func TestSelfTest(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		zone string
		b    dnstest.Behaviour
		opt  SetOptions
		why  string // empty: asked
	}{
		{"in order", Addresses, "bl.example", honest(nil), SetOptions{}, ""},
		{"in order, names", Domains, "bl.example", honest(nil), SetOptions{}, ""},
		{"lists the world", Addresses, "bl.example", dnstest.Always("A 127.0.0.2"), SetOptions{}, "self-test: it lists 1.0.0.127"},
		{"lists the world of names", Domains, "bl.example", dnstest.Always("A 127.0.0.2"), SetOptions{}, "self-test: it lists invalid"},
		{"parked", Addresses, "bl.example", dnstest.Always("A 192.0.2.80"), SetOptions{}, "self-test: answer 192.0.2.80 is outside"},
		{"parked, without test entries", Addresses, "bl.example", dnstest.Always("A 192.0.2.80"), SetOptions{NoSelfTest: []string{"bl.example"}}, "self-test: answer 192.0.2.80 is outside"},
		{"emptied", Addresses, "bl.example", func(_ string, m *dnstest.Msg, _ bool) [][]byte { return dnstest.One(dnstest.NX(m)) }, SetOptions{}, "self-test: its test entry is not listed"},
		{"emptied, without test entries", Addresses, "bl.example", func(_ string, m *dnstest.Msg, _ bool) [][]byte { return dnstest.One(dnstest.NX(m)) }, SetOptions{NoSelfTest: []string{"bl.example"}}, ""},
		{"silent", Addresses, "bl.example", dnstest.Silent, SetOptions{}, "no-answers: its test was not answered: no answer in time"},
		{"silent, without test entries", Addresses, "bl.example", dnstest.Silent, SetOptions{NoSelfTest: []string{"bl.example"}}, "no-answers: its test was not answered"},
		{"refuses", Addresses, "bl.example", dnstest.Code(dnstest.Refused), SetOptions{}, "no-answers: its test was not answered: refused"},
		{"over quota", Addresses, "bl.example", dnstest.Always("A 127.255.255.255"), SetOptions{}, "self-test: answer 127.255.255.255 is an error code: too many questions"},
		{"unknown code", Addresses, "zen.spamhaus.org", honest(map[string][]string{"2.0.0.127": {"A 127.0.0.99"}}), SetOptions{}, "self-test: answer 127.0.0.99 is not one of the codes of zen.spamhaus.org"},
		{"known to lack test entries", Addresses, "hostkarma.junkemailfilter.com", honest(map[string][]string{"1.0.0.127": {"A 127.0.0.1"}, "2.0.0.127": {}}), SetOptions{}, ""},
		{"special test code", Addresses, "list.dnswl.org*-1", honest(map[string][]string{"2.0.0.127": {"A 127.0.10.0"}, testKey(listed6): {"A 127.0.10.0"}}), SetOptions{}, ""},
		{"test name of its own", Domains, "dbl.spamhaus.org", honest(map[string][]string{"dbltest.com": {"A 127.0.1.2"}, "test": {}}), SetOptions{}, ""},
		{"IPv6 lists the world", Addresses, "bl.example", honest(map[string][]string{testKey(unlisted6): {"A 127.0.0.2"}}), SetOptions{}, "self-test: it lists 1.0.0.0.0.0.f.7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			if strings.HasPrefix(tt.name, "silent") {
				b = hastyBench(t)
			}
			zone, _, _ := strings.Cut(tt.zone, "*")
			b.liar.Set(zone, tt.b)
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

// A list without the IPv6 test entry is asked about IPv4 clients only, unless it is documented to
// know IPv6.
func TestIPv4OnlyList(t *testing.T) {
	noSix := map[string][]string{
		testKey(netip.MustParseAddr("2001:db8::99")): {"A 127.0.0.2"}, "99.2.0.192": {"A 127.0.0.2"},
	}
	for zone, want := range map[string]Verdict{"bl.example": NotListed, "zen.spamhaus.org": Listed} {
		b := newBench(t)
		b.liar.Set(zone, func(key string, m *dnstest.Msg, tcp bool) [][]byte {
			if key == testKey(listed6) {
				return dnstest.One(dnstest.NX(m))
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

// A list of IPv6 addresses alone is asked about IPv6 clients only, and is not suspended for want of
// 127.0.0.2. A list that lists no test entry at all is suspended, and so is a well-known one, all
// of which know IPv4.
func TestIPv6OnlyList(t *testing.T) {
	for _, tt := range []struct {
		name, zone string
		listed     string // of the test entries
		four, six  State
	}{
		{"IPv6 alone", "bl.example", testKey(listed6), NotAsked, Hit},
		{"neither", "bl.example", "none", Suspended, Suspended},
		{"well-known", "zen.spamhaus.org", testKey(listed6), Suspended, Suspended},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			data := map[string][]string{testKey(netip.MustParseAddr("2001:db8::99")): {"A 127.0.0.2"}, "99.2.0.192": {"A 127.0.0.2"}}
			b.liar.Set(tt.zone, func(key string, m *dnstest.Msg, tcp bool) [][]byte {
				if (key == testKey(listed4) || key == testKey(listed6)) && key != tt.listed {
					return dnstest.One(dnstest.NX(m))
				}
				return honest(data)(key, m, tcp)
			})
			s := b.set(t, SetOptions{}, tt.zone)
			if r := look(t, s, "192.0.2.99"); r.Lists[0].State != tt.four {
				t.Errorf("IPv4: %v, want %v", r.Lists[0].State, tt.four)
			}
			if r := look(t, s, "2001:db8::99"); r.Lists[0].State != tt.six {
				t.Errorf("IPv6: %v, want %v", r.Lists[0].State, tt.six)
			}
			if st := b.lists.Status()[0]; st.Asked != (tt.six == Hit) || tt.six == Hit && (st.IPv4 || !st.IPv6) {
				t.Errorf("status: %+v", st)
			}
		})
	}
}

// Tests run hourly; one that fails suspends the list and is tried again after a minute, two, four;
// each change is told once.
func TestSelfTestSchedule(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	tests := func() int { return b.liar.Count("A 1.0.0.127.bl.example") }
	step := func(d time.Duration, wantTests int, wantChanges string) {
		t.Helper()
		b.clock.Advance(d)
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
	b.liar.Set("bl.example", dnstest.Always("A 127.0.0.2"))
	step(time.Hour, 1, "bl.example self-test begins: it lists 1.0.0.127, which no list may: it answers 127.0.0.2")
	if r := look(t, s, "192.0.2.98"); r.Verdict != NotListed || r.Lists[0].State != Suspended {
		t.Errorf("while the test fails: %v, %v", r.Verdict, r.Lists[0].State)
	}
	step(59*time.Second, 0, "")
	step(time.Second, 1, "")
	step(time.Minute, 0, "")
	step(time.Minute, 1, "")
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	step(4*time.Minute, 1, "bl.example self-test ends: it lists 1.0.0.127, which no list may: it answers 127.0.0.2")
	if r := look(t, s, "192.0.2.99"); r.Verdict != Listed {
		t.Errorf("after the test passed: %v", r.Verdict)
	}
	step(59*time.Minute, 0, "")
	step(time.Minute, 1, "")
}

// What a person or good mail has found out about a list elsewhere counts here; what tests find is
// found here.
func TestAdopt(t *testing.T) {
	for _, tt := range []struct {
		status ListStatus
		want   string
	}{
		{ListStatus{Zone: "bl.example", Cause: Manual, Why: "manual: by root"}, "manual: by root"},
		{ListStatus{Zone: "bl.example", Cause: KnownGood, Why: "known-good: it lists 20 of 20"}, "known-good: it lists 20 of 20"},
		{ListStatus{Zone: "bl.example", Cause: SelfTest, Why: "self-test: x"}, ""},
		{ListStatus{Zone: "bl.example", Asked: true}, ""},
		{ListStatus{Zone: "bl.example", Kind: Domains, Cause: Manual, Why: "manual: x"}, ""},
		{ListStatus{Zone: "other.example", Cause: Manual, Why: "manual: x"}, ""},
	} {
		b := newBench(t)
		b.liar.Set("bl.example", honest(nil))
		look(t, b.set(t, SetOptions{}, "bl.example"), "192.0.2.99")
		b.lists.Adopt([]ListStatus{tt.status})
		if got := b.lists.Status()[0]; got.Why != tt.want || got.Asked != (tt.want == "") || got.Asked != (got.Cause == 0) {
			t.Errorf("%+v: %+v", tt.status, got)
		}
	}
}

func TestManualRest(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	look(t, s, "192.0.2.99")
	if err := b.lists.Suspend("bl.example", time.Hour, "maintenance"); err != nil {
		t.Fatal(err)
	}
	if r := look(t, s, "192.0.2.99"); r.Verdict != NotListed || r.Lists[0].Why != "manual: maintenance" {
		t.Errorf("%v %q", r.Verdict, r.Lists[0].Why)
	}
	b.clock.Advance(time.Hour)
	b.lists.startDue().Wait()
	if err := b.lists.Suspend("bl.example", 0, "again"); err != nil {
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
	if err := b.lists.Suspend("other.example", 0, ""); err == nil {
		t.Error("suspended a list that is not there")
	}
}

// A reload makes the new set first and closes the old one then: health, counters and answers stay,
// and nothing is tested again.
func TestReloadKeepsHealth(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2", `TXT "why"`}}))
	old := b.set(t, SetOptions{}, "bl.example")
	look(t, old, "192.0.2.99")
	before := b.liar.Questions()
	next := b.set(t, SetOptions{Threshold: 2}, "bl.example=127.0.0.2*2")
	old.Close()
	if r := look(t, next, "192.0.2.99"); r.Verdict != Listed || r.Score != 2 || r.Reason != "why" {
		t.Errorf("%v %d %q", r.Verdict, r.Score, r.Reason)
	}
	if n := b.liar.Questions() - before; n != 0 {
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

// What was remembered of a client is forgotten when a list's health changes or an answer's time is
// over.
func TestRememberedResults(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	first := look(t, s, "192.0.2.99")
	if look(t, s, "192.0.2.99") != first {
		t.Error("not remembered")
	}
	b.clock.Advance(300 * time.Second)
	if look(t, s, "192.0.2.99") == first {
		t.Error("remembered past the TTL")
	}
	if n := b.liar.Count("A 99.2.0.192.bl.example"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// A list that is slow to answer its test keeps no other from being tested.
func TestTestsDoNotWaitForEachOther(t *testing.T) {
	l := dnstest.New(t)
	l.Set("slow.example", dnstest.Silent)
	l.Set("good.example", honest(nil))
	r := newTestResolver(t, dns.ResolverOptions{AttemptTimeout: time.Hour, QuestionTimeout: time.Hour}, l.Addr)
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
	waitFor(t, func() bool { return l.Count("A 1.0.0.127.slow.example") > 0 })
	good := b.set(t, SetOptions{}, "good.example")
	if res := look(t, slow, "192.0.2.99"); res.Lists[0].Why != "untested: not tested yet" || res.Verdict != NotListed {
		t.Errorf("%v %q", res.Verdict, res.Lists[0].Why)
	}
	if res := look(t, good, "192.0.2.99"); res.Lists[0].State != Clear {
		t.Errorf("%v", res.Lists[0].State)
	}
}

// A test by hand says what is wrong and touches nothing.
func TestSetTest(t *testing.T) {
	b := newBench(t)
	b.liar.Set("good.example", honest(nil))
	b.liar.Set("world.example", dnstest.Always("A 127.0.0.2"))
	s := b.set(t, SetOptions{}, "good.example", "world.example")
	b.log.take()
	if err := s.Test(background(t), "good.example"); err != nil {
		t.Error(err)
	}
	if err := s.Test(background(t), "world.example"); err == nil || !strings.Contains(err.Error(), "it lists 1.0.0.127") {
		t.Error(err)
	}
	if err := s.Test(background(t), "other.example"); err == nil {
		t.Error("tested a list that is not there")
	}
	if got := b.log.take(); got != "" {
		t.Errorf("changes: %s", got)
	}
}
