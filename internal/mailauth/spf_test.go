package mailauth_test

import (
	"net/netip"
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
