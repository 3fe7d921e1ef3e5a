package table

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"mailweir/internal/address"
)

// asks reports whether a folded key of a table of plain keys can match anything that the list is
// asked for. It is never false for a key that a valid address, host name or domain asks for, and
// true for some keys that nothing does: a table that works must open.
func (u *Use) asks(key string) bool {
	switch {
	case u.Asked == 0:
		return true
	case u.Asked&OwnKeys != 0 && (u.Own == nil || u.Own(key) == nil):
		return true
	case u.Asked&Clients != 0 && asksClient(key):
		return true
	case u.Asked&Addresses != 0 && asksAddress(key):
		return true
	case u.Asked&Domains != 0 && asksDomain(key):
		return true
	case u.Asked&Recipients != 0 && asksRecipient(key):
		return true
	case u.Asked&AtDomains != 0 && key != "" && key[0] == '@':
		return isName(key[1:])
	}
	return false
}

// asksAddress knows the keys of [List.Address].
func asksAddress(key string) bool {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return key == "<>" || asksDomain(key)
	}
	return isLocal(key[:at]) && (at == len(key)-1 || isName(key[at+1:]))
}

// asksRecipient knows the keys of [List.Recipient].
func asksRecipient(key string) bool {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return isLocal(key) && key != "<>" && strings.IndexByte(".*/", key[0]) < 0 && key[len(key)-1] != ':'
	}
	return (at == 0 || isLocal(key[:at])) && isName(key[at+1:])
}

// asksDomain knows the keys of [List.Domain].
func asksDomain(key string) bool {
	if key != "" && key[0] == '.' {
		return isName(key[1:]) && key[1] != '['
	}
	return isName(key)
}

// asksClient knows the keys of [List.Client].
func asksClient(key string) bool {
	switch {
	case strings.IndexByte(key, ':') >= 0:
		return isIPv6(key)
	case key != "" && key[0] != '.' && strings.Trim(key, "0123456789.") == "":
		return isIPv4(key)
	}
	return asksDomain(key) && key[0] != '['
}

// isName reports whether it is a domain, or an address literal, in a form that is asked for.
func isName(name string) bool {
	if name == "" || name[0] == '.' || name[len(name)-1] == '.' {
		return false
	}
	if name[0] == '[' {
		return name[len(name)-1] == ']' && strings.Count(name, "[") == 1 && !strings.ContainsAny(name, whiteSpace)
	}
	for i := range len(name) {
		if c := name[i]; c < utf8.RuneSelf && !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	normal := address.NormalDomain(name)
	return name == normal || name == fold(address.UnicodeDomain(normal))
}

// isLocal reports whether it is a local part in one of the forms that are asked for: without quotes
// or, where it needs them, with.
func isLocal(local string) bool {
	switch {
	case local == "" || local == "*":
		return false
	case local[0] == '"' && local[len(local)-1] == '"' && len(local) > 1:
		return spellings(address.Parse(local + "@x").Local)[1] == local
	case isPlain(local):
		return true
	case local[0] == '@' || strings.ContainsAny(local, `"\`):
		return true // not worth judging
	}
	return address.Parse(local+"@x").Local == local
}

// isIPv4 knows addresses and the nets that they are looked up by, from one octet on. A single group
// of IPv6 looks much the same.
func isIPv4(key string) bool {
	octets := strings.Split(key, ".")
	for _, o := range octets {
		n, err := strconv.ParseUint(o, 10, 16)
		if err != nil || strconv.FormatUint(n, 10) != o || n > 255 && (len(octets) > 1 || len(o) > 4) {
			return false
		}
	}
	return len(octets) <= 4
}

// isIPv6 knows addresses as they are looked up, and the nets: whole groups from the left.
func isIPv6(key string) bool {
	if ip, err := netip.ParseAddr(key); err == nil && (!ip.Is4In6() || strings.IndexByte(key, '.') >= 0) {
		return !ip.Is4In6() && ip.String() == key
	}
	if key == ":" {
		return true // what is left of ::1 without its last group
	}
	groups := strings.Split(strings.TrimPrefix(strings.TrimSuffix(key, ":"), "::"), ":")
	for _, g := range groups {
		n, err := strconv.ParseUint(g, 16, 16)
		if err != nil || strconv.FormatUint(n, 16) != g {
			return false
		}
	}
	return len(groups) < 8
}

// isPlain reports whether a folded local part is in its only form: most are.
func isPlain(local string) bool {
	for i := range len(local) {
		if c := local[i]; c >= utf8.RuneSelf || !isAlnum(c) && c != '.' && c != '-' && c != '_' && c != '+' {
			return false
		}
	}
	return true
}
