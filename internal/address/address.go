// Package address reads mail addresses: those of the SMTP envelope, which are the keys of every
// table, and those of the From header fields.
//
// Reading never fails. What an address means as a key is one question ([Parse]), whether it may be
// used in mail is another ([Address.Gross], [Address.Strict]): a policy must be able to block an
// address that no standard allows.
package address

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Address is an address of the SMTP envelope. The zero value is the null sender, "<>" on the wire
// (RFC 5321 section 4.5.5). Two addresses that name the same mailbox have the same Local and
// Domain, so [Address.Key] is good as a key.
type Address struct {
	// Original is the address as the MTA wrote it, without the angle brackets; a source route is
	// still there.
	Original string

	// Local is the local part without quotes and backslashes, case folded, in Unicode form C. RFC
	// 5321 section 2.4 calls it case sensitive; no system in use treats it so, and neither does
	// Postfix in its tables.
	Local string

	// Domain is the domain in lower case, U-labels as A-labels (RFC 5890), without a trailing dot;
	// an address literal keeps its brackets. It is empty when the address has none. A domain that
	// IDNA does not allow stays as it was written, in lower case.
	Domain string
}

// Parse reads an address as an MTA hands it to a milter, with or without angle brackets, and never
// fails: what is beyond reading ends up in Local. It does not allocate for an address that is
// already normal.
//
// A source route ("@a,@b:user@c") is left out of Local and Domain, as RFC 5321 section 4.1.1.3 asks
// of a receiver.
func Parse(s string) Address {
	s = trimAngles(s)
	local, domain := split(s)
	return Address{Original: s, Local: normalLocal(local), Domain: NormalDomain(domain)}
}

// IsNull tells whether this is the null sender.
func (a Address) IsNull() bool {
	return a.Original == "" && a.Local == "" && a.Domain == ""
}

// Key is "local@domain", or "local" for an address without a domain, or "" for the null sender
// only.
func (a Address) Key() string {
	switch {
	case a.IsNull():
		return ""
	case a.Domain == "" && a.Local != "":
		return a.Local
	}
	// The usual address is normal as it is written: its key is that very string.
	if n := len(a.Local); len(a.Original) == n+1+len(a.Domain) && a.Original[n] == '@' &&
		a.Original[:n] == a.Local && a.Original[n+1:] == a.Domain {
		return a.Original
	}
	return a.Local + "@" + a.Domain
}

// String is the key in angle brackets, for logs: "<user@example.com>", "<>".
func (a Address) String() string { return "<" + a.Key() + ">" }

// Base returns the address without its extension: "user@example.com" for "user+news@example.com"
// when the delimiters hold '+'. Delimiters is Postfix's recipient_delimiter: a set of characters,
// of which the first one found counts; empty means that there are no extensions. As in Postfix
// (split_addr(3)) a local part is not split into an empty one, and neither are postmaster,
// mailer-daemon, double-bounce and, when '-' is a delimiter, owner-x and x-request.
func (a Address) Base(delimiters string) Address {
	if delimiters == "" {
		return a
	}
	i := strings.IndexAny(a.Local, delimiters)
	if i <= 0 || neverSplit(a.Local, delimiters) {
		return a
	}
	a.Local = a.Local[:i]
	return a
}

func neverSplit(local, delimiters string) bool {
	switch local {
	case "postmaster", "mailer-daemon", "double-bounce":
		return true
	}
	return strings.Contains(delimiters, "-") &&
		(strings.HasPrefix(local, "owner-") || (strings.HasSuffix(local, "-request") && len(local) > len("-request")))
}

// NormalDomain is the form in which Domain is kept; it serves host names as well. It does not
// allocate for a domain that is already normal.
func NormalDomain(domain string) string {
	if isASCII(domain) {
		return strings.TrimRight(strings.ToLower(domain), ".")
	}
	if !utf8.ValidString(domain) {
		return strings.TrimRight(lowerASCII(domain), ".")
	}
	ascii, err := lookupIDNA.ToASCII(domain)
	if err != nil || ascii == "" {
		if lower := strings.ToLower(domain); lower != domain {
			return NormalDomain(lower) // there are letters of which only the small one may be in a name
		}
		ascii = domain
	}
	return strings.TrimRight(ascii, ".")
}

// UnicodeDomain is a normal domain with its A-labels as U-labels, for tables that are written that
// way and for display. It returns the domain itself when there is nothing to change.
func UnicodeDomain(domain string) string {
	if !strings.Contains(domain, "xn--") {
		return domain
	}
	unicode, err := lookupIDNA.ToUnicode(domain)
	if err != nil {
		return domain
	}
	return unicode
}

// Fold is the case folding of keys: the full folding of Unicode, which is what Postfix does
// (casefold(3)). Bytes that are not UTF-8 stay as they are, and then only ASCII is folded, again as
// Postfix does.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	if !utf8.ValidString(s) {
		return lowerASCII(s)
	}
	return strings.Map(foldCherokee, cases.Fold().String(s))
}

// foldCherokee mends the one script that cases.Fold turns both ways: Unicode folds Cherokee to its
// capitals.
func foldCherokee(r rune) rune {
	switch {
	case 0xab70 <= r && r <= 0xabbf:
		return r - 0xab70 + 0x13a0
	case 0x13f8 <= r && r <= 0x13fd:
		return r - 8
	}
	return r
}

// lookupIDNA maps as for a look-up (UTS 46: case, width, form C) and is lenient where deployed
// names are: underscores and hyphens anywhere, no rule for mixed directions.
var lookupIDNA = idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.CheckHyphens(false),
	idna.Transitional(false))

func normalLocal(local string) string {
	local = Fold(unquote(local))
	if isASCII(local) || !utf8.ValidString(local) {
		return local
	}
	return norm.NFC.String(local)
}

// unquote takes away the quotes and backslashes of a quoted-string (RFC 5321 section 4.1.2),
// wherever they stand. A quote that is not closed is taken as it is.
func unquote(s string) string {
	if !strings.ContainsAny(s, `"\`) || !closedQuotes(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
		case s[i] == '"':
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func closedQuotes(s string) bool {
	open := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			open = !open
		}
	}
	return !open
}

func trimAngles(s string) string {
	if len(s) >= 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}

// split returns the raw local part and domain: at the last "@" that no quotes protect.
func split(s string) (local, domain string) {
	s = s[len(route(s)):]
	if at := lastAt(s); at >= 0 {
		return s[:at], s[at+1:]
	}
	return s, ""
}

func lastAt(s string) int {
	if !strings.ContainsAny(s, `"\`) || !closedQuotes(s) {
		return strings.LastIndexByte(s, '@')
	}
	at, open := -1, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			open = !open
		case '@':
			if !open {
				at = i
			}
		}
	}
	return at
}

// route is the source route at the beginning of a path with its colon, "@a,@b:" (RFC 5321 section
// 4.1.2 A-d-l), or "".
func route(s string) string {
	if s == "" || s[0] != '@' {
		return ""
	}
	colon := strings.IndexByte(s, ':')
	// A colon inside an address literal ("@[IPv6:...") ends no route.
	if colon < 0 || strings.LastIndexByte(s[:colon], '[') > strings.LastIndexByte(s[:colon], ']') {
		return ""
	}
	return s[:colon+1]
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lowerASCII is for strings that are not UTF-8: strings.ToLower would replace their bytes.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
