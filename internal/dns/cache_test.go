package dns

import (
	"fmt"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

// Answers live by their TTL within the bounds, negative ones by the SOA, failures briefly.
func TestCacheTimes(t *testing.T) {
	records := func(ttl string) dnstest.Behaviour {
		return func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			return dnstest.One(dnstest.Has(m, ttl, "A 127.0.0.2"))
		}
	}
	tests := []struct {
		name string
		b    dnstest.Behaviour
		life time.Duration
	}{
		{"by TTL", records("600"), 10 * time.Minute},
		{"short TTL", records("1"), time.Minute},
		{"zero TTL", records("0"), time.Minute},
		{"long TTL", records("604800"), time.Hour},
		{"negative by SOA minimum", func(_ string, m *dnstest.Msg, _ bool) [][]byte { return dnstest.One(dnstest.NX(m)) }, 300 * time.Second},
		{"negative by SOA TTL", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			r := dnstest.NX(m)
			r.Ns[0].Header().Ttl = 120
			return dnstest.One(r)
		}, 120 * time.Second},
		{"negative without SOA", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			return dnstest.One(dnstest.Rcode(m, dnstest.NameError))
		}, time.Minute},
		{"failure", dnstest.Code(dnstest.ServerFailure), 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, clock := dnstest.New(t), dnstest.NewClock()
			l.Set("example", tt.b)
			r := newTestResolver(t, ResolverOptions{Clock: clock.Now}, l.Addr)
			q := NewQuestion(A, "a.example")
			r.Ask(background(t), q)
			clock.Advance(tt.life - time.Nanosecond)
			r.Ask(background(t), q)
			if n := l.Questions(); n != 1 {
				t.Fatalf("asked %d times within its time", n)
			}
			clock.Advance(time.Nanosecond)
			r.Ask(background(t), q)
			if n := l.Questions(); n != 2 {
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
