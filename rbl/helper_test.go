package rbl

import (
	"context"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// honest is a list as RFC 5782 wants it, with these keys listed by these records beside the test
// entries.
func honest(listed map[string][]string) dnstest.Behaviour {
	all := map[string][]string{
		"2.0.0.127": {"A 127.0.0.2"}, testKey(listed6): {"A 127.0.0.2"}, "test": {"A 127.0.0.2"},
	}
	for k, v := range listed {
		all[k] = v
	}
	return func(key string, m *dnstest.Msg, _ bool) [][]byte {
		if records, ok := all[key]; ok {
			return dnstest.One(dnstest.Has(m, "300", records...))
		}
		return dnstest.One(dnstest.NX(m))
	}
}

// except does something else for questions that are not about test entries.
func except(b dnstest.Behaviour) dnstest.Behaviour {
	good := honest(nil)
	tests := map[string]bool{
		"2.0.0.127": true, "1.0.0.127": true, testKey(listed6): true, testKey(unlisted6): true, "test": true, "invalid": true,
	}
	return func(key string, m *dnstest.Msg, tcp bool) [][]byte {
		if tests[key] {
			return good(key, m, tcp)
		}
		return b(key, m, tcp)
	}
}

func newTestResolver(t testing.TB, opt dns.ResolverOptions, servers ...string) *dns.Resolver {
	t.Helper()
	opt.Servers = servers
	r, err := dns.NewResolver(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
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
		if ch.Suspended {
			word = "begins"
		}
		lines = append(lines, ch.Zone+" "+ch.Cause.String()+" "+word+": "+ch.Why)
	}
	c.changes = nil
	return strings.Join(lines, "\n")
}

type bench struct {
	liar  *dnstest.Server
	res   *dns.Resolver
	lists *Lists
	clock *dnstest.Clock
	log   *changeLog
}

// newBench is a liar, a resolver and lists on a clock that stands still. Its Lists tick once in an
// hour of real time: tests call startDue.
func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchWith(t, 3*time.Second, 8*time.Second) // an answer comes, whatever else the machine does
}

// hastyBench is one whose resolver gives up soon, for lists that never answer.
func hastyBench(t testing.TB) *bench {
	t.Helper()
	return newBenchWith(t, 400*time.Millisecond, 900*time.Millisecond)
}

func newBenchWith(t testing.TB, attempt, question time.Duration) *bench {
	t.Helper()
	b := &bench{liar: dnstest.New(t), clock: dnstest.NewClock(), log: &changeLog{}}
	b.res = newTestResolver(t, dns.ResolverOptions{Clock: b.clock.Now, AttemptTimeout: attempt, QuestionTimeout: question}, b.liar.Addr)
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
