package byhand

import (
	"net/netip"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// Subject is what an entry is about: a sender's address, a sender's domain, or clients.
type Subject struct {
	// Sender is an address, or a domain and all below it; "" for clients.
	Sender string
	// Clients are the clients of a net; a single one is a net of one address.
	Clients netip.Prefix
}

// mostParents bounds the parents by which one domain is looked up: the sender chose the number of
// labels. Of longer names the uppermost are looked up; no entry may be about a longer domain.
const mostParents = 16

// ParseSubject reads what a person wrote: an address of a client, a net, an address of a sender, or
// a domain; .example stands for a whole top-level domain.
func ParseSubject(word string) (Subject, error) {
	plain := strings.NewReplacer("[", "", "]", "").Replace(word)
	_, isAddress := netip.ParseAddr(plain)
	if isAddress == nil || strings.Contains(word, "/") {
		nets, err := policy.ParseNets([]string{word})
		if err != nil {
			return Subject{}, policy.Wrongf("%v", err)
		}
		return Subject{Clients: unmapped(nets[0])}, nil
	}
	sender, err := NormalSender(word)
	if err != nil {
		return Subject{}, policy.Wrongf("%v", err)
	}
	return Subject{Sender: sender}, nil
}

// unmapped writes a net of IPv4-mapped addresses as one of IPv4. Such a net has 96 bits or more,
// else its address would have lost some of those that make it one.
func unmapped(net netip.Prefix) netip.Prefix {
	if !net.Addr().Is4In6() {
		return net
	}
	return netip.PrefixFrom(net.Addr().Unmap(), net.Bits()-96)
}

// String is the subject as people write it: an address without the length of a net.
func (s Subject) String() string {
	switch {
	case s.Sender != "":
		return s.Sender
	case s.Clients.IsSingleIP():
		return s.Clients.Addr().String()
	}
	return s.Clients.String()
}

// IsDomain reports whether it is about all of a domain.
func (s Subject) IsDomain() bool { return s.Sender != "" && !strings.Contains(s.Sender, "@") }

// NormalSender is the form in which an address or a domain of a sender is kept. It is not valid
// without a dot or an @: that is most likely a slip.
func NormalSender(text string) (string, error) {
	if !strings.Contains(text, "@") {
		domain := address.NormalDomain(strings.TrimPrefix(text, "."))
		if domain == "" || !strings.Contains(text, ".") || domain[0] == '.' {
			return "", notSender(text)
		}
		if strings.ContainsAny(domain, "/*<>\": ") {
			return "", notSender(text)
		}
		if _, err := netip.ParseAddr(domain); err == nil {
			return "", notSender(text)
		}
		if strings.Count(domain, ".") >= mostParents {
			return "", policy.Wrongf("%q has more than %d labels", text, mostParents)
		}
		return domain, nil
	}
	a := address.Parse(text)
	if a.Local == "" || a.Local == "*" || a.Domain == "" {
		return "", notSender(text)
	}
	if key := a.Key(); address.Parse(key).Key() != key { // people could not name it again
		return "", policy.Wrongf("%q has a local part that cannot be entered; use a table", text)
	}
	return a.Key(), nil
}

func notSender(text string) error {
	for _, prefix := range []string{"@", "*@", "*."} {
		if domain, ok := strings.CutPrefix(text, prefix); ok && strings.Contains(domain, ".") && !strings.ContainsAny(domain, "@*/ ") {
			return policy.Wrongf("%q is neither an address nor a domain; for all of a domain, and all below it, write %s", text, domain)
		}
	}
	return policy.Wrongf("%q is neither an address nor a domain", text)
}

// SendersOf returns the keys of a sender, the most specific first: the address, without its
// extension, its domain, its parent domains.
func SendersOf(a address.Address, delimiter string) []string {
	keys := []string{a.Key()}
	if base := a.Base(delimiter); base.Local != a.Local {
		keys = append(keys, base.Key())
	}
	var parents []string
	for _, rest, more := strings.Cut(a.Domain, "."); more; _, rest, more = strings.Cut(rest, ".") {
		parents = append(parents, rest)
	}
	if a.Domain != "" {
		keys = append(keys, a.Domain)
	}
	return append(keys, parents[max(0, len(parents)-mostParents):]...)
}
