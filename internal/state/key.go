package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// separator stands between the parts of a key. It is rare in addresses and nets, so keys stay
// readable.
const separator = "|"

// usualKey is longer than most keys.
const usualKey = 128

// maxKey bounds a key in octets.
const maxKey = 4096

// maxPart bounds one part of a key in octets, as it is written there. What is longer stands there
// as a digest, and so does every part behind digestsFrom: whoever sends mail chooses parts, and a
// key that were too long would be an error of his choice.
const (
	maxPart     = 1024
	digestsFrom = maxKey - 2*maxPart
)

// Key returns the key of these parts in a space: greylist|192.0.2.0/24|a@example.com|b@example.net.
// The separator, % and control octets within a part are written as %XX. A part that is too long is
// written as %sha256: and its digest, so that keys that begin with the same parts still do.
func Key(space string, parts ...string) string {
	return string(appendKey(make([]byte, 0, usualKey), space, parts))
}

// Prefix returns what the keys of a space with these first parts begin with. The keys with exactly
// these parts are not among them.
func Prefix(space string, parts ...string) string {
	if len(parts) == 0 {
		return space + separator
	}
	return string(appendKey(make([]byte, 0, usualKey), space, append(parts[:len(parts):len(parts)], "")))
}

// Parts returns the space and the parts that a key was made of, so that [Key] makes the same of
// them. In the place of a part that was too long stands a NUL, with which no address and no name
// begins, and sha256: with the digest.
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
		key = appendPart(key, part)
	}
	return key
}

func appendPart(key []byte, part string) []byte {
	if isDigest(part, digestPart) {
		return append(append(key, digestMark...), part[len(digestPart):]...)
	}
	begin := len(key)
	room := maxPart
	if begin > digestsFrom {
		room = usualKey
	}
	if len(part) <= room {
		if key = appendEscaped(key, part); len(key)-begin <= room {
			return key
		}
	}
	sum := sha256.Sum256([]byte(part))
	return hex.AppendEncode(append(key[:begin], digestMark...), sum[:])
}

// digestMark begins a digest in a key, where no escaped part has a % before an s, and digestPart
// begins it in what [Parts] returns.
const (
	digestMark = "%sha256:"
	digestPart = "\x00sha256:"
)

// isDigest says that a part is mark and a digest in lower case, as they are written here.
func isDigest(part, mark string) bool {
	digest, ok := strings.CutPrefix(part, mark)
	return ok && len(digest) == 2*sha256.Size && strings.Trim(digest, "0123456789abcdef") == ""
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
	if isDigest(s, digestMark) {
		return digestPart + s[len(digestMark):]
	}
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
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

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
