package dns

import (
	"net/netip"
	"testing"
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
