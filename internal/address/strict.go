package address

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The errors of [Address.Strict] that are not gross.
var (
	ErrLocalLong   = errors.New("the local part is longer than 64 octets")
	ErrPathLong    = errors.New("the address is longer than 254 octets")
	ErrLocalSyntax = errors.New("the local part is neither atoms with single dots between them nor one quoted string")
	ErrQuotedOctet = errors.New("the quoted local part holds an octet that RFC 5321 does not allow")
	ErrDomain      = errors.New("a label of the domain is empty, begins or ends with a hyphen, or holds other than letters, digits and hyphens")
	ErrIDN         = errors.New("the domain is not a valid internationalised name")
	ErrUTF8        = errors.New("the address is not ASCII and the client did not ask for SMTPUTF8")
	ErrNotUTF8     = errors.New("the address is not valid UTF-8")
)

// Strict returns the first thing that RFC 5321 section 4.1.2 (Mailbox), its limits in section
// 4.5.3.1 and, with smtputf8, RFC 6531 section 3.3 do not allow; gross errors come first. The null
// sender is fine. A source route is judged by rules.NoRouting alone: RFC 5321 appendix C wants it
// accepted and ignored.
func (a Address) Strict(rules Rules, smtputf8 bool) error {
	if err := a.Gross(rules); err != nil || a.IsNull() {
		return err
	}
	mailbox := a.Original[len(route(a.Original)):]
	local, domain := split(mailbox)
	switch {
	case !utf8.ValidString(mailbox):
		return ErrNotUTF8
	case !smtputf8 && !isASCII(mailbox):
		return ErrUTF8
	case len(local) > 64: // section 4.5.3.1.1
		return ErrLocalLong
	case len(mailbox) > 254: // section 4.5.3.1.3: a path of 256 with its brackets
		return ErrPathLong
	}
	if err := strictLocal(local); err != nil {
		return err
	}
	if domain == "" || domain[0] == '[' { // gross errors are out already
		return nil
	}
	return strictDomain(domain)
}

func strictLocal(local string) error {
	if local[0] == '"' {
		return strictQuoted(local)
	}
	atom := 0 // length of the current one
	for i := range len(local) {
		switch c := local[i]; {
		case isAtext(c):
			atom++
		case c == '.' && atom > 0:
			atom = 0
		default:
			return ErrLocalSyntax
		}
	}
	if atom == 0 {
		return ErrLocalSyntax
	}
	return nil
}

func strictQuoted(local string) error {
	i := 1
	for ; i < len(local) && local[i] != '"'; i++ {
		if local[i] == '\\' { // quoted-pairSMTP: backslash and %d32-126
			if i++; i == len(local) {
				return ErrLocalSyntax
			}
			if local[i] >= utf8.RuneSelf {
				return ErrQuotedOctet
			}
		}
		if local[i] < ' ' || local[i] == 0x7f {
			return ErrQuotedOctet
		}
	}
	if i != len(local)-1 {
		return ErrLocalSyntax
	}
	return nil
}

func strictDomain(domain string) error {
	if !isASCII(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return ErrIDN
		}
		domain = ascii
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, ldh) != "" {
			return ErrDomain
		}
		if len(label) > 4 && strings.EqualFold(label[:4], "xn--") {
			if _, err := idna.Lookup.ToUnicode(label); err != nil {
				return ErrIDN
			}
		}
	}
	return nil
}

const ldh = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

// isAtext is atext of RFC 5322 section 3.2.3 with UTF8-non-ascii of RFC 6531 section 3.3.
func isAtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
