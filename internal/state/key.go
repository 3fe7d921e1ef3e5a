package state

import (
	"fmt"
	"strings"
)

// separator stands between the parts of a key. It is rare in addresses and nets, so keys stay readable.
const separator = "|"

// usualKey is longer than most keys.
const usualKey = 128

// maxKey bounds a key in octets: two addresses, a net and every octet escaped.
const maxKey = 4096

// Key returns the key of these parts in a space: greylist|192.0.2.0/24|a@example.com|b@example.net. The separator, % and
// control octets within a part are written as %XX.
func Key(space string, parts ...string) string {
	return string(appendKey(make([]byte, 0, usualKey), space, parts))
}

// Prefix returns what the keys of a space with these first parts begin with. The keys with exactly these parts are not among them.
func Prefix(space string, parts ...string) string {
	if len(parts) == 0 {
		return space + separator
	}
	return string(appendKey(make([]byte, 0, usualKey), space, append(parts[:len(parts):len(parts)], "")))
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

func appendKey(key []byte, space string, parts []string) []byte {
	key = append(append(key, space...), separator...)
	for i, part := range parts {
		if i > 0 {
			key = append(key, separator...)
		}
		key = appendEscaped(key, part)
	}
	return key
}

func special(c byte) bool { return c < ' ' || c == 0x7f || c == separator[0] || c == '%' }

func appendEscaped(key []byte, part string) []byte {
	for i := range len(part) {
		if special(part[i]) {
			key = fmt.Appendf(key, "%%%02X", part[i])
		} else {
			key = append(key, part[i])
		}
	}
	return key
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
