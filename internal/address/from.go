package address

import "strings"

// Limits of [HeaderFrom]. Postfix lets 102,400 octets of one header field through
// (header_size_limit).
const (
	MaxFromAddresses = 100
	MaxFromOctets    = 128 << 10
)

// From is what the From fields of a message name.
type From struct {
	// Addresses are the authors, in order, each once.
	Addresses []Address

	// Display are the addresses that stand only where a reader's eye falls: in display names and
	// comments, as in `"ceo@bank.example" <x@evil.example>`. None of them is in Addresses.
	Display []Address

	// Truncated tells that a limit was reached, so that there may be more.
	Truncated bool
}

// HeaderFrom reads the values of all From header fields of a message (more than one is against RFC
// 5322 section 3.6, and is sent). It understands mailboxes, lists, groups, comments, quoted
// strings, routes and the other obsolete forms of RFC 5322 sections 3.4 and 4.4, encoded words (RFC
// 2047) in display names and, against the rules, in and around addresses. U-labels and A-labels
// give the same address.
//
// A field that follows no grammar still has a sender in the eyes of the program that shows it. So
// where an address might be meant it is returned: a missing or unclosed bracket, quote or comment
// hides nothing, and in a field without any other address those of its display names count as
// authors.
//
// It reads at most MaxFromOctets and returns at most MaxFromAddresses of each kind; the time is
// linear in the input.
func HeaderFrom(values []string) From {
	var from From
	var hidden []Address
	left := MaxFromOctets
	for _, value := range values {
		if len(value) > left {
			value, from.Truncated = value[:left], true
		}
		left -= len(value)
		authors, shown := scanFrom(value)
		if !from.add(&from.Addresses, authors, true) {
			from.add(&from.Addresses, shown, false)
		} else {
			from.add(&hidden, shown, false)
		}
	}
	for _, a := range hidden {
		if !contains(from.Addresses, a) {
			from.Display = append(from.Display, a)
		}
	}
	return from
}

// add appends the addresses found in the texts to the list and tells whether one of them had a
// domain. A text that is one word is an address only where an address is due.
func (f *From) add(list *[]Address, texts []string, due bool) (found bool) {
	for _, text := range texts {
		for mailbox := range mailboxes(text, due) {
			a := Parse(mailbox)
			found = found || a.Domain != ""
			switch {
			case contains(*list, a):
			case len(*list) == MaxFromAddresses:
				f.Truncated = true
				return found
			default:
				*list = append(*list, a)
			}
		}
	}
	return found
}

func contains(list []Address, a Address) bool {
	for _, b := range list {
		if a.Local == b.Local && a.Domain == b.Domain {
			return true
		}
	}
	return false
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
			s.closeAngle()
			s.inAngle, s.bracketed = true, true
		case '>':
			s.closeAngle()
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
				s.shown = append(s.shown, v[1:i])
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
			if rest := strings.TrimLeft(v[i+1:], " \t\r\n"); strings.HasPrefix(rest, "@") {
				s.text(v[:i+1])
				return i + 1
			}
			if s.inAngle {
				s.text(string(content))
			} else {
				s.shown = append(s.shown, string(content))
				s.text(" ")
			}
			return i + 1
		}
		content = append(content, v[i])
	}
	s.text(" " + v[1:])
	return len(v)
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
	s.shown = append(s.shown, string(s.bare))
	s.bare = s.bare[:0]
}

func (s *fromScanner) closeAngle() {
	if s.inAngle {
		s.authors = append(s.authors, string(s.angle))
		s.angle, s.inAngle = s.angle[:0], false
	}
}

func (s *fromScanner) endMailbox() {
	s.closeAngle()
	if s.bracketed {
		s.shown = append(s.shown, string(s.bare))
	} else {
		s.authors = append(s.authors, string(s.bare))
	}
	s.bare, s.bracketed = s.bare[:0], false
}
