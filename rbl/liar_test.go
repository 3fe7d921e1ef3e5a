package rbl

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// behaviour answers one question about a name left of a zone with raw packets; none is silence.
type behaviour func(key string, m *dns.Msg, tcp bool) [][]byte

// liar is a DNS server that does what real ones won't.
type liar struct {
	addr string
	stop chan struct{} // closed when the test ends: releases behaviours that hold an answer back

	mu    sync.Mutex
	zones map[string]behaviour
	asked map[string]int // type and name in lower case
	total int
}

func newLiar(t testing.TB) *liar {
	t.Helper()
	l := &liar{zones: map[string]behaviour{}, asked: map[string]int{}, stop: make(chan struct{})}
	udp, tcp := listenBoth(t)
	l.addr = udp.LocalAddr().String()
	var wg sync.WaitGroup
	wg.Go(func() { l.serveUDP(udp, &wg) })
	wg.Go(func() { l.serveTCP(tcp, &wg) })
	t.Cleanup(func() {
		close(l.stop)
		udp.Close()
		tcp.Close()
		wg.Wait()
	})
	return l
}

// listenBoth finds a port that is free for both protocols.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp
		}
		udp.Close()
	}
	t.Fatal("no port free for both UDP and TCP")
	return nil, nil
}

func (l *liar) serveUDP(conn net.PacketConn, wg *sync.WaitGroup) {
	for {
		buf := make([]byte, 4096)
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		wg.Go(func() {
			for _, p := range l.answer(buf[:n], false) {
				_, _ = conn.WriteTo(p, from)
			}
		})
	}
}

func (l *liar) serveTCP(ln net.Listener, wg *sync.WaitGroup) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			buf := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			for _, p := range l.answer(buf, true) {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
			}
		})
	}
}

func (l *liar) answer(packet []byte, tcp bool) [][]byte {
	m := new(dns.Msg)
	if m.Unpack(packet) != nil || len(m.Question) != 1 {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(m.Question[0].Name, "."))
	l.mu.Lock()
	l.asked[dns.Type(m.Question[0].Qtype).String()+" "+name]++
	l.total++
	var do behaviour
	key := ""
	for zone, b := range l.zones {
		if left, ok := strings.CutSuffix(name, "."+zone); ok {
			do, key = b, left
		} else if name == zone {
			do, key = b, ""
		}
	}
	l.mu.Unlock()
	if do == nil {
		return one(rcode(m, dns.RcodeRefused))
	}
	return do(key, m, tcp)
}

func (l *liar) set(zone string, b behaviour) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.zones[zone] = b
}

func (l *liar) count(question string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[question]
}

func (l *liar) questions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

func one(m *dns.Msg) [][]byte {
	m.Compress = true
	p, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return [][]byte{p}
}

func rcode(q *dns.Msg, code int) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(q, code)
	m.RecursionAvailable = true
	return m
}

// nx says that the name does not exist, with a SOA for 300 seconds.
func nx(q *dns.Msg) *dns.Msg {
	m := rcode(q, dns.RcodeNameError)
	soa, _ := dns.NewRR(". 900 IN SOA a. b. 1 2 3 4 300")
	m.Ns = append(m.Ns, soa)
	return m
}

// has answers with records, `A 127.0.0.2` or `TXT "text"`, as far as they are of the type asked for.
func has(q *dns.Msg, ttl string, records ...string) *dns.Msg {
	m := rcode(q, dns.RcodeSuccess)
	for _, r := range records {
		rr, err := dns.NewRR(q.Question[0].Name + " " + ttl + " IN " + r)
		if err != nil {
			panic(err)
		}
		if rr.Header().Rrtype == q.Question[0].Qtype || rr.Header().Rrtype == dns.TypeCNAME {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

// honest is a list as RFC 5782 wants it, with these keys listed by these records beside the test entries.
func honest(listed map[string][]string) behaviour {
	all := map[string][]string{
		"2.0.0.127": {"A 127.0.0.2"}, testKey(listed6): {"A 127.0.0.2"}, "test": {"A 127.0.0.2"},
	}
	for k, v := range listed {
		all[k] = v
	}
	return func(key string, m *dns.Msg, _ bool) [][]byte {
		if records, ok := all[key]; ok {
			return one(has(m, "300", records...))
		}
		return one(nx(m))
	}
}

// except does something else for questions that are not about test entries.
func except(b behaviour) behaviour {
	good := honest(nil)
	tests := map[string]bool{
		"2.0.0.127": true, "1.0.0.127": true, testKey(listed6): true, testKey(unlisted6): true, "test": true, "invalid": true,
	}
	return func(key string, m *dns.Msg, tcp bool) [][]byte {
		if tests[key] {
			return good(key, m, tcp)
		}
		return b(key, m, tcp)
	}
}

// always answers every question with the same records.
func always(records ...string) behaviour {
	return func(_ string, m *dns.Msg, _ bool) [][]byte { return one(has(m, "300", records...)) }
}

func silent(string, *dns.Msg, bool) [][]byte { return nil }

func code4(code int) behaviour {
	return func(_ string, m *dns.Msg, _ bool) [][]byte { return one(rcode(m, code)) }
}

// fakeClock is a clock that tests set.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *fakeClock { return &fakeClock{now: time.Unix(1_800_000_000, 0)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newTestResolver(t testing.TB, opt ResolverOptions, servers ...string) *Resolver {
	t.Helper()
	opt.Servers = servers
	r, err := NewResolver(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// changeLog collects changes of health.
type changeLog struct {
	mu      sync.Mutex
	changes []Change
}

func (c *changeLog) add(ch Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes = append(c.changes, ch)
}

// take returns what came since the last call, one line each.
func (c *changeLog) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, ch := range c.changes {
		word := "ends"
		if ch.Resting {
			word = "begins"
		}
		lines = append(lines, ch.Zone+" "+ch.Cause.String()+" "+word+": "+ch.Why)
	}
	c.changes = nil
	return strings.Join(lines, "\n")
}

type bench struct {
	liar  *liar
	res   *Resolver
	lists *Lists
	clock *fakeClock
	log   *changeLog
}

// newBench is a liar, a resolver and lists on a clock that stands still. Its Lists tick once in an hour of real time: tests call startDue.
func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{liar: newLiar(t), clock: newClock(), log: &changeLog{}}
	b.res = newTestResolver(t, ResolverOptions{Clock: b.clock.Now, AttemptTimeout: 400 * time.Millisecond, QuestionTimeout: 900 * time.Millisecond}, b.liar.addr)
	b.lists = NewLists(b.res, ListsOptions{OnChange: b.log.add, Tick: time.Hour})
	t.Cleanup(b.lists.Close)
	return b
}

// set makes a set whose lists have been tested.
func (b *bench) set(t testing.TB, opt SetOptions, specs ...string) *Set {
	t.Helper()
	return b.setOf(t, Addresses, opt, specs...)
}

func (b *bench) setOf(t testing.TB, kind Kind, opt SetOptions, specs ...string) *Set {
	t.Helper()
	entries, err := Parse(kind, specs)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.lists.NewSet(entries, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// look looks a client up with a deadline that only a defect reaches.
func look(t testing.TB, s *Set, client string) *Result {
	t.Helper()
	return lookFor(s, client, 10*time.Second)
}

func lookFor(s *Set, subject string, d time.Duration) *Result {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if s.kind == Domains {
		return s.LookupDomain(ctx, subject)
	}
	return s.Lookup(ctx, netip.MustParseAddr(subject))
}
