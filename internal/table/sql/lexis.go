package sql

import (
	"errors"
	"fmt"
	"strings"
)

// lexis is how a dialect of SQL, in one mode of a session, reads the text of a statement: as much
// of it as tells where strings begin and end.
type lexis struct {
	backslash bool // a backslash escapes the next character of a string
	double    bool // "…" is a string, else an identifier
	backtick  bool // `…` is an identifier
	bracket   bool // […] is an identifier
	hash      bool // # begins a comment
	spaced    bool // -- begins a comment only before white space
	nested    bool // comments of /* */ may hold others
	dollar    bool // $tag$…$tag$ is a string
	escaping  bool // E'…' is a string in which a backslash escapes
}

// statement is the template of a query, as a lexis reads it.
type statement struct {
	// quotes has the quote around each of the template's places, in their order.
	quotes []byte
	// end is where the text of the first statement ends, and rest says that another one follows.
	end  int
	rest bool
}

// scanner goes through a template.
type scanner struct {
	lexis
	text string
	at   int
	statement
}

var errOpen = errors.New("a quote or comment is not closed")

// scan reads a template. It is an error if a place would be filled in where what is escaped for a
// string means something else: whoever sends mail could write SQL there.
func (l lexis) scan(text string) (statement, error) {
	s := scanner{lexis: l, text: text}
	s.end = len(text)
	for s.at < len(s.text) {
		if err := s.token(); err != nil {
			return statement{}, err
		}
	}
	return s.statement, nil
}

// token passes over one token.
func (s *scanner) token() error {
	rest := s.text[s.at:]
	c := rest[0]
	switch {
	case c == '\'':
		return s.quoted('\'', s.backslash, true)
	case c == '"':
		return s.quoted('"', s.backslash && s.double, s.double)
	case c == '`' && s.backtick:
		return s.quoted('`', false, false)
	case c == '[' && s.bracket:
		return s.until("]", "an identifier")
	case c == '#' && s.hash, s.dashes(rest):
		return s.line()
	case strings.HasPrefix(rest, "/*"):
		return s.comment()
	case c == '$' && s.dollar:
		return s.dollars()
	case c == ';':
		s.at++
		if s.end == len(s.text) {
			s.end = s.at - 1
		}
		return nil
	case c == '%':
		if strings.HasPrefix(rest, "%%") {
			s.at += 2
			s.seen()
			return nil
		}
		return s.misplaced("outside of quotes")
	case isWord(c):
		return s.word()
	}
	s.at++
	if !isSpace(c) {
		s.seen()
	}
	return nil
}

// seen notes that there is something; behind the end of a statement that is another one.
func (s *scanner) seen() {
	if s.end < s.at && s.end != len(s.text) {
		s.rest = true
	}
}

func (s *scanner) dashes(rest string) bool {
	return strings.HasPrefix(rest, "--") && (!s.spaced || len(rest) == 2 || isSpace(rest[2]))
}

// word passes over a name, a number or the E of E'…'.
func (s *scanner) word() error {
	begin := s.at
	for s.at < len(s.text) && (isWord(s.text[s.at]) || s.text[s.at] == '$') {
		s.at++
	}
	s.seen()
	if s.escaping && strings.EqualFold(s.text[begin:s.at], "e") && strings.HasPrefix(s.text[s.at:], "'") {
		return s.escapes()
	}
	return nil
}

// escapes passes over E'…', and what strings follow it, which go on with its rules.
func (s *scanner) escapes() error {
	for {
		if err := s.quoted('\'', true, false); err != nil {
			return err
		}
		next := s.at
		for next < len(s.text) && isSpace(s.text[next]) {
			next++
		}
		if !strings.HasPrefix(s.text[next:], "'") {
			return nil
		}
		s.at = next
	}
}

// quoted passes over what stands in quotes. A quote that is doubled ends it and begins it again.
func (s *scanner) quoted(quote byte, backslash, fills bool) error {
	for s.at++; s.at < len(s.text); s.at++ {
		rest := s.text[s.at:]
		switch c := rest[0]; {
		case c == quote:
			s.at++
			s.seen()
			return nil
		case c == '\\' && backslash:
			s.at++
			if next := s.text[s.at:]; strings.HasPrefix(next, "%") && !strings.HasPrefix(next, "%%") {
				return s.misplaced("behind a backslash")
			} else if strings.HasPrefix(next, "%%") {
				s.at++
			}
		case strings.HasPrefix(rest, "%%"):
			s.at++
		case c == '%' && !fills:
			return s.misplaced("in quotes that are not those of a plain string")
		case c == '%':
			s.quotes = append(s.quotes, quote)
			s.at++
		}
	}
	return errOpen
}

// until passes over what ends with a mark.
func (s *scanner) until(mark, what string) error {
	n := strings.Index(s.text[s.at:], mark)
	if n < 0 {
		return errOpen
	}
	defer s.seen()
	return s.pass(n+len(mark), what)
}

// pass passes over what may have no place to fill in.
func (s *scanner) pass(n int, what string) error {
	if strings.Contains(strings.ReplaceAll(s.text[s.at:s.at+n], "%%", ""), "%") {
		return s.misplaced("in " + what)
	}
	s.at += n
	return nil
}

func (s *scanner) line() error {
	n := strings.IndexByte(s.text[s.at:], '\n')
	if n < 0 {
		n = len(s.text) - s.at
	}
	return s.pass(n, "a comment")
}

func (s *scanner) comment() error {
	if s.hash && strings.HasPrefix(strings.TrimPrefix(s.text[s.at+2:], "M"), "!") {
		return errors.New("/*! */ is not supported: write what is inside as it is")
	}
	depth := 0
	for i := s.at; i+1 < len(s.text); i++ {
		switch s.text[i : i+2] {
		case "/*":
			if depth == 0 || s.nested {
				depth++
				i++
			}
		case "*/":
			depth--
			i++
			if depth == 0 {
				return s.pass(i+1-s.at, "a comment")
			}
		}
	}
	return errOpen
}

// dollars passes over $tag$…$tag$, or a dollar sign that begins no string.
func (s *scanner) dollars() error {
	tag := s.text[s.at:]
	end := 1
	for end < len(tag) && isWord(tag[end]) && (end > 1 || tag[end] < '0' || tag[end] > '9') {
		end++
	}
	if end == len(tag) || tag[end] != '$' {
		s.at++
		s.seen()
		return nil
	}
	tag = tag[:end+1]
	n := strings.Index(s.text[s.at+len(tag):], tag)
	if n < 0 {
		return errOpen
	}
	defer s.seen()
	return s.pass(n+2*len(tag), "a string of "+tag)
}

func (s *scanner) misplaced(where string) error {
	place := s.text[s.at:min(s.at+2, len(s.text))]
	return fmt.Errorf("%s stands %s, where whoever sends mail could write SQL; write it in single quotes, as in WHERE address = '%%s'", place, where)
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
