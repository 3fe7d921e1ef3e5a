package rbl

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"mailweir/internal/dns"
)

// DomainKey is a domain as it is asked of a domain list: lower case A-labels (RFC 5890) without a
// trailing dot. What no such list can have is an error: an IP literal or address, a single label,
// bad characters, or a name or label that is too long.
func DomainKey(domain string) (string, error) {
	d := strings.TrimSuffix(domain, ".")
	if d == "" || strings.HasPrefix(d, "[") || !utf8.ValidString(d) {
		return "", errors.New("not a domain name")
	}
	if _, err := netip.ParseAddr(d); err == nil {
		return "", errors.New("an IP address is not a domain name")
	}
	for i := 0; i < len(d); i++ {
		if d[i] >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(d)
			if err != nil {
				return "", errors.New("not a valid internationalised domain name")
			}
			d = ascii
			break
		}
	}
	d = strings.ToLower(d)
	if len(d) > dns.MaxName {
		return "", errors.New("the name is longer than 253 octets")
	}
	labels := 0
	for label := range strings.SplitSeq(d, ".") {
		if err := checkLabel(label); err != nil {
			return "", err
		}
		labels++
	}
	if labels < 2 {
		return "", errors.New("a single label is not a public domain name")
	}
	return d, nil
}

// checkLabel allows what is seen in host names and mail domains: letters, digits, hyphens and
// underscores.
func checkLabel(label string) error {
	if label == "" || len(label) > 63 {
		return errors.New("a label must have 1 to 63 octets")
	}
	for i := 0; i < len(label); i++ {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return errors.New("a label may have letters, digits, hyphens and underscores only")
		}
	}
	return nil
}
