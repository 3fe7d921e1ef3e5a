package rbl

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

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
	before := l.questions()
	for _, name := range []string{"", "a..example", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130) + "example"} {
		if _, err := r.LookupTXT(ctx, name); !notFound(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if l.questions() != before {
		t.Error("asked for what is no name")
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
