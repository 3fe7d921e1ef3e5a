package dns

import (
	"strings"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

// FuzzAnswer feeds bytes from the network to everything that reads them: no panic, and an answer
// that is whole.
func FuzzAnswer(f *testing.F) {
	q := NewQuestion(A, "99.2.0.192.bl.example")
	sent := newMessage(q, false, true)
	sent.Id = 1
	for _, m := range []*dnstest.Msg{
		dnstest.Has(sent, "300", "A 127.0.0.2"), dnstest.Has(sent, "300", "A 192.0.2.1", "A 127.0.0.2"), dnstest.Has(sent, "300", "A 127.255.255.254"),
		dnstest.Has(sent, "300", "CNAME a.example."), dnstest.NX(sent), dnstest.Rcode(sent, dnstest.ServerFailure),
	} {
		f.Add(dnstest.One(m)[0])
	}
	f.Add([]byte("garbage"))
	limits := ttlLimits{time.Minute, time.Hour, time.Second}
	f.Fuzz(func(t *testing.T, packet []byte) {
		got := new(dnstest.Msg)
		if got.Unpack(packet) != nil || echoes(sent, got) == foreign {
			return
		}
		for _, typ := range []Type{A, AAAA, TXT, MX, PTR} {
			a, ttl := readAnswer(Question{Name: q.Name, Type: typ}, got, limits)
			if ttl < limits.failure || ttl > limits.max {
				t.Fatalf("kept for %v", ttl)
			}
			if (a.Status == Failed) != (a.Err != nil) || (a.Status == Found) != (len(a.Addrs)+len(a.Texts) > 0) {
				t.Fatalf("%+v", a)
			}
			if again, err := ParseAnswer(a.String()); err != nil || again.String() != a.String() {
				t.Fatalf("%q, %v", a.String(), err)
			}
		}
	})
}

// FuzzResolvConf and --dns values: only addresses come out.
func FuzzServers(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "[::1]:53, ::1", "x", "127.0.0.1:99999", "fe80::1%eth0", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		servers, err := ParseServers(s)
		if err != nil {
			return
		}
		if _, err := NewResolver(ResolverOptions{Servers: servers}); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzRecorded: what is read of a recorded answer is written back the same.
func FuzzRecorded(f *testing.F) {
	for _, s := range []string{"no data", "no such name", "127.0.0.2 127.0.0.3", `"a" "b\n"`, "error: refused (REFUSED) from 127.0.0.1:53", "error: x", `"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAnswer(s)
		if err != nil {
			return
		}
		again, err := ParseAnswer(a.String())
		if err != nil || again.String() != a.String() && a.Err == nil {
			t.Fatalf("%q → %q → %q, %v", s, a, again, err)
		}
	})
}

// FuzzNames: whatever octets a name has, the answer to its question is known as one, also in
// another case, and the name comes back as it went.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"example.com", "o'neil.example", `a\b;"c.example`, "ü.example", "\x00.\xff", "a..b", `a\.b`, "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !IsName(name) {
			return
		}
		q := NewQuestion(A, name)
		sent := newMessage(q, true, true)
		packet, err := sent.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := new(dnstest.Msg)
		if err := got.Unpack(packet); err != nil {
			t.Fatal(err)
		}
		got.Response = true
		if echoes(sent, got) != exact {
			t.Fatalf("%q is not %q", got.Question[0].Name, sent.Question[0].Name)
		}
		back, ok := plainName(presented(q.Name))
		if !ok || strings.TrimSuffix(back, ".") != q.Name {
			t.Fatalf("%q came back as %q", q.Name, back)
		}
	})
}
