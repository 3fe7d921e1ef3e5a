package ldap

import (
	"fmt"
	"strings"
)

// quoteFilter makes a part of a key stand for itself in a filter (RFC 4515, section 3).
func quoteFilter(s string) string { return quote(s, "*()\\\x00") }

// quoteBase makes a part of a key stand for itself in a distinguished name (RFC 4514, section 2.4).
// As Postfix does, it quotes blanks and "#" wherever they stand.
func quoteBase(s string) string { return quote(s, " \t\"#+,;<>\\\x00") }

func quote(s, special string) string {
	if !strings.ContainsAny(s, special) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 {
			fmt.Fprintf(&b, `\%02X`, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
