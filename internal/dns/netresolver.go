package dns

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"

	miekg "github.com/miekg/dns"
)

// NetResolver offers the look-ups of [net.Resolver] over any way of asking: a [Resolver], one that
// records, or a replay. Its methods are what blitiri.com.ar/go/spf wants of a DNSResolver. Errors
// are *net.DNSError: IsNotFound for "not there", whether the name or the records are missing;
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

// LookupIPAddr is [NetResolver.LookupIPAddr] of this resolver.
func (r *Resolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return r.Net().LookupIPAddr(ctx, host)
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

// LookupIPAddr returns the addresses of a host, IPv4 and IPv6, asked at once. If one family fails,
// so does the whole: half an answer would make SPF say "fail" where it cannot know.
func (n NetResolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []net.IPAddr{{IP: ip.AsSlice(), Zone: ip.Zone()}}, nil
	}
	type result struct {
		answer Answer
		err    error
	}
	six := make(chan result, 1)
	go func() {
		a, err := n.ask(ctx, AAAA, host)
		six <- result{a, err}
	}()
	v4, err4 := n.ask(ctx, A, host)
	v6 := <-six
	for _, err := range []error{err4, v6.err} {
		if err != nil && !notFound(err) {
			return nil, err
		}
	}
	var addrs []net.IPAddr
	for _, ip := range append(append([]netip.Addr(nil), v4.Addrs...), v6.answer.Addrs...) {
		addrs = append(addrs, net.IPAddr{IP: ip.AsSlice()})
	}
	if len(addrs) == 0 {
		return nil, err4
	}
	return addrs, nil
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
	if _, ok := miekg.IsDomainName(name); !ok || len(strings.TrimSuffix(name, ".")) > MaxName {
		// As net.Resolver: what cannot be a name does not exist, and asking again will not change that.
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

func notFound(err error) bool {
	dnsErr, ok := err.(*net.DNSError)
	return ok && dnsErr.IsNotFound
}
