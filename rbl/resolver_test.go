package rbl

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// What SPF needs must stay what this package offers.
var (
	_ spf.DNSResolver = (*Resolver)(nil)
	_ spf.DNSResolver = NetResolver{}
)

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Many who ask the same at once are one question on the wire, and each gets the answer.
func TestOneQuestionForMany(t *testing.T) {
	l := newLiar(t)
	release := make(chan struct{})
	l.set("bl.example", func(_ string, m *dns.Msg, _ bool) [][]byte {
		select {
		case <-release:
		case <-l.stop:
		}
		return one(has(m, "300", "A 127.0.0.2"))
	})
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Minute, QuestionTimeout: time.Minute}, l.addr)
	q := NewQuestion(A, "99.2.0.192.bl.example")
	const askers = 200
	answers := make(chan Answer, askers)
	for range askers {
		go func() { answers <- r.Ask(context.Background(), q) }()
	}
	deadline := time.Now().Add(10 * time.Second)
	for r.Stats().Shared < askers-1 && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	close(release)
	for range askers {
		if a := <-answers; a.Status != Found {
			t.Fatal(a)
		}
	}
	if n := l.questions(); n != 1 {
		t.Errorf("%d questions", n)
	}
	if s := r.Stats(); s.Misses != 1 || s.Shared != askers-1 {
		t.Errorf("%d misses, %d shared", s.Misses, s.Shared)
	}
}

// A question lives while somebody waits for it and is cancelled when the last one leaves.
func TestLastWaiterCancels(t *testing.T) {
	l := newLiar(t)
	l.set("bl.example", silent)
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Hour, QuestionTimeout: time.Hour}, l.addr)
	q := NewQuestion(A, "99.2.0.192.bl.example")
	ask := func() (context.CancelFunc, chan Answer) {
		ctx, cancel := context.WithCancel(context.Background())
		ch := make(chan Answer, 1)
		go func() { ch <- r.Ask(ctx, q) }()
		return cancel, ch
	}
	cancel1, first := ask()
	waitFor(t, func() bool { return r.Stats().Misses == 1 })
	cancel2, second := ask()
	waitFor(t, func() bool { return r.Stats().Shared == 1 })
	cancel1()
	if a := <-first; a.Err == nil || a.Err.Failure != Cancelled {
		t.Errorf("first: %v", a)
	}
	if n := r.Stats().Open; n != 1 {
		t.Errorf("%d open questions while one waits", n)
	}
	cancel2()
	<-second
	waitFor(t, func() bool { return r.Stats().Open == 0 })
	if s := r.Stats(); s.Names != 0 {
		t.Errorf("a cancelled question left %d answers in the cache", s.Names)
	}
}

// waitFor waits for a state that another goroutine brings about.
func waitFor(t testing.TB, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatal("not reached in time")
		}
		runtime.Gosched()
	}
}

// The next server is asked when one is silent, refuses or cannot be reached, and the one that answered is asked first from then on.
func TestSeveralServers(t *testing.T) {
	for name, bad := range map[string]behaviour{"silent": silent, "refuses": code4(dns.RcodeRefused), "fails": code4(dns.RcodeServerFailure), "": nil} {
		t.Run(name, func(t *testing.T) {
			good := newLiar(t)
			good.set("example", always("A 127.0.0.2"))
			first := "127.0.0.1:1"
			if bad != nil {
				l := newLiar(t)
				l.set("example", bad)
				first = l.addr
			}
			r := newTestResolver(t, ResolverOptions{AttemptTimeout: 50 * time.Millisecond}, first, good.addr)
			if a := r.Ask(background(t), NewQuestion(A, "a.example")); a.Status != Found {
				t.Fatal(a)
			}
			before := r.Stats().Packets
			if a := r.Ask(background(t), NewQuestion(A, "b.example")); a.Status != Found {
				t.Fatal(a)
			}
			if n := r.Stats().Packets - before; n != 1 {
				t.Errorf("%d packets for the second question", n)
			}
		})
	}
}

func TestIPv6Server(t *testing.T) {
	conn, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 loopback here:", err)
	}
	l := &liar{zones: map[string]behaviour{"example": always("A 127.0.0.2")}, asked: map[string]int{}}
	var wg sync.WaitGroup
	wg.Go(func() { l.serveUDP(conn, &wg) })
	defer wg.Wait()
	defer conn.Close()
	r := newTestResolver(t, ResolverOptions{}, conn.LocalAddr().String())
	if a := r.Ask(background(t), NewQuestion(A, "a.example")); a.Status != Found {
		t.Error(a)
	}
}

// Answers live by their TTL within the bounds, negative ones by the SOA, failures briefly.
func TestCacheTimes(t *testing.T) {
	records := func(ttl string) behaviour {
		return func(_ string, m *dns.Msg, _ bool) [][]byte { return one(has(m, ttl, "A 127.0.0.2")) }
	}
	tests := []struct {
		name string
		b    behaviour
		life time.Duration
	}{
		{"by TTL", records("600"), 10 * time.Minute},
		{"short TTL", records("1"), time.Minute},
		{"zero TTL", records("0"), time.Minute},
		{"long TTL", records("604800"), time.Hour},
		{"negative by SOA minimum", func(_ string, m *dns.Msg, _ bool) [][]byte { return one(nx(m)) }, 300 * time.Second},
		{"negative by SOA TTL", func(_ string, m *dns.Msg, _ bool) [][]byte {
			r := nx(m)
			r.Ns[0].Header().Ttl = 120
			return one(r)
		}, 120 * time.Second},
		{"negative without SOA", func(_ string, m *dns.Msg, _ bool) [][]byte { return one(rcode(m, dns.RcodeNameError)) }, time.Minute},
		{"failure", code4(dns.RcodeServerFailure), 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, clock := newLiar(t), newClock()
			l.set("example", tt.b)
			r := newTestResolver(t, ResolverOptions{Clock: clock.Now}, l.addr)
			q := NewQuestion(A, "a.example")
			r.Ask(background(t), q)
			clock.advance(tt.life - time.Nanosecond)
			r.Ask(background(t), q)
			if n := l.questions(); n != 1 {
				t.Fatalf("asked %d times within its time", n)
			}
			clock.advance(time.Nanosecond)
			r.Ask(background(t), q)
			if n := l.questions(); n != 2 {
				t.Errorf("asked %d times after its time", n)
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	c, now := newCache(640), time.Unix(1_800_000_000, 0)
	for i := range 10_000 {
		k := c.key(NewQuestion(A, fmt.Sprint(i, ".example")))
		s := c.shard(k)
		s.put(k, &noName, now, time.Minute)
	}
	if names, evicted := c.size(); names > 640 || names+int(evicted) != 10_000 {
		t.Errorf("%d names, %d evicted", names, evicted)
	}
	for i := range 10_000 { // expired ones give way without being counted as evicted
		k := c.key(NewQuestion(A, fmt.Sprint(i, ".other.example")))
		s := c.shard(k)
		s.put(k, &noName, now.Add(time.Hour), time.Minute)
	}
	if names, _ := c.size(); names > 640 {
		t.Errorf("%d names", names)
	}
}

// Servers that do not know EDNS0 or do not echo the case of names are found out and spared.
func TestOldServers(t *testing.T) {
	noEDNS := func(_ string, m *dns.Msg, _ bool) [][]byte {
		if m.IsEdns0() != nil {
			return one(rcode(m, dns.RcodeFormatError))
		}
		return one(has(m, "300", "A 127.0.0.2"))
	}
	lower := func(_ string, m *dns.Msg, _ bool) [][]byte {
		r := has(m, "300", "A 127.0.0.2")
		r.Question[0].Name = strings.ToLower(r.Question[0].Name)
		return one(r)
	}
	for name, b := range map[string]behaviour{"no EDNS0": noEDNS, "lower case": lower} {
		t.Run(name, func(t *testing.T) {
			l := newLiar(t)
			l.set("example", b)
			r := newTestResolver(t, ResolverOptions{}, l.addr)
			for i := range 10 {
				q := NewQuestion(A, fmt.Sprintf("abcdefghijklmnopqrstuvwxyz-%d.example", i))
				if a := r.Ask(background(t), q); a.Status != Found {
					t.Fatal(a)
				}
			}
			before := r.Stats().Packets
			r.Ask(background(t), NewQuestion(A, "abcdefghijklmnopqrstuvwxyz.example"))
			if n := r.Stats().Packets - before; n != 1 {
				t.Errorf("still %d packets a question", n)
			}
		})
	}
}

// Names go out in random case, unless that is off.
func TestRandomCase(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		l := newLiar(t)
		seen := make(chan string, 1)
		l.set("example", func(_ string, m *dns.Msg, _ bool) [][]byte {
			seen <- m.Question[0].Name
			return one(nx(m))
		})
		r := newTestResolver(t, ResolverOptions{FixedCase: fixed}, l.addr)
		name := "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz.example"
		r.Ask(background(t), NewQuestion(A, name))
		if got := <-seen; (got == name+".") != fixed || !strings.EqualFold(got, name+".") {
			t.Errorf("fixed %v: asked for %s", fixed, got)
		}
	}
}

// More questions than may be open wait for their turn, and too many of those fail at once.
func TestBoundedQuestions(t *testing.T) {
	l := newLiar(t)
	release := make(chan struct{})
	l.set("example", func(_ string, m *dns.Msg, _ bool) [][]byte {
		select {
		case <-release:
		case <-l.stop:
		}
		return one(nx(m))
	})
	r := newTestResolver(t, ResolverOptions{InFlight: 1, AttemptTimeout: time.Minute, QuestionTimeout: time.Minute}, l.addr)
	answers := make(chan Answer, 70)
	for i := range 65 { // one open, 64 queued
		go func() { answers <- r.Ask(context.Background(), NewQuestion(A, fmt.Sprint(i, ".example"))) }()
	}
	waitFor(t, func() bool { s := r.Stats(); return s.Open == 1 && s.Queued == 64 })
	if a := r.Ask(background(t), NewQuestion(A, "more.example")); a.Err == nil || a.Err.Failure != Overloaded {
		t.Errorf("one too many: %v", a)
	}
	close(release)
	for range 65 {
		if a := <-answers; a.Status != NoName {
			t.Fatal(a)
		}
	}
}

func TestClosedResolver(t *testing.T) {
	l := newLiar(t)
	l.set("example", silent)
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Hour, QuestionTimeout: time.Hour, InFlight: 1}, l.addr)
	answers := make(chan Answer, 2)
	for i := range 2 { // one open, one queued
		go func() { answers <- r.Ask(context.Background(), NewQuestion(A, fmt.Sprint(i, ".example"))) }()
	}
	waitFor(t, func() bool { s := r.Stats(); return s.Open == 1 && s.Queued == 1 })
	r.Close()
	for range 2 {
		if a := <-answers; a.Err == nil || a.Err.Failure != Cancelled {
			t.Error(a)
		}
	}
	if a := r.Ask(context.Background(), NewQuestion(A, "x.example")); a.Err == nil || a.Err.Failure != Cancelled {
		t.Error(a)
	}
}

func TestNetResolver(t *testing.T) {
	l := newLiar(t)
	l.set("example", func(key string, m *dns.Msg, _ bool) [][]byte {
		switch key {
		case "mail":
			return one(has(m, "300", "A 192.0.2.1", "AAAA 2001:db8::1", "MX 10 mx.example.", `TXT "v=spf1" " -all"`, `TXT "a\"b\009\200"`))
		case "four":
			return one(has(m, "300", "A 192.0.2.1"))
		case "half":
			if m.Question[0].Qtype == dns.TypeAAAA {
				return one(rcode(m, dns.RcodeServerFailure))
			}
			return one(has(m, "300", "A 192.0.2.1"))
		case "broken":
			return one(rcode(m, dns.RcodeServerFailure))
		case "silent":
			return nil
		}
		return one(nx(m))
	})
	l.set("arpa", always("PTR mail.example."))
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: 50 * time.Millisecond, QuestionTimeout: 100 * time.Millisecond}, l.addr)
	ctx := background(t)
	txt, err := r.LookupTXT(ctx, "mail.example")
	if d := cmp.Diff([]string{"v=spf1 -all", "a\"b\t\xc8"}, txt); d != "" || err != nil {
		t.Error(d, err)
	}
	mx, err := r.LookupMX(ctx, "mail.example.")
	if d := cmp.Diff([]*net.MX{{Host: "mx.example.", Pref: 10}}, mx); d != "" || err != nil {
		t.Error(d, err)
	}
	for host, want := range map[string]string{"mail.example": "[{192.0.2.1 } {2001:db8::1 }]", "four.example": "[{192.0.2.1 }]", "192.0.2.7": "[{192.0.2.7 }]"} {
		ips, err := r.LookupIPAddr(ctx, host)
		if fmt.Sprint(ips) != want || err != nil {
			t.Error(host, ips, err)
		}
	}
	names, err := r.LookupAddr(ctx, "192.0.2.1")
	if d := cmp.Diff([]string{"mail.example."}, names); d != "" || err != nil {
		t.Error(d, err)
	}
	if l.count("PTR 1.2.0.192.in-addr.arpa") != 1 {
		t.Error("reverse name not asked for")
	}
	for host, want := range map[string]net.DNSError{
		"none.example":   {IsNotFound: true},
		"broken.example": {IsTemporary: true},
		"silent.example": {IsTemporary: true, IsTimeout: true},
		"half.example":   {IsTemporary: true},
	} {
		_, err := r.LookupIPAddr(ctx, host)
		got, ok := err.(*net.DNSError)
		if !ok || got.IsNotFound != want.IsNotFound || got.IsTemporary != want.IsTemporary || got.IsTimeout != want.IsTimeout {
			t.Errorf("%s: %#v", host, err)
		}
	}
	if _, err := r.LookupTXT(ctx, "four.example"); !notFound(err) {
		t.Errorf("no data: %v", err)
	}
	if _, err := r.LookupAddr(ctx, "mail.example"); err == nil {
		t.Error("reverse name of a name")
	}
}

// The real SPF library over this resolver.
func TestSPF(t *testing.T) {
	l := newLiar(t)
	l.set("example", func(key string, m *dns.Msg, _ bool) [][]byte {
		if key == "sender" {
			return one(has(m, "300", `TXT "v=spf1 mx -all"`, "MX 10 mx.example."))
		}
		if key == "mx" {
			return one(has(m, "300", "A 192.0.2.1"))
		}
		if key == "broken" {
			return one(rcode(m, dns.RcodeServerFailure))
		}
		return one(nx(m))
	})
	r := newTestResolver(t, ResolverOptions{}, l.addr)
	for _, tt := range []struct {
		ip, domain string
		want       spf.Result
	}{
		{"192.0.2.1", "sender.example", spf.Pass},
		{"192.0.2.2", "sender.example", spf.Fail},
		{"192.0.2.1", "none.example", spf.None},
		{"192.0.2.1", "broken.example", spf.TempError},
	} {
		got, err := spf.CheckHostWithSender(net.ParseIP(tt.ip), "helo.example", "user@"+tt.domain,
			spf.WithResolver(r), spf.WithContext(background(t)))
		if got != tt.want {
			t.Errorf("%s %s: %s (%v), want %s", tt.ip, tt.domain, got, err, tt.want)
		}
	}
}

func TestServers(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1":                    "127.0.0.1:53",
		"127.0.0.1:5353, ::1 [::1]:54": "127.0.0.1:5353 [::1]:53 [::1]:54",
		"[2001:db8::1]":                "[2001:db8::1]:53",
		"":                             "error: no DNS server given: write at least one address",
		"ns.example":                   `error: DNS server "ns.example": write an address, with a port if it is not 53: 127.0.0.1, 127.0.0.1:5353 or [::1]:53`,
		"127.0.0.1:0":                  `error: DNS server "127.0.0.1:0": write an address, with a port if it is not 53: 127.0.0.1, 127.0.0.1:5353 or [::1]:53`,
	} {
		servers, err := ParseServers(in)
		got := strings.Join(servers, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	for content, want := range map[string]string{
		"# c\nnameserver 192.0.2.1\nsearch x\nnameserver 2001:db8::1 \n": "192.0.2.1:53 [2001:db8::1]:53",
		"search example\n":           "127.0.0.1:53",
		"options x\nnameserver ns\n": `error: FILE:2: nameserver "ns" is not an address`,
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		servers, err := SystemServers(file)
		got := strings.Join(servers, " ")
		if err != nil {
			got = "error: " + strings.ReplaceAll(err.Error(), file, "FILE")
		}
		if got != want {
			t.Errorf("%q: %s, want %s", content, got, want)
		}
	}
	if _, err := NewResolver(ResolverOptions{Servers: []string{"ns.example:53"}}); err == nil {
		t.Error("a server by name was accepted")
	}
	if _, err := NewResolver(ResolverOptions{}); err == nil {
		t.Error("no server was accepted")
	}
}

func TestAnswersInPrint(t *testing.T) {
	for _, a := range []Answer{
		{Status: NoName},
		{Status: NoData},
		{Status: Found, Addrs: []netip.Addr{listed4, netip.MustParseAddr("2001:db8::1")}},
		{Status: Found, Texts: []string{"a \"b\" \n", ""}},
		{Err: &Error{Failure: Refused, Detail: "REFUSED", Server: "127.0.0.1:53"}},
		{Err: &Error{Failure: Timeout}},
	} {
		got, err := ParseAnswer(a.String())
		if d := cmp.Diff(fmt.Sprintf("%#v", a), fmt.Sprintf("%#v", got)); d != "" && (a.Err == nil || *a.Err != *got.Err) || err != nil {
			t.Error(d, err)
		}
	}
	for _, bad := range []string{"", "x", `"x`, "127.0.0.2 y"} {
		if _, err := ParseAnswer(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
