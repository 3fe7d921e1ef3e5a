package mailauth

import (
	"golang.org/x/net/publicsuffix"

	"mailweir/internal/address"
)

// Aligned reports whether two domains belong to the same organization: relaxed alignment of RFC
// 7489 section 3.1.
func Aligned(a, b string) bool {
	return a != "" && organization(a) == organization(b)
}

// organization is the organizational domain (RFC 7489 section 3.2).
func organization(domain string) string {
	domain = address.NormalDomain(domain)
	if o, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return o
	}
	return domain
}
