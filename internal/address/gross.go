package address

import (
	"errors"
	"net/netip"
	"strings"
)

// The gross errors of an address, and those that only the grammar of RFC 5321 section 4.1.2 and RFC
// 6531 section 3.3 knows. Each is said so that the administrator sees what is wrong; none quotes
// the address.
var (
	ErrEmptyLocal = errors.New("the local part is empty")
	ErrNoDomain   = errors.New("the address has no domain")
	ErrControl    = errors.New("a control character or space is not quoted")
	ErrLabelLong  = errors.New("a label of the domain is longer than 63 octets")
	ErrDomainLong = errors.New("the domain is longer than 254 octets")
	ErrLiteral    = errors.New("the address literal is malformed")
	ErrRouting    = errors.New("the address routes by itself (source route, or one of % ! @ in the local part)")
)

// Rules are what the caller knows about an address that is to be judged.
type Rules struct {
	// NoDomain allows an address without a domain: bare "postmaster" (RFC 5321 section 4.1.1.3),
	// trusted clients.
	NoDomain bool

	// NoRouting refuses an address that asks us to send it on elsewhere: for recipients of
	// untrusted clients. It is the meaning of Postfix's allow_untrusted_routing=no:
	// user[@%!]remote[@%!]site.
	NoRouting bool
}

// Gross returns the first gross error of the address, nil when there is none. The null sender has
// none.
//
// Sources: RFC 5321 sections 4.1.2 (grammar), 4.1.3 (literals); RFC 1035 section 2.3.4 (label of 63
// octets, name of 255 on the wire, which leaves 254 with its final dot).
func (a Address) Gross(rules Rules) error {
	if a.IsNull() {
		return nil
	}
	local, domain := split(a.Original)
	if a.Original == "" { // not from Parse
		local, domain = a.Local, a.Domain
	}
	switch {
	case unquotedControl(local) || hasControl(domain):
		return ErrControl
	case a.Local == "":
		return ErrEmptyLocal
	case a.Domain == "" && (domain != "" || !rules.NoDomain):
		return ErrNoDomain
	case rules.NoRouting && (route(a.Original) != "" || strings.ContainsAny(a.Local, "%!@")):
		return ErrRouting
	}
	return grossDomain(a.Domain)
}

func grossDomain(domain string) error {
	if strings.ContainsAny(domain, "[]") {
		if !validLiteral(domain) {
			return ErrLiteral
		}
		return nil
	}
	if len(domain) > 254 {
		return ErrDomainLong
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > 63 {
			return ErrLabelLong
		}
	}
	return nil
}

// validLiteral knows the two literals there are (RFC 5321 section 4.1.3; no other tag was ever
// registered).
func validLiteral(domain string) bool {
	if len(domain) < 2 || domain[0] != '[' || domain[len(domain)-1] != ']' {
		return false
	}
	text := domain[1 : len(domain)-1]
	const tag = "ipv6:"
	v6 := len(text) > len(tag) && strings.EqualFold(text[:len(tag)], tag)
	if v6 {
		text = text[len(tag):]
	}
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Is4() != v6 && ip.Zone() == ""
}

// unquotedControl looks for octets that need quotes and have none. A quote that is not closed
// protects nothing.
func unquotedControl(local string) bool {
	protects := closedQuotes(local)
	open := false
	for i := 0; i < len(local); i++ {
		switch c := local[i]; {
		case c == '\\' && protects:
			i++
		case c == '"' && protects:
			open = !open
		case !open && isControl(local, i):
			return true
		}
	}
	return false
}

func hasControl(s string) bool {
	for i := range len(s) {
		if isControl(s, i) {
			return true
		}
	}
	return false
}

// isControl covers space, the controls of ASCII and those of Latin-1 in UTF-8 (U+0080 to U+009F).
func isControl(s string, i int) bool {
	c := s[i]
	return c <= ' ' || c == 0x7f || (c == 0xc2 && i+1 < len(s) && 0x80 <= s[i+1] && s[i+1] < 0xa0)
}
