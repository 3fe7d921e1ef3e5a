package htmltext

import (
	"bytes"

	"golang.org/x/net/html/atom"
)

// scanner finds the tags of a document as the tokenizer of golang.org/x/net/html does, many times
// faster, because it makes nothing of them. Where the parser's state decides what a tag is, it is
// sure no more.
type scanner struct {
	doc  []byte
	pos  int
	sure bool // all tags so far were tags for the parser, too
	lean *lean

	angles int // that may begin tags so far
}

// tag is one that was found.
type tag struct {
	name   atom.Atom // 0 for a name that is not known
	end    bool
	text   bool // there is text before it
	weight int  // what its element takes
}

// next finds the next tag. When the scanner is not sure any more, whatever looks like a start tag
// is one, and nothing else.
func (s *scanner) next() (t tag, ok bool) {
	text := false
	defer func() { t.text = text }()
	for s.pos < len(s.doc) {
		i := bytes.IndexByte(s.doc[s.pos:], '<')
		if i < 0 || s.pos+i+1 >= len(s.doc) {
			return t, false
		}
		text = text || i > 0
		s.pos += i + 1
		s.angles++
		switch c := s.doc[s.pos]; {
		case letter(c) && !s.sure:
			return s.guess(), true
		case letter(c):
			return s.tag(false)
		case !s.sure:
			text = true
		case c == '/' && s.pos+1 < len(s.doc) && letter(s.doc[s.pos+1]):
			s.pos++
			return s.tag(true)
		case c == '!':
			s.declaration()
		case c == '/' || c == '?':
			s.pos = s.behind('>')
		}
	}
	return t, false
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// behind is the offset behind the next octet c.
func (s *scanner) behind(c byte) int {
	if i := bytes.IndexByte(s.doc[s.pos:], c); i >= 0 {
		return s.pos + i + 1
	}
	return len(s.doc)
}

// name reads the name of a tag.
func (s *scanner) name() atom.Atom {
	var lower [16]byte
	n, start := 0, s.pos
	for ; s.pos < len(s.doc); s.pos++ {
		c := s.doc[s.pos]
		if white(c) && c != '\v' || c == '/' || c == '>' {
			break
		}
		if n = s.pos - start; n < len(lower) {
			if lower[n] = c; c >= 'A' && c <= 'Z' {
				lower[n] |= 0x20
			}
		}
	}
	if n = s.pos - start; n > len(lower) {
		return 0
	}
	return atom.Lookup(lower[:n])
}

// guess reads a start tag that may be none.
func (s *scanner) guess() tag {
	t := tag{name: s.name(), weight: nodeOctets}
	rest := s.doc[s.pos:]
	if i := bytes.IndexByte(rest, '<'); i >= 0 {
		rest = rest[:i]
	}
	for _, c := range rest {
		if c <= ' ' || c == '/' || c == '"' || c == '\'' {
			t.weight += attributeOctets
		}
	}
	return t
}

// tag reads a tag to its end. One that has no end is none.
func (s *scanner) tag(end bool) (tag, bool) {
	t := tag{name: s.name(), end: end, weight: nodeOctets}
	for {
		for s.pos < len(s.doc) && white(s.doc[s.pos]) && s.doc[s.pos] != '\v' {
			s.pos++
		}
		if s.pos >= len(s.doc) {
			return t, false
		}
		if s.doc[s.pos] == '>' {
			s.pos++
			break
		}
		from := s.pos
		name := s.attribute()
		if end || s.lean == nil || s.lean.attribute(from, name, s.pos) {
			t.weight += attributeOctets
		}
		if s.at() == '/' {
			s.pos++
		}
	}
	if !end {
		s.content(t.name)
	}
	return t, true
}

// attribute reads one with its value, and tells where its name ends.
func (s *scanner) attribute() (name int) {
	first := s.pos
	for s.pos < len(s.doc) {
		c := s.doc[s.pos]
		if c == '=' && s.pos > first || white(c) && c != '\v' || c == '/' || c == '>' {
			break
		}
		s.pos++
	}
	name = s.pos
	s.blanks()
	if s.at() != '=' {
		return name
	}
	s.pos++
	s.blanks()
	switch c := s.at(); c {
	case '"', '\'':
		s.pos++
		s.pos = s.behind(c)
	default:
		for s.pos < len(s.doc) && s.doc[s.pos] != '>' && (!white(s.doc[s.pos]) || s.doc[s.pos] == '\v') {
			s.pos++
		}
	}
	return name
}

func (s *scanner) blanks() {
	for s.pos < len(s.doc) && white(s.doc[s.pos]) && s.doc[s.pos] != '\v' {
		s.pos++
	}
}

// at is the next octet, 0 at the end.
func (s *scanner) at() byte {
	if s.pos < len(s.doc) {
		return s.doc[s.pos]
	}
	return 0
}

// content leaves out the content of elements that is no markup.
func (s *scanner) content(name atom.Atom) {
	switch name {
	case atom.Svg, atom.Math, atom.Noscript:
		s.sure = false // here the parser decides
	case atom.Plaintext:
		s.pos = len(s.doc)
	case atom.Script, atom.Style, atom.Textarea, atom.Title, atom.Xmp, atom.Iframe, atom.Noembed, atom.Noframes:
		from := s.pos
		s.pos = s.rawEnd(name.String())
		if name == atom.Script && bytes.Contains(s.doc[from:s.pos], []byte("<!--")) {
			s.pos, s.sure = from, false // scripts in comments in scripts have rules of their own
		}
	}
}

// rawEnd is the offset of the end tag of an element without markup.
func (s *scanner) rawEnd(name string) int {
	for at := s.pos; ; {
		i := bytes.Index(s.doc[at:], []byte("</"))
		if i < 0 {
			return len(s.doc)
		}
		at += i
		rest := s.doc[at+2:]
		if len(rest) > len(name) && bytes.EqualFold(rest[:len(name)], []byte(name)) {
			if c := rest[len(name)]; white(c) && c != '\v' || c == '/' || c == '>' {
				return at
			}
		}
		at += 2
	}
}

// declaration reads what begins with an exclamation mark.
func (s *scanner) declaration() {
	rest := s.doc[s.pos+1:]
	switch {
	case bytes.HasPrefix(rest, []byte("--")):
		s.pos += 3
		from := s.pos
		s.comment()
		if s.lean != nil && s.pos > from && s.doc[s.pos-1] == '>' {
			s.lean.drop(from, s.pos-1)
		}
	case bytes.HasPrefix(rest, []byte("[CDATA[")):
		s.sure = false
	default:
		s.pos = s.behind('>')
	}
}

// comment reads one to its end (HTML standard, "Comment start state" and those behind it).
func (s *scanner) comment() {
	dashes, beginning := 0, true
	for ; s.pos < len(s.doc); s.pos++ {
		switch c := s.doc[s.pos]; {
		case c == '-':
			dashes++
			continue
		case c == '>' && (dashes >= 2 || beginning):
			s.pos++
			return
		case c == '!' && dashes >= 2 && s.pos+1 < len(s.doc):
			switch s.doc[s.pos+1] {
			case '>':
				s.pos += 2
				return
			case '-':
				s.pos++
				dashes, beginning = 1, false
				continue
			}
			s.pos++
		}
		dashes, beginning = 0, false
	}
}
