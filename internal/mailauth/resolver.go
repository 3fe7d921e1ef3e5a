package mailauth

import (
	"context"
	"net"
	"net/netip"
)

// Resolver is the DNS as SPF and DKIM ask it, with the methods and errors of [net.Resolver]. Names
// are as they are, not escaped as in a zone file.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
	// LookupNetIP asks for one family, "ip4" or "ip6".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// maxName is the longest name in octets, without a dot at the end (RFC 1035 section 2.3.4).
const maxName = 253
