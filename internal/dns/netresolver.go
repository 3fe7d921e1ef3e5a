package dns

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// NetResolver offers the look-ups of [net.Resolver] over any way of asking: a [Resolver], one that
// records, or a replay. Names are as they are, not escaped as in a zone file. Errors are
// *net.DNSError: IsNotFound for "not there", whether the name or the records are missing;
// IsTemporary for every failure, IsTimeout too where it was one.
type NetResolver struct {
	Ask func(context.Context, Question) Answer
}

// Net is the resolver as a [NetResolver].
func (r *Resolver) Net() NetResolver { return NetResolver{r.Ask} }

// LookupTXT is [NetResolver.LookupTXT] of this resolver.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return r.Net().LookupTXT(ctx, name)
}

// LookupMX is [NetResolver.LookupMX] of this resolver.
func (r *Resolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return r.Net().LookupMX(ctx, name)
}

// LookupNetIP is [NetResolver.LookupNetIP] of this resolver.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return r.Net().LookupNetIP(ctx, network, host)
}

// LookupAddr is [NetResolver.LookupAddr] of this resolver.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return r.Net().LookupAddr(ctx, addr)
}

// LookupTXT returns the TXT records of a name, the strings of each joined (RFC 7208 section 3.3).
func (n NetResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, err := n.ask(ctx, TXT, name)
	return a.Texts, err
}

// LookupMX returns the MX records of a name.
func (n NetResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	a, err := n.ask(ctx, MX, name)
	var mx []*net.MX
	for _, text := range a.Texts {
		pref, host, _ := strings.Cut(text, " ")
		if p, err := strconv.ParseUint(pref, 10, 16); err == nil {
			mx = append(mx, &net.MX{Host: host, Pref: uint16(p)})
		}
	}
	return mx, err
}

// LookupNetIP returns the addresses of a host of one family: network is "ip4" or "ip6". An address
// is its own answer, as in [net.Resolver].
func (n NetResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	records := A
	if network == "ip6" {
		records = AAAA
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Is4() != (records == A) {
			return nil, &net.DNSError{Err: "an address of the other family", Name: host, IsNotFound: true}
		}
		return []netip.Addr{ip}, nil
	}
	a, err := n.ask(ctx, records, host)
	return a.Addrs, err
}

// LookupAddr returns the names of an address (PTR).
func (n NetResolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "not an IP address", Name: addr}
	}
	ip = ip.Unmap().WithZone("")
	suffix := "in-addr.arpa"
	if ip.Is6() {
		suffix = "ip6.arpa"
	}
	a, err := n.ask(ctx, PTR, string(AppendReversed(nil, ip))+"."+suffix)
	return a.Texts, err
}

// ask gives every answer other than records as a *net.DNSError.
func (n NetResolver) ask(ctx context.Context, t Type, name string) (Answer, error) {
	if !IsName(name) {
		// As net.Resolver: what cannot be a name does not exist, and asking again will not change
		// that.
		return Answer{Status: NoName}, &net.DNSError{Err: "not a domain name", Name: name, IsNotFound: true}
	}
	a := n.Ask(ctx, NewQuestion(t, name))
	switch a.Status {
	case Found:
		return a, nil
	case NoName, NoData:
		return a, &net.DNSError{Err: a.String(), Name: name, IsNotFound: true}
	}
	e := &net.DNSError{Err: a.String(), Name: name, IsTemporary: true}
	if a.Err != nil {
		e.Server, e.IsTimeout = a.Err.Server, a.Err.Failure == Timeout
	}
	return a, e
}
