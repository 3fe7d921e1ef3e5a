package rbl

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzAnswer feeds bytes from the network to everything that reads them: no panic, and a listing only from 127.0.0.0/8.
func FuzzAnswer(f *testing.F) {
	q := NewQuestion(A, "99.2.0.192.bl.example")
	sent := newMessage(q, false, true)
	sent.Id = 1
	for _, m := range []*dns.Msg{
		has(sent, "300", "A 127.0.0.2"), has(sent, "300", "A 192.0.2.1", "A 127.0.0.2"), has(sent, "300", "A 127.255.255.254"),
		has(sent, "300", "CNAME a.example."), nx(sent), rcode(sent, dns.RcodeServerFailure),
	} {
		f.Add(one(m)[0])
	}
	f.Add([]byte("garbage"))
	limits := ttlLimits{time.Minute, time.Hour, time.Second}
	member := &member{list: &list{zone: "bl.example"}, entries: []Entry{{Zone: "bl.example", Weight: 1}}}
	f.Fuzz(func(t *testing.T, packet []byte) {
		got := new(dns.Msg)
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
			for _, text := range a.Texts {
				c := cut(Clean(text))
				if len(c) > maxReason || strings.ContainsAny(c, "[]\r\n\x00") {
					t.Fatalf("%q", c)
				}
			}
			if typ != A {
				continue
			}
			if r := member.judge(&a); r.State == Hit {
				for _, ip := range a.Addrs {
					if !loopback.Contains(ip) || errorCodes.Contains(ip) {
						t.Fatalf("hit with %v", a.Addrs)
					}
				}
			}
		}
	})
}

// FuzzFilter: whatever is accepted is written back the same and matches by octets.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"127.0.0.2", "127.0.0.[2..11;30]", "[0..255].[1;2].0.0", "127.0.0.[", "127.0.0.2]", "127.0.0.[2..]", "1.2.3.4.5"} {
		f.Add(s, byte(2))
	}
	f.Fuzz(func(t *testing.T, s string, octet byte) {
		filter, err := ParseFilter(s)
		if err != nil {
			return
		}
		if filter.String() != s {
			t.Fatalf("%q became %q", s, filter)
		}
		again, err := ParseFilter(filter.String())
		if err != nil || again != filter {
			t.Fatalf("%q read twice: %v", s, err)
		}
		ip := netip.AddrFrom4([4]byte{127, 0, 0, octet})
		want := filter.octets[0].has(127) && filter.octets[1].has(0) && filter.octets[2].has(0) && filter.octets[3].has(octet)
		if filter.Matches(ip) != want {
			t.Fatalf("%q matches %s: %v", s, ip, !want)
		}
	})
}

// FuzzParse: entries that are accepted survive being written and read; errors name no key.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"zen.spamhaus.org=127.0.0.[2..11]*2, bl.example.org", "list.dnswl.org*-2", "{K}.zen.dq.spamhaus.net", "a=b*c", "dnsbl.sorbs.net",
		"bl.example.org=127.0.0.2*", "***", "=", "{}.x.y", "bl.example.org*0", "dbl.spamhaus.org", "secretsecret.dbl.dq.spamhaus.net",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, domains bool) {
		kind := Addresses
		if domains {
			kind = Domains
		}
		entries, err := Parse(kind, []string{s})
		if err != nil {
			if strings.Contains(err.Error(), "secretsecret") && strings.Contains(s, "secretsecret.dbl.dq.spamhaus.net") {
				t.Fatal(err)
			}
			return
		}
		for _, e := range entries {
			again, err := Parse(kind, []string{e.String()})
			if err != nil || len(again) != 1 || again[0].String() != e.String() {
				t.Fatalf("%q became %v, %v", e, again, err)
			}
		}
	})
}

// FuzzDomainKey: what is accepted can be put before a zone and is its own key.
func FuzzDomainKey(f *testing.F) {
	for _, s := range []string{"sender.example", "bücher.example", "[192.0.2.1]", "a..b", "192.0.2.1", "_x.y", "\xff.example", "xn--a.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, err := DomainKey(s)
		if err != nil {
			return
		}
		if again, err := DomainKey(key); err != nil || again != key {
			t.Fatalf("%q → %q → %q, %v", s, key, again, err)
		}
		if _, ok := dns.IsDomainName(key); !ok || strings.ToLower(key) != key {
			t.Fatalf("%q is no domain name", key)
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
