package greylist

import (
	"net/netip"
	"testing"
)

func TestGreylistNets(t *testing.T) {
	n := nets{24, 64}
	for client, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8::1:2:3:4": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := n.of(netip.MustParseAddr(client)); got != want {
			t.Errorf("%s: %s, want %s", client, got, want)
		}
	}
	if got := n.of(netip.Addr{}); got != "unknown" {
		t.Errorf("no address: %s", got)
	}
}
