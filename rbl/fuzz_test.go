package rbl

import (
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/dns"
)

// FuzzAnswer: whatever the DNS answers, a hit comes from 127.0.0.0/8 alone, and a text is fit for a
// reply.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"127.0.0.2", "192.0.2.1 127.0.0.2", "127.255.255.254", "::ffff:127.0.0.2", "no such name", "no data", "error: refused",
		`"Listed, see [x]"`, `"a\r\n550 b"`,
	} {
		f.Add(s)
	}
	member := &member{list: &list{zone: "bl.example"}, entries: []Entry{{Zone: "bl.example", Weight: 1}}}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := dns.ParseAnswer(s)
		if err != nil {
			return
		}
		for _, text := range a.Texts {
			c := cut(Clean(text))
			if len(c) > maxReason || strings.ContainsAny(c, "[]\r\n\x00") {
				t.Fatalf("%q", c)
			}
		}
		if r := member.judge(&a); r.State == Hit {
			for _, ip := range a.Addrs {
				if !loopback.Contains(ip) || errorCodes.Contains(ip) {
					t.Fatalf("hit with %v", a.Addrs)
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
		if strings.ToLower(key) != key || len(key) > dns.MaxName {
			t.Fatalf("%q is no domain name", key)
		}
	})
}
