package table

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"mailweir/internal/address"
)

// neverAsked says that a key can never match, and what to write in its place.
func (l *ListOptions) neverAsked(key string) error {
	if l.Asked == OwnKeys {
		return l.Own(key)
	}
	return fmt.Errorf("%s can never match: %s", strconv.Quote(key), l.instead(key))
}

// instead says what to write for a key that can never match.
func (l *ListOptions) instead(key string) string {
	switch net, err := netip.ParsePrefix(key); {
	case len(key) > 2 && key[0] == '/' && strings.LastIndexByte(key, '/') > 0:
		return "a pattern stands in a table of type regexp: or pcre:"
	case err == nil:
		return l.insteadOfNet(net)
	case key == "*" || key == "*@*" || key == "@":
		return "an entry for all is static:VALUE"
	case l.Asked&Recipients != 0 && key == "<>":
		return "it is no recipient"
	case l.Asked&Recipients != 0 && key[0] == '.':
		return fmt.Sprintf("a domain does not stand for its sub-domains here, and all its addresses are %q", "@example.org")
	case l.Asked&Recipients != 0 && key[len(key)-1] == ':':
		return "this looks like a file of aliases (aliases(5)), which is not read; make a list of its names"
	}
	if right := l.rightSpelling(key); right != "" {
		return "write " + right
	}
	return l.foreign(key)
}

// insteadOfNet says how a net is written.
func (l *ListOptions) insteadOfNet(net netip.Prefix) string {
	if l.Asked&Clients == 0 {
		return "clients are not looked up here, and so neither are nets"
	}
	net = net.Masked()
	cidr := fmt.Sprintf("a net stands in a table of type cidr:, as %s", net)
	if bits := net.Bits(); net.Addr().Is4() && bits > 0 && bits%8 == 0 {
		octets := strings.SplitN(net.Addr().String(), ".", bits/8+1)
		return fmt.Sprintf("write %q, or: %s", strings.Join(octets[:bits/8], "."), cidr)
	}
	return cidr
}

// rightSpelling is the nearest key that can match, with what it means, "" where there is none.
func (l *ListOptions) rightSpelling(key string) string {
	if domain, ok := wildcard(key); ok && isName(domain) {
		return l.ofDomain(key, domain)
	}
	for _, right := range l.spelledRight(key) {
		if right != "" && right != key && l.asks(right) {
			return strconv.Quote(right)
		}
	}
	return ""
}

// wildcard is the domain of "*.example.com", "@example.com", "*@example.com" and "*@*.example.com".
func wildcard(key string) (domain string, ok bool) {
	for _, prefix := range []string{"*@*.", "@*.", "@.", "*@", "*.", "@", "*"} {
		if domain, ok := strings.CutPrefix(key, prefix); ok {
			return strings.TrimSuffix(domain, "."), true
		}
	}
	return "", false
}

// ofDomain says how a domain is written, of which somebody wrote a wildcard.
func (l *ListOptions) ofDomain(key, domain string) string {
	below := strings.Contains(key, "*.") || strings.Contains(key, "@.") || !strings.ContainsAny(key, "@.")
	switch {
	case l.Asked&Recipients != 0 && below:
		return fmt.Sprintf("%q for all addresses of that domain; it does not stand for its sub-domains here", "@"+domain)
	case l.Asked&Recipients != 0:
		return fmt.Sprintf("%q for all addresses of the domain", "@"+domain)
	case below && l.Subdomains:
		return fmt.Sprintf("%q for its sub-domains, or %q for the domain with its sub-domains", "."+domain, domain)
	case below:
		return fmt.Sprintf("%q for its sub-domains", "."+domain)
	case l.Subdomains:
		return fmt.Sprintf("%q, which stands for its sub-domains, too", domain)
	}
	return strconv.Quote(domain)
}

// spelledRight are other ways to write a key, the likeliest first.
func (l *ListOptions) spelledRight(key string) []string {
	bare := strings.TrimRight(strings.Trim(key, "<>()[],;"), ".,;:>)")
	bare = strings.TrimPrefix(bare, "mailto:")
	list := []string{bare, strings.TrimSuffix(bare, ".*"), strings.TrimSuffix(bare, ".x"), strings.TrimSuffix(bare, "@")}
	if a := address.Parse(bare); a.Local != "" && a.Domain != "" {
		list = append(list, a.Key(), spellings(a.Local)[1]+"@"+a.Domain)
	}
	if ip, err := netip.ParseAddr(bare); err == nil {
		list = append(list, ip.Unmap().WithZone("").String())
	}
	list = append(list, address.NormalDomain(bare))
	if _, domain, ok := strings.Cut(bare, "@"); ok && l.Asked&(Addresses|Recipients) == 0 {
		list = append(list, domain)
	}
	return list
}

// foreign says what is asked for here, of a key that is nothing of the kind.
func (l *ListOptions) foreign(key string) string {
	if strings.Contains(key, "*") {
		return "a key has no wildcards; patterns stand in a table of type regexp: or pcre:"
	}
	return "what is looked up here are " + strings.Join(l.Asked.names(), ", ")
}

// errNoNets is the error of a cidr: table where no client is asked for.
var errNoNets = errors.New("a table of nets can never match: clients are not looked up here")
