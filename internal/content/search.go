package content

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// search looks for phrases in a file that comes piece by piece. Letters are found in upper and
// lower case alike.
type search struct {
	phrases [][]byte // in lower case
	markup  bool     // XML: white space and NUL do not count, and references to characters are undone
	longest int
	kept    []byte // the last octets, in which a phrase may begin
	entity  []byte // a reference that has begun
	found   bool
}

// newSearch looks for phrases in plain octets, newMarkupSearch in XML of any encoding that shows
// ASCII as such (UTF-8, and UTF-16 without its NULs), where blanks may stand in the middle of
// base64.
func newSearch(phrases ...string) *search {
	s := &search{}
	for _, phrase := range phrases {
		s.phrases = append(s.phrases, []byte(phrase))
		s.longest = max(s.longest, len(phrase))
	}
	return s
}

func newMarkupSearch(phrases ...string) *search {
	s := newSearch(phrases...)
	s.markup = true
	return s
}

// reader looks through what is read from r.
func (s *search) reader(r io.Reader) io.Reader { return io.TeeReader(r, s) }

// Write takes the next piece.
func (s *search) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && !s.found; {
		n := min(len(rest), 4096)
		s.look(rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

func (s *search) look(p []byte) {
	for _, c := range p {
		if s.markup {
			s.mark(c)
		} else {
			s.kept = append(s.kept, lower(c))
		}
	}
	for _, phrase := range s.phrases {
		s.found = s.found || bytes.Contains(s.kept, phrase)
	}
	if over := len(s.kept) - s.longest + 1; over > 0 {
		s.kept = append(s.kept[:0], s.kept[over:]...)
	}
}

// maxReference is the octets of the longest reference to a character that is undone.
const maxReference = 16

// mark takes an octet of XML.
func (s *search) mark(c byte) {
	switch {
	case c <= ' ':
	case c == '&' || len(s.entity) >= maxReference:
		s.kept = append(s.kept, s.entity...)
		s.entity = append(s.entity[:0], lower(c))
		if c != '&' {
			s.kept, s.entity = append(s.kept, s.entity...), s.entity[:0]
		}
	case len(s.entity) == 0:
		s.kept = append(s.kept, lower(c))
	case c == ';':
		s.kept = append(s.kept, character(string(s.entity))...)
		s.entity = s.entity[:0]
	default:
		s.entity = append(s.entity, lower(c))
	}
}

// character undoes a reference such as "&#x76", and leaves others.
func character(reference string) string {
	digits, numeric := strings.CutPrefix(reference, "&#")
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	if n, err := strconv.ParseUint(digits, base, 7); numeric && err == nil {
		return string(lower(byte(n)))
	}
	return reference + ";"
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
