package mailauth_test

import (
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
	"mailweir/internal/mailauth"
)

// What SPF needs must stay what the resolver offers.
var (
	_ mailauth.Resolver = (*dns.Resolver)(nil)
	_ mailauth.Resolver = dns.NetResolver{}
)

// resolver asks the server until the test ends.
func resolver(t testing.TB, server *dnstest.Server) *dns.Resolver {
	t.Helper()
	r, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{server.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// SPF over the real resolver.
func TestSPF(t *testing.T) {
	l := dnstest.New(t)
	l.Set("example", func(key string, m *dnstest.Msg, _ bool) [][]byte {
		if key == "sender" {
			return dnstest.One(dnstest.Has(m, "300", `TXT "v=spf1 mx -all"`, "MX 10 mx.example."))
		}
		if key == "mx" {
			return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.1"))
		}
		if key == "broken" {
			return dnstest.One(dnstest.Rcode(m, dnstest.ServerFailure))
		}
		return dnstest.One(dnstest.NX(m))
	})
	r := resolver(t, l)
	for _, tt := range []struct {
		ip, sender string
		want       mailauth.SPFResult
	}{
		{"192.0.2.1", "user@sender.example", mailauth.SPFPass},
		{"192.0.2.2", "user@sender.example", mailauth.SPFFail},
		{"192.0.2.1", "user@none.example", mailauth.SPFNone},
		{"192.0.2.1", "user@broken.example", mailauth.SPFTempError},
	} {
		got, err := mailauth.SPF(t.Context(), r, netip.MustParseAddr(tt.ip), "helo.example", tt.sender)
		if got != tt.want {
			t.Errorf("%s %s: %s (%v), want %s", tt.ip, tt.sender, got, err, tt.want)
		}
	}
}

// What a local part holds is asked for as it is; RFC 7208 section 4.3 says what no domain is.
func TestSPFSenders(t *testing.T) {
	l := dnstest.New(t)
	l.Set("example", func(key string, m *dnstest.Msg, _ bool) [][]byte {
		switch key {
		case "l":
			return dnstest.One(dnstest.Has(m, "300", `TXT "v=spf1 exists:%{l}.x.example -all"`))
		case "s":
			return dnstest.One(dnstest.Has(m, "300", `TXT "v=spf1 a:%{s}.x.example include:%{l}.inc.example -all"`))
		case "capital":
			return dnstest.One(dnstest.Has(m, "300", `TXT "v=spf1 exists:%{S}.x.example -all"`))
		}
		if asked, ok := strings.CutSuffix(key, ".x"); ok {
			return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.1", `TXT "asked for `+asked+`"`))
		}
		if strings.HasSuffix(key, ".inc") {
			return dnstest.One(dnstest.Has(m, "300", `TXT "v=spf1 -all"`))
		}
		return dnstest.One(dnstest.NX(m))
	})
	r := resolver(t, l)
	for _, tt := range []struct {
		sender string
		want   mailauth.SPFResult
		asked  string // the name, as miekg/dns writes it
	}{
		{"plain@l.example", mailauth.SPFPass, "A plain.x.example"},
		{"o'neil@l.example", mailauth.SPFPass, `A o\'neil.x.example`},
		{"a;b@l.example", mailauth.SPFPass, `A a\;b.x.example`},
		{"a b@l.example", mailauth.SPFPass, `A a\ b.x.example`},
		{`a"b\c@l.example`, mailauth.SPFPass, `A a\"b\\c.x.example`},
		{"(a,b)@l.example", mailauth.SPFPass, `A \(a,b\).x.example`},
		{"ünï@l.example", mailauth.SPFPass, `A \195\188n\195\175.x.example`},
		{"\xff\x7f@l.example", mailauth.SPFPass, `A \255\127.x.example`},
		{"a.b+c@l.example", mailauth.SPFPass, "A a.b+c.x.example"},
		{"a@b@l.example", mailauth.SPFPass, `A a\@b.x.example`}, // "a@b"@l.example
		{"@l.example", mailauth.SPFPass, "A postmaster.x.example"},
		{"a..b@l.example", mailauth.SPFFail, ""}, // not that of a.b
		{strings.Repeat("a", 64) + "@l.example", mailauth.SPFFail, ""},
		{"o'neil@s.example", mailauth.SPFPass, `A o\'neil\@s.example.x.example`},
		{"a@b@s.example", mailauth.SPFPass, `A a\@b\@s.example.x.example`},
		{"a b@capital.example", mailauth.SPFPass, "A a%20b%40capital.example.x.example"},
		{"a@b@capital.example", mailauth.SPFPass, "A a%40b%40capital.example.x.example"},
		{"o'neil@capital.example", mailauth.SPFPass, "A o%27neil%40capital.example.x.example"},
		{"a@" + strings.Repeat("a", 64) + ".example", mailauth.SPFNone, ""},
		{"a@l..example", mailauth.SPFNone, ""},
		{"a@.l.example", mailauth.SPFNone, ""},
		{"a@example", mailauth.SPFNone, ""},
		{"a@[192.0.2.1]", mailauth.SPFNone, ""},
		{"a@" + strings.Repeat("a.", 127) + "example", mailauth.SPFNone, ""},
		{"a@" + strings.Repeat("a.", 122) + "aa.example", mailauth.SPFNone, ""}, // 254 octets
		{"a", mailauth.SPFNone, ""},
		{"a@l.example.", mailauth.SPFPass, "A a.x.example"},
	} {
		before := l.Questions()
		got, err := mailauth.SPF(t.Context(), r, netip.MustParseAddr("192.0.2.1"), "helo.example", tt.sender)
		if got != tt.want || err != nil {
			t.Errorf("%s: %s (%v), want %s", tt.sender, got, err, tt.want)
		}
		if tt.asked != "" && l.Count(tt.asked) == 0 {
			t.Errorf("%s: %q was not asked", tt.sender, tt.asked)
		}
		if tt.want == mailauth.SPFNone && l.Questions() != before {
			t.Errorf("%s: the DNS was asked", tt.sender)
		}
	}
	before := l.Questions() // about a name of 253 octets, the longest
	if _, err := mailauth.SPF(t.Context(), r, netip.MustParseAddr("192.0.2.1"), "helo.example", "a@"+strings.Repeat("a.", 122)+"a.example"); err != nil || l.Questions() == before {
		t.Errorf("the longest name was not asked for: %v", err)
	}
	got, err := mailauth.SPF(t.Context(), r, netip.MustParseAddr("192.0.2.1"), "l.example", "")
	if got != mailauth.SPFPass || err != nil {
		t.Errorf("null sender: %s (%v)", got, err)
	}
}

// A look-up is void if the term's own family has nothing (RFC 7208 sections 4.6.4, 5, 5.7), and a
// failure of the other does not matter.
func TestSPFFamilies(t *testing.T) {
	l := dnstest.New(t)
	records := map[string]string{
		"six":    "a:only6.example a:only6a.example a:only6b.example a:only4.example -all",
		"two":    "a:only6.example a:only6a.example a:only4.example a:both.example -all",
		"exists": "exists:only4.example -all", "exists6": "exists:only6.example -all",
		"voids": "exists:only6.example exists:only6a.example ?exists:only6b.example a:both.example -all",
		"mx":    "mx -all", "half": "a:broken6.example -all",
	}
	l.Set("example", func(key string, m *dnstest.Msg, _ bool) [][]byte {
		switch record, ok := records[key]; {
		case ok:
			return dnstest.One(dnstest.Has(m, "300", `TXT "v=spf1 `+record+`"`, "MX 10 both.example."))
		case strings.HasPrefix(key, "only6"):
			return dnstest.One(dnstest.Has(m, "300", "AAAA 2001:db8::6"))
		case key == "only4":
			return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.4"))
		case key == "broken6" && dnstest.Asks(m, "AAAA"):
			return dnstest.One(dnstest.Rcode(m, dnstest.ServerFailure))
		}
		return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.1", "AAAA 2001:db8::1"))
	})
	r := resolver(t, l)
	for _, tt := range []struct {
		domain, client string
		want           mailauth.SPFResult
	}{
		{"six", "192.0.2.4", mailauth.SPFPermError},
		{"six", "2001:db8::6", mailauth.SPFPass},
		{"two", "192.0.2.4", mailauth.SPFPass},
		{"two", "2001:db8::1", mailauth.SPFPass},
		{"exists", "2001:db8::6", mailauth.SPFPass},
		{"exists", "192.0.2.1", mailauth.SPFPass},
		{"exists6", "2001:db8::6", mailauth.SPFFail},
		{"voids", "2001:db8::1", mailauth.SPFPermError},
		{"mx", "192.0.2.1", mailauth.SPFPass},
		{"mx", "2001:db8::1", mailauth.SPFPass},
		{"half", "192.0.2.1", mailauth.SPFPass},
		{"half", "2001:db8::1", mailauth.SPFTempError},
	} {
		got, err := mailauth.SPF(t.Context(), r, netip.MustParseAddr(tt.client), "helo.example", "a@"+tt.domain+".example")
		if got != tt.want || (err != nil) != (got == mailauth.SPFTempError) {
			t.Errorf("%s %s: %s (%v), want %s", tt.client, tt.domain, got, err, tt.want)
		}
	}
}
