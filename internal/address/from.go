package address

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"mailweir/internal/encodedword"
)

// From is the From fields of a message. The zero value has none.
type From struct {
	values []string

	// authors and shown are all that the values name, once each, unless the values are long.
	authors, shown []Address
	known          bool
}

// usualFrom is how long, in octets, the From fields of most messages are at most. They are read
// once; others as often as somebody asks, so that their addresses take no memory.
const usualFrom = 4 << 10

// HeaderFrom reads the values of all From header fields of a message (more than one is against RFC
// 5322 section 3.6, and is sent). It understands mailboxes, lists, groups, comments, quoted
// strings, routes and the other obsolete forms of RFC 5322 sections 3.4 and 4.4, encoded words (RFC
// 2047) in display names and, against the rules, in and around addresses. U-labels and A-labels
// give the same address. Letters and signs of another width or style count twice: as they are, and
// as the plain ones that they look like.
//
// A field that follows no grammar still has a sender in the eyes of the program that shows it. So
// where an address might be meant it is returned: a missing or unclosed bracket, quote or comment
// hides nothing, and in a field without any other address those of its display names count as
// authors.
//
// There is no limit: what is named is found, in a time that is linear in the input. Who asks for
// each address something that takes time bounds that; see [From.First].
func HeaderFrom(values []string) From {
	from := From{values: values}
	octets := 0
	for _, value := range values {
		octets += len(value)
	}
	if octets > usualFrom {
		return from
	}
	fields := make([]field, len(values))
	for i, value := range values {
		fields[i] = takeApart(value)
		fields[i].read(false, func(a Address) bool { from.authors = join(from.authors, a); return true })
	}
	both := slices.Clip(from.authors)
	for _, f := range fields {
		f.read(true, func(a Address) bool { both = join(both, a); return true })
	}
	from.shown, from.known = both[len(from.authors):], true
	return from
}

// Authors yields the addresses of the authors in order. Of long fields one may come more than once.
func (f From) Authors() iter.Seq[Address] { return f.all(f.authors, false) }

// Display yields the addresses that stand only where a reader's eye falls: in display names and
// comments, as in `"ceo@bank.example" <x@evil.example>`. Of long fields some may be authors, too.
func (f From) Display() iter.Seq[Address] { return f.all(f.shown, true) }

// First returns the first addresses, once each: of the authors and, with display, of those that are
// only shown. More says that there are others.
func (f From) First(most int, display bool) (list []Address, more bool) {
	list = distinct(f.Authors(), most+1)
	if display && len(list) <= most {
		for a := range f.Display() {
			if list = join(list, a); len(list) > most {
				break
			}
		}
	}
	if len(list) > most {
		return list[:most], true
	}
	return list, false
}

// Long reports whether there may be so many addresses that looking them up takes time.
func (f From) Long() bool { return !f.known }

// all yields the authors, or those that are only shown.
func (f From) all(known []Address, display bool) iter.Seq[Address] {
	return func(yield func(Address) bool) {
		if f.known {
			for _, a := range known {
				if !yield(a) {
					return
				}
			}
			return
		}
		for _, value := range f.values {
			if !takeApart(value).read(display, yield) {
				return
			}
		}
	}
}

// field is one From field, taken apart into texts.
type field struct{ authors, shown, decodedAuthors, decodedShown []string }

func takeApart(value string) (f field) {
	f.authors, f.shown = scanFrom(value)
	if encodedword.Holds(value, `<>(),;:[]"`) { // some programs decode first, others take the field apart
		f.decodedAuthors, f.decodedShown = scanFrom(encodedword.Decode(value))
	}
	return f
}

// read yields the authors of the field, or those that are only shown in it. It returns false when
// yield does.
func (f field) read(display bool, yield func(Address) bool) bool {
	if display {
		return (!named(f.authors) || read(f.shown, false, yield)) && read(f.decodedShown, false, yield)
	}
	found := false // as named has it, but without reading everything again
	note := func(a Address) bool {
		found = found || complete(a)
		return yield(a)
	}
	return read(f.authors, true, note) && (found || read(f.shown, false, yield)) && read(f.decodedAuthors, false, yield)
}

func complete(a Address) bool { return a.Local != "" && a.Domain != "" }

// named reports whether one of the texts holds an address with local part and domain.
func named(texts []string) (found bool) {
	read(texts, true, func(a Address) bool {
		found = complete(a)
		return !found
	})
	return found
}

// read yields the addresses in the texts, in every reading. A text that is one word is an address
// only where one is due.
func read(texts []string, due bool, yield func(Address) bool) bool {
	for _, text := range texts {
		for mailbox := range mailboxes(text, due) {
			a := Parse(mailbox)
			if !yield(a) {
				return false
			}
			if domain := domainAsShown(a.Domain); domain != a.Domain {
				a.Domain = domain
				if !yield(a) {
					return false
				}
			}
		}
	}
	return true
}

// distinct are the first addresses, once each.
func distinct(all iter.Seq[Address], most int) (list []Address) {
	for a := range all {
		if list = join(list, a); len(list) >= most {
			break
		}
	}
	return list
}

// join adds an address to a short list, unless it stands there.
func join(list []Address, a Address) []Address {
	for _, b := range list {
		if a.Local == b.Local && a.Domain == b.Domain {
			return list
		}
	}
	return append(list, a)
}

// fromScanner takes a field apart: into texts that hold the authors' addresses and texts that are
// only shown.
type fromScanner struct {
	authors, shown []string

	bare      []byte // what stands outside brackets, quotes and comments in the current mailbox
	angle     []byte // what stands between the current brackets
	inAngle   bool
	bracketed bool // the current mailbox had a bracket: what is bare is its display name
}

func scanFrom(value string) (authors, shown []string) {
	var s fromScanner
	lastBracket := strings.LastIndexByte(value, ']')
	for i := 0; i < len(value); {
		n := 1
		switch c := value[i]; c {
		case '(':
			n = s.comment(value[i:])
		case '"':
			n = s.quoted(value[i:])
		case '[': // an address literal may hold colons
			if i < lastBracket {
				n = strings.IndexByte(value[i:], ']') + 1
			}
			s.text(value[i : i+n])
		case '<':
			s.bracket()
			s.inAngle, s.bracketed = true, true
		case '>':
			s.bracket()
		case ',', ';':
			s.separator(c)
		case ':':
			s.colon()
		default:
			s.text(value[i : i+1])
		}
		i += n
	}
	s.endMailbox()
	return s.authors, s.shown
}

// keepText keeps a text in which something may stand.
func keepText(list *[]string, text string) {
	if text != "" {
		*list = append(*list, text)
	}
}

func (s *fromScanner) text(t string) {
	if s.inAngle {
		s.angle = append(s.angle, t...)
	} else {
		s.bare = append(s.bare, t...)
	}
}

// comment reads a comment and returns its length. An unclosed one protects nothing.
func (s *fromScanner) comment(v string) int {
	depth := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				keepText(&s.shown, v[1:i])
				return i + 1
			}
		}
	}
	s.text(" " + v[1:])
	return len(v)
}

// quoted reads a quoted string and returns its length. One that is followed by "@" is a local part,
// any other is part of a display name. An unclosed one protects nothing.
func (s *fromScanner) quoted(v string) int {
	var content []byte
	for i := 1; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		} else if v[i] == '"' {
			switch {
			case strings.HasPrefix(skipComments(v[i+1:]), "@"):
				s.text(v[:i+1])
			case s.inAngle || s.domainDue():
				s.text(string(content))
			default:
				keepText(&s.shown, string(content))
				s.text(" ")
			}
			return i + 1
		}
		content = append(content, v[i])
	}
	s.text(" " + v[1:])
	return len(v)
}

// domainDue reports whether an "@" stands in front, or before some blanks.
func (s *fromScanner) domainDue() bool {
	last := s.bare[max(0, len(s.bare)-16):]
	return bytes.HasSuffix(bytes.TrimRight(last, " \t\r\n"), []byte("@"))
}

// longComment bounds how far skipComments looks, in octets, so that nothing is looked at too often.
const longComment = 256

// skipComments leaves out white space and comments in front.
func skipComments(v string) string {
	v = v[:min(len(v), longComment)]
	depth := 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0 && c == '\\':
			i++
		case depth == 0 && strings.IndexByte(" \t\r\n", c) < 0:
			return v[i:]
		}
	}
	return ""
}

// separator ends a mailbox, but not between brackets: there it belongs to a route, or the bracket
// was not closed.
func (s *fromScanner) separator(c byte) {
	if s.inAngle {
		s.angle = append(s.angle, c)
		return
	}
	s.endMailbox()
}

// colon ends the name of a group, or a scheme such as "mailto:"; between brackets, a route.
func (s *fromScanner) colon() {
	if s.inAngle {
		s.angle = append(s.angle, ':')
		return
	}
	keepText(&s.shown, string(s.bare))
	s.bare = s.bare[:0]
}

func (s *fromScanner) closeAngle() {
	if s.inAngle {
		keepText(&s.authors, string(s.angle))
		s.angle, s.inAngle = s.angle[:0], false
	}
}

// bracket ends what stands between brackets, if there is a bracket, and parts what does not: in
// `a@x>b` and `a@x<>b` nothing belongs together.
func (s *fromScanner) bracket() {
	s.closeAngle()
	s.bare = append(s.bare, '<')
}

func (s *fromScanner) endMailbox() {
	s.closeAngle()
	if s.bracketed {
		keepText(&s.shown, string(s.bare))
	} else {
		keepText(&s.authors, string(s.bare))
	}
	s.bare, s.bracketed = s.bare[:0], false
}
