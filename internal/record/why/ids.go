package why

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
)

// An id is mw- and eight of the letters and digits that ids are made of (policy.NewID). i, l, o and
// u are none of them, so that the name of a host such as mw-frontend is no id.
var idPattern = regexp.MustCompile(`(?i)\bmw-[0-9a-hjkmnp-tv-z]{8}\b`)

// softBreak is the end of a line that quoted-printable takes back (RFC 2045 section 6.7), also
// where it was quoted in an answer; octet is one that it writes in hexadecimal digits.
var (
	softBreak = regexp.MustCompile(`=[ \t]*\r?\n(?:[ \t]*>)*[ \t]*`)
	octet     = regexp.MustCompile(`=[0-9A-Fa-f]{2}`)
)

// unquoted is a text as quoted-printable means it, as far as it is any.
func unquoted(text []byte) []byte {
	return octet.ReplaceAllFunc(softBreak.ReplaceAll(text, nil), func(code []byte) []byte {
		n, err := strconv.ParseUint(string(code[1:]), 16, 8)
		if err != nil {
			return code
		}
		return []byte{byte(n)}
	})
}

// base64Line is a line of base64 (RFC 2045 section 6.8), quoted or not.
var base64Line = regexp.MustCompile(`^(?:[> \t]*)([A-Za-z0-9+/]{4,}={0,2})[ \t\r]*$`)

// nested bounds how deep messages in base64 are looked into: a bounce of a forwarded bounce.
const nested = 4

// FindIDs finds the ids of events in a text, in small letters, each once, in their order: in a
// bounce or a line of the log, wherever they stand. Lines that quoted-printable has broken are put
// together, and what stands in base64 is looked into.
func FindIDs(text []byte) []string {
	var ids []string
	seen := map[string]bool{} // a hostile bounce may have millions
	findIDs(text, nested, func(id string) {
		if id = strings.ToLower(id); !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
	})
	return ids
}

func findIDs(text []byte, depth int, found func(string)) {
	for _, id := range idPattern.FindAll(text, -1) {
		found(string(id))
	}
	if bytes.IndexByte(text, '=') >= 0 {
		for _, id := range idPattern.FindAll(unquoted(text), -1) {
			found(string(id))
		}
	}
	if depth > 0 {
		eachBase64(text, func(decoded []byte) { findIDs(decoded, depth-1, found) })
	}
}

// eachBase64 decodes each run of lines that may be base64.
func eachBase64(text []byte, decoded func([]byte)) {
	var run []byte
	end := func() {
		run = bytes.TrimRight(run, "=")
		run = run[:len(run)-len(run)%4+min(len(run)%4, 3)]
		if len(run)%4 == 1 {
			run = run[:len(run)-1]
		}
		if len(run) >= len("mw-00000000")*4/3 {
			if plain, err := base64.RawStdEncoding.DecodeString(string(run)); err == nil {
				decoded(plain)
			}
		}
		run = run[:0]
	}
	for line := range bytes.Lines(text) {
		m := base64Line.FindSubmatch(bytes.TrimRight(line, "\n"))
		if m == nil {
			end()
			continue
		}
		run = append(run, m[1]...)
		if bytes.HasSuffix(m[1], []byte("=")) {
			end()
		}
	}
	end()
}

// ReadID reads an id that a person has typed: i and l are taken for 1, and o for 0. It reports
// false where the text is none.
func ReadID(text string) (string, bool) {
	text = strings.ToLower(strings.Trim(strings.TrimSpace(text), "[]()<>\"'.,;"))
	rest, ok := strings.CutPrefix(text, "mw-")
	if !ok {
		return "", false
	}
	id := "mw-" + strings.NewReplacer("i", "1", "l", "1", "o", "0").Replace(rest)
	return id, idPattern.FindString(id) == id && id != ""
}
