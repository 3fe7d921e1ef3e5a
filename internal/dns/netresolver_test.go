package dns

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/dns/dnstest"
)

func TestNetResolver(t *testing.T) {
	l := dnstest.New(t)
	l.Set("example", func(key string, m *dnstest.Msg, _ bool) [][]byte {
		switch key {
		case "mail":
			return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.1", "AAAA 2001:db8::1", "MX 10 mx.example.", `TXT "v=spf1" " -all"`, `TXT "a\"b\009\200"`))
		case "four":
			return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.1"))
		case "half":
			if dnstest.Asks(m, "AAAA") {
				return dnstest.One(dnstest.Rcode(m, dnstest.ServerFailure))
			}
			return dnstest.One(dnstest.Has(m, "300", "A 192.0.2.1"))
		case "broken":
			return dnstest.One(dnstest.Rcode(m, dnstest.ServerFailure))
		case "silent":
			return nil
		}
		return dnstest.One(dnstest.NX(m))
	})
	l.Set("arpa", dnstest.Always("PTR mail.example."))
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Minute, QuestionTimeout: time.Minute}, l.Addr)
	hasty := newTestResolver(t, ResolverOptions{AttemptTimeout: 50 * time.Millisecond, QuestionTimeout: 100 * time.Millisecond}, l.Addr)
	ctx := background(t)
	txt, err := r.LookupTXT(ctx, "mail.example")
	if d := cmp.Diff([]string{"v=spf1 -all", "a\"b\t\xc8"}, txt); d != "" || err != nil {
		t.Error(d, err)
	}
	mx, err := r.LookupMX(ctx, "mail.example.")
	if d := cmp.Diff([]*net.MX{{Host: "mx.example.", Pref: 10}}, mx); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, tt := range []struct{ network, host, want string }{
		{"ip4", "mail.example", "[192.0.2.1]"},
		{"ip6", "mail.example", "[2001:db8::1]"},
		{"ip4", "four.example", "[192.0.2.1]"},
		{"ip4", "half.example", "[192.0.2.1]"},
		{"ip4", "192.0.2.7", "[192.0.2.7]"},
		{"ip6", "2001:db8::7", "[2001:db8::7]"},
	} {
		ips, err := r.LookupNetIP(ctx, tt.network, tt.host)
		if fmt.Sprint(ips) != tt.want || err != nil {
			t.Error(tt.network, tt.host, ips, err)
		}
	}
	names, err := r.LookupAddr(ctx, "192.0.2.1")
	if d := cmp.Diff([]string{"mail.example."}, names); d != "" || err != nil {
		t.Error(d, err)
	}
	if l.Count("PTR 1.2.0.192.in-addr.arpa") != 1 {
		t.Error("reverse name not asked for")
	}
	for host, want := range map[string]net.DNSError{
		"none.example":   {IsNotFound: true},
		"four.example":   {IsNotFound: true},
		"192.0.2.7":      {IsNotFound: true},
		"broken.example": {IsTemporary: true},
		"silent.example": {IsTemporary: true, IsTimeout: true},
		"half.example":   {IsTemporary: true},
	} {
		resolver := r
		if want.IsTimeout {
			resolver = hasty
		}
		_, err := resolver.LookupNetIP(ctx, "ip6", host)
		got, ok := err.(*net.DNSError)
		if !ok || got.IsNotFound != want.IsNotFound || got.IsTemporary != want.IsTemporary || got.IsTimeout != want.IsTimeout {
			t.Errorf("%s: %#v", host, err)
		}
	}
	if _, err := r.LookupTXT(ctx, "four.example"); !isNotFound(err) {
		t.Errorf("no data: %v", err)
	}
	before := l.Questions()
	for _, name := range []string{"", "a..example", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130) + "example"} {
		if _, err := r.LookupTXT(ctx, name); !isNotFound(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if l.Questions() != before {
		t.Error("asked for what is no name")
	}
	if _, err := r.LookupAddr(ctx, "mail.example"); err == nil {
		t.Error("reverse name of a name")
	}
}

func isNotFound(err error) bool {
	dnsErr, ok := err.(*net.DNSError)
	return ok && dnsErr.IsNotFound
}
