package mailauth

import (
	"encoding/base64"
	"errors"
	"strings"
)

// errTags is a list of tags that cannot be read: a tag without "=", or one that is there twice.
var errTags = errors.New("malformed tags")

// readTags reads a list of tags (RFC 6376 section 3.2). A name that is not known is no error.
func readTags(list string) (map[string]string, error) {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(list, ";") {
		name, value, ok := strings.Cut(tag, "=")
		name = trimSpace(name)
		if !ok {
			if name == "" {
				continue
			}
			return nil, errTags
		}
		if _, twice := tags[name]; twice {
			return nil, errTags
		}
		tags[name] = trimSpace(value)
	}
	return tags, nil
}

// withoutTag is the list with nothing as the value of a tag, and otherwise to the octet what it was
// (section 3.5, b=).
func withoutTag(list, without string) string {
	tags := strings.Split(list, ";")
	for i, tag := range tags {
		if name, _, ok := strings.Cut(tag, "="); ok && trimSpace(name) == without {
			tags[i] = name + "="
		}
	}
	return strings.Join(tags, ";")
}

// names splits a value at its colons and takes the space out of it, as h=, q=, s= and t= have it.
func names(value string) []string { return strings.Split(strings.ToLower(stripSpace(value)), ":") }

// spaces are those of folding white space (section 2.8). A field is shown as it came, so line ends
// of one octet are some, too.
const spaces = " \t\r\n"

func trimSpace(s string) string { return strings.Trim(s, spaces) }

// stripSpace removes folding white space.
func stripSpace(s string) string {
	if !strings.ContainsAny(s, spaces) {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(spaces, r) }), "")
}

// decodeBase64 reads base64 as OpenDKIM does: what is not of the alphabet does not count, the first
// "=" ends it, and how many there are does not matter.
func decodeBase64(s string) []byte {
	s, _, _ = strings.Cut(s, "=")
	kept := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '+', r == '/':
			return r
		}
		return -1
	}, s)
	if len(kept)%4 == 1 {
		kept = kept[:len(kept)-1] // six bits are no octet
	}
	decoded, _ := base64.RawStdEncoding.DecodeString(kept)
	return decoded
}
