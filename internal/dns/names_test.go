package dns

import (
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/dns/dnstest"
)

func TestReversedNames(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.99":                "99.2.0.192",
		"2001:db8:1:2:3:4:567:89ab": "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
	} {
		if got := string(AppendReversed(nil, netip.MustParseAddr(ip))); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

func TestIsName(t *testing.T) {
	label := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"example.com": true, "example.com.": true, "a": true, "o'neil.example": true, "a b\x00\xff.example": true,
		label + ".example": true, strings.Repeat("a.", 126) + "a": true,
		"": false, ".": false, "a..b": false, ".a": false, "a..": false,
		"a" + label + ".example": false, strings.Repeat("a.", 127) + "a": false,
	} {
		if got := IsName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

// A name of whatever octets gets its answer, and a name in an answer comes out as it is.
func TestOddNames(t *testing.T) {
	l := dnstest.New(t)
	r := newTestResolver(t, ResolverOptions{}, l.Addr)
	l.Set("example", func(key string, m *dnstest.Msg, _ bool) [][]byte {
		dnstest.Add(m, m.Question[0].Name+" 300 IN CNAME "+key+".alias.example.")
		dnstest.Add(m, key+`.alias.example. 300 IN MX 1 o\'neil.\(mx\\.example.`)
		dnstest.Add(m, key+`.alias.example. 300 IN MX 2 dot\.inside.example.`)
		m.Response, m.RecursionAvailable = true, true
		return dnstest.One(m)
	})
	for _, name := range []string{
		"plain", "O'Neil", "a;b", "a b", `a"b`, `a\b`, `a\098c`, "(a)", "a@b", "ü", "Ü", "\x00\x01\xff", "$x", "*", "_dmarc",
	} {
		a := r.Ask(t.Context(), NewQuestion(MX, name+".example"))
		if got := a.String(); got != `"1 o'neil.(mx\\.example."` {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestAliases(t *testing.T) {
	chain := []string{"a.example. 60 IN CNAME b.example.", `b.example. 60 IN CNAME C\;.example.`, `c\;.example. 60 IN A 192.0.2.1`}
	for _, tt := range []struct {
		name    string
		records []string
		want    string
	}{
		{"in order", chain, "192.0.2.1"},
		{"backwards", []string{chain[2], chain[1], chain[0]}, "192.0.2.1"},
		{"a foreign record", append([]string{"x.example. 60 IN A 192.0.2.9"}, chain...), "192.0.2.1"},
		{"to nothing", chain[:2], "no data"},
		{"loop", []string{"a.example. 60 IN CNAME a.example."}, "error: malformed answer (too many aliases)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := dnstest.New(t)
			l.Set("example", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
				m.Response, m.RecursionAvailable = true, true
				for _, record := range tt.records {
					dnstest.Add(m, record)
				}
				return dnstest.One(m)
			})
			r := newTestResolver(t, ResolverOptions{}, l.Addr)
			if got := r.Ask(t.Context(), NewQuestion(A, "a.example")).String(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// An answer has as many records as a message has room for: the one that matters may be the last.
func TestManyRecords(t *testing.T) {
	l := dnstest.New(t)
	l.Set("example", func(_ string, m *dnstest.Msg, tcp bool) [][]byte {
		m.Response, m.RecursionAvailable, m.Truncated = true, true, !tcp
		for n := 0; tcp && n < 1000; n++ {
			dnstest.Add(m, `many.example. 60 IN TXT "verification=0123456789abcdef"`)
		}
		dnstest.Add(m, `many.example. 60 IN TXT "v=spf1 -all"`)
		return dnstest.One(m)
	})
	r := newTestResolver(t, ResolverOptions{}, l.Addr)
	texts, err := r.LookupTXT(t.Context(), "many.example")
	if err != nil || len(texts) != 1001 || texts[1000] != "v=spf1 -all" {
		t.Errorf("%d texts, %v", len(texts), err)
	}
}
