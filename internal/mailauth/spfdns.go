package mailauth

import (
	"context"
	"net"
	"regexp"
	"strings"
)

// spfDNS is the DNS as the library asks it, with what the library leaves to do:
//
//   - It asks for both families. RFC 7208 section 5 wants the client's, and section 5.7 IPv4 for
//     "exists", whatever the client's; an address of the other family would hide a void look-up
//     (section 4.6.4). So each "exists" is marked in the record, and the mark found in the name.
//   - What would mislead it in a local part stands as a sign of its own until a name is asked for.
//   - It does not shorten a name that macros have made too long (section 7.3).
type spfDNS struct {
	dns     Resolver
	network string // of the client, "ip4" or "ip6"
}

// Signs that stand for others within the library. No name needs them.
const (
	atSign     = "\x01" // @: the library splits a sender at the first
	blank      = "\x02" // a blank: escaped it is %20 (RFC 3986), not +
	emptyPart  = "\x03" // nothing between two dots: the library drops it, and a..b would be a.b
	existsMark = "\x04" // behind the name of an "exists"
)

var (
	macroSafe = strings.NewReplacer("@", atSign, " ", blank, "..", "."+emptyPart+".")
	macroUndo = strings.NewReplacer(atSign, "@", blank, " ", emptyPart, "", existsMark, "",
		"%01", "%40", "%02", "%20", "%03", "") // as the macros in capitals escape them

	existsTerm = regexp.MustCompile(`(?i)(?:^| )[-+?~]?exists:[^ ]+`)
)

// nameAsked is the name that the library means, without labels on its left while it is too long.
func nameAsked(name string) string {
	name = strings.TrimSuffix(macroUndo.Replace(name), ".")
	for len(name) > maxName {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		name = rest
	}
	return name
}

func (d spfDNS) LookupTXT(ctx context.Context, name string) ([]string, error) {
	texts, err := d.dns.LookupTXT(ctx, nameAsked(name))
	marked := make([]string, 0, len(texts))
	for _, text := range texts {
		marked = append(marked, existsTerm.ReplaceAllString(text, "$0"+existsMark))
	}
	return marked, err
}

func (d spfDNS) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return d.dns.LookupMX(ctx, nameAsked(name))
}

func (d spfDNS) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return d.dns.LookupAddr(ctx, addr)
}

func (d spfDNS) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	network := d.network
	if strings.HasSuffix(host, existsMark) {
		network = "ip4"
	}
	ips, err := d.dns.LookupNetIP(ctx, network, nameAsked(host))
	addrs := make([]net.IPAddr, 0, len(ips))
	for _, ip := range ips {
		addrs = append(addrs, net.IPAddr{IP: ip.AsSlice()})
	}
	return addrs, err
}
