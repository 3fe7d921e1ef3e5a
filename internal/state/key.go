package state

import (
	"fmt"
	"strings"
)

// separator stands between the parts of a key. It is rare in addresses and nets, so keys stay readable.
const separator = "|"

// maxKey bounds a key in octets: two addresses, a net and every octet escaped.
const maxKey = 4096

// Key returns the key of these parts in a space: greylist|192.0.2.0/24|a@example.com|b@example.net. The separator, % and
// control octets within a part are written as %XX.
func Key(space string, parts ...string) string {
	return space + separator + join(parts)
}

// Prefix returns what the keys of a space with these first parts begin with. The keys with exactly these parts are not among them.
func Prefix(space string, parts ...string) string {
	if len(parts) == 0 {
		return space + separator
	}
	return space + separator + join(parts) + separator
}

// Parts returns the space and the parts that a key was made of.
func Parts(key string) (space string, parts []string) {
	space, rest, found := strings.Cut(key, separator)
	if !found {
		return "", []string{unescape(key)}
	}
	parts = strings.Split(rest, separator)
	for i := range parts {
		parts[i] = unescape(parts[i])
	}
	return space, parts
}

// spaceOf returns the space of a key. A key without a separator is in the space without a name.
func spaceOf(key string) string {
	space, _, found := strings.Cut(key, separator)
	if !found {
		return ""
	}
	return space
}

func join(parts []string) string {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = escape(p)
	}
	return strings.Join(escaped, separator)
}

func special(c byte) bool { return c < ' ' || c == 0x7f || c == separator[0] || c == '%' }

func escape(s string) string {
	n := 0
	for i := range len(s) {
		if special(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	for i := range len(s) {
		if special(s[i]) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := hex(s[i+1]), hex(s[i+2])
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
