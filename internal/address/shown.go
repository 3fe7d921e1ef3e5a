package address

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// salutation is a sentence in one letter, which form KC makes eleven times as long. No address is
// meant by it.
const salutation = "\ufdfa"

// asShown is a text as it looks: letters and signs of another width or style are the plain ones
// (Unicode form KC, UAX 15), and what draws nothing is gone.
func asShown(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u3002': // the ideographic full stop, which UTS 46 takes for a dot as well
			return '.'
		case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		}
		return r
	}, norm.NFKC.String(strings.ReplaceAll(s, salutation, " ")))
}

// domainAsShown is a normal domain as a program shows it that decodes whatever stands in an A-label
// (RFC 3492): it may be letters that IDNA never encodes, such as full-width ones.
func domainAsShown(domain string) string {
	if !strings.Contains(domain, "xn--") {
		return domain
	}
	unicode, err := idna.Punycode.ToUnicode(domain)
	if err != nil || strings.Contains("."+unicode+".", "..") {
		return domain
	}
	return NormalDomain(asShown(unicode))
}
