package table

import (
	"fmt"
	"net/netip"
	"strings"
)

// Wide says which entries of a list that lets mail past ([Use.Opens]) let more of it past than
// anybody will have meant: all of it, a whole top-level domain, a sixteenth of the Internet. Of
// tables that wait nothing is known.
func (l *List) Wide() (remarks []string) {
	if l == nil || !l.options.Opens {
		return nil
	}
	add := func(t *Table, line int, what string) {
		place := t.fault(line, nil)
		where := place.Place
		if line > 0 {
			where = fmt.Sprintf("%s:%d", place.Place, line)
		}
		remarks = append(remarks, where+": "+what)
	}
	for _, t := range l.tables {
		lets := func(value string, fixed int) bool {
			m := l.answer(t, Match{Value: value, fixed: fixed})
			return m.Member()
		}
		switch s := t.source.(type) {
		case constant:
			if lets(string(s), len(s)) {
				add(t, 0, "lets everybody pass")
			}
		case *hashed:
			_ = s.eachEntry(func(m Match) error {
				if what := l.options.wideKey(m.Key); what != "" && lets(m.Value, m.fixed) {
					add(t, m.Line, what)
				}
				return nil
			})
		case *networks:
			for _, r := range s.rules {
				if (r.negate || WideNet(r.prefix)) && lets(r.value, len(r.value)) {
					add(t, r.line, "lets most of the Internet pass")
				}
			}
		case *patterns:
			for i := range s.rules {
				r := &s.rules[i]
				if r.skipTo == 0 && !r.negate && r.traits.all && lets(r.value.expand(func(int) string { return "" }), r.value.fixed()) {
					add(t, r.line, "lets everybody pass")
				}
			}
		}
	}
	return remarks
}

// wideKey says what a key means that stands for very much.
func (l *ListOptions) wideKey(key string) string {
	name := strings.TrimPrefix(key, ".")
	switch {
	case strings.ContainsAny(name, "@.:<[") || name == "localhost":
		return ""
	case strings.Trim(name, "0123456789") == "":
		net, err := netip.ParsePrefix(name + ".0.0.0/8")
		if l.Asked&Clients != 0 && err == nil && WideNet(net) {
			return "lets all of " + net.String() + " pass"
		}
		return ""
	case l.Asked&(Addresses|Domains|Clients) != 0 && (l.Subdomains || key != name):
		return fmt.Sprintf("lets the whole top-level domain %s pass", name)
	}
	return ""
}

// WideNet reports whether a net has more than 2^24 addresses of IPv4, or is a /16 of IPv6 or wider,
// and is no private one.
func WideNet(net netip.Prefix) bool {
	limit := 8
	if net.Addr().Is6() {
		limit = 16
	}
	return net.Bits() <= limit && !PrivateNet(net)
}

// PrivateNet reports whether no host of the Internet has an address in the net: RFC 1918, RFC 4193,
// RFC 6598, loopback and link-local addresses.
func PrivateNet(net netip.Prefix) bool {
	for _, private := range [...]string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
	} {
		if p := netip.MustParsePrefix(private); p.Bits() <= net.Bits() && p.Contains(net.Addr()) {
			return true
		}
	}
	return false
}

// RefusesNobody reports whether a block list has entries, and none that refuses. Of tables that
// wait nothing is known.
func (l *List) RefusesNobody() bool {
	if l == nil || l.options.Bare != "REJECT" || l.Waits() || l.Empty() {
		return false
	}
	for _, t := range l.tables {
		refuses := false
		_ = t.source.each(func(_ int, value string, fixed int) error {
			switch l.answer(t, Match{Value: value, fixed: fixed}).Action.Verb {
			case Reject, Defer:
				refuses = true
				return errNoKeys // one is enough
			}
			return nil
		})
		if refuses {
			return false
		}
	}
	return true
}

// Entries calls f for each entry of the tables that have keys of their own, until it returns false.
func (l *List) Entries(f func(Match) bool) {
	if l == nil {
		return
	}
	for _, t := range l.tables {
		if t.hash != nil && t.hash.eachEntry(func(m Match) error {
			if !f(l.answer(t, m)) {
				return errNoKeys
			}
			return nil
		}) != nil {
			return
		}
	}
}
