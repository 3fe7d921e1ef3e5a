package ldap

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	ldaplib "github.com/go-ldap/ldap/v3"
)

// reference is an LDAP URL (RFC 4516) as far as it is followed: on the same server, whatever host
// it names.
type reference struct {
	host, port string // the port is "" if there is none
	base       string
	attributes []string // none: all
	scope      int
	filter     string
}

var schemes = []string{"ldap", "ldaps", "ldapi"}

// cutScheme reports whether a text is an LDAP URL as libldap takes one: perhaps with "URL:" in
// front, or in angle brackets.
func cutScheme(text string) (scheme, rest string, ok bool) {
	enclosed := strings.HasPrefix(text, "<")
	text = strings.TrimPrefix(text, "<")
	if len(text) >= 4 && strings.EqualFold(text[:4], "URL:") {
		text = text[4:]
	}
	before, rest, found := strings.Cut(text, "://")
	if !found {
		return "", "", false
	}
	if enclosed {
		rest = strings.TrimSuffix(rest, ">")
	}
	for _, scheme = range schemes {
		if strings.EqualFold(before, scheme) {
			return scheme, rest, true
		}
	}
	return "", "", false
}

// parseURL reads an LDAP URL as libldap does: what is missing is the base object and any entry.
func parseURL(text string) (scheme string, r reference, err error) {
	scheme, rest, ok := cutScheme(text)
	if !ok {
		return "", r, fmt.Errorf("%q is no LDAP URL", text)
	}
	hostPort, rest, _ := strings.Cut(rest, "/")
	if err := r.readHost(scheme, hostPort); err != nil {
		return "", r, fmt.Errorf("%q: %w", text, err)
	}
	parts := strings.Split(rest, "?")
	if len(parts) > 5 || len(parts) == 5 && parts[4] == "" {
		return "", r, fmt.Errorf("%q has too many question marks", text)
	}
	parts = append(parts, "", "", "", "")
	r.base = unescapeURL(parts[0])
	if parts[1] != "" {
		r.attributes = splitList(unescapeURL(parts[1]))
	}
	if r.scope, ok = scopeOf(unescapeURL(parts[2])); !ok {
		return "", r, fmt.Errorf("%q has an unknown scope", text)
	}
	if r.filter = unescapeURL(parts[3]); r.filter == "" {
		r.filter = anyEntry
	}
	return scheme, r, nil
}

// anyEntry is the filter that every entry passes.
const anyEntry = "(objectClass=*)"

func scopeOf(word string) (int, bool) {
	switch strings.ToLower(word) {
	case "", "base":
		return ldaplib.ScopeBaseObject, true
	case "one", "onelevel":
		return ldaplib.ScopeSingleLevel, true
	case "sub", "subtree":
		return ldaplib.ScopeWholeSubtree, true
	case "subordinate", "children":
		return ldaplib.ScopeChildren, true
	}
	return 0, false
}

func (r *reference) readHost(scheme, hostPort string) error {
	if scheme == "ldapi" {
		r.host = unescapeURL(hostPort)
		return nil
	}
	host, port, hasPort := strings.Cut(hostPort, ":")
	if strings.HasPrefix(hostPort, "[") {
		var behind string
		var closed bool
		if host, behind, closed = strings.Cut(hostPort[1:], "]"); !closed || behind != "" && behind[0] != ':' {
			return errors.New("an IPv6 address is written [ADDRESS] or [ADDRESS]:PORT")
		}
		_, port, hasPort = strings.Cut(behind, ":")
	}
	if hasPort {
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return fmt.Errorf("%q is no port", port)
		}
	}
	r.host, r.port = unescapeURL(host), port
	if strings.Contains(r.host, ":") && net.ParseIP(r.host) == nil {
		return fmt.Errorf("%q is no host", r.host)
	}
	return nil
}

// unescapeURL undoes %XX, and leaves what is none as it is.
func unescapeURL(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
			b.WriteByte(unhex(text[i+1])<<4 | unhex(text[i+2]))
			i += 2
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
}
