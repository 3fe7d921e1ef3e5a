package htmltext

import "bytes"

// lean leaves out of a document, in place, what decides nothing about its text: what comments say,
// and attributes that neither show nor are asked for by a style sheet. Most of a newsletter is such
// attributes, and the parser takes its time over each.
type lean struct {
	doc  []byte
	out  int // octets kept so far
	from int // what stands before has been kept or left out
	keep map[string]bool
	off  bool
}

// shownAttributes decide about text, or about what an element is to a style sheet.
var shownAttributes = names(`style class id hidden popover open type alt value placeholder label media checked selected
	disabled size color display visibility opacity font-size amp4email-boilerplate`)

// newLean looks through the style elements for attributes that their selectors name.
func newLean(doc []byte) *lean {
	l := &lean{doc: doc, keep: shownAttributes}
	for rest := doc; ; {
		i := styleAt(rest)
		if i < 0 {
			return l
		}
		rest = rest[i:]
		style := rest[:styleEnd(rest)]
		l.selected(style)
		rest = rest[len(style):]
	}
}

// styleEnd is where the style element ends at whose start doc begins: what looks like the start of
// another within it is text.
func styleEnd(doc []byte) int {
	for at := 0; ; at += 2 {
		i := bytes.Index(doc[at:], []byte("</"))
		if i < 0 {
			return len(doc)
		}
		if at += i; len(doc)-at >= 7 && bytes.EqualFold(doc[at+2:at+7], []byte("style")) {
			return at
		}
	}
}

// selected adds the attributes that stand in brackets.
func (l *lean) selected(style []byte) {
	for {
		i := bytes.IndexByte(style, '[')
		if i < 0 {
			return
		}
		style = bytes.TrimLeft(style[i+1:], " \t\r\n\f*|")
		n := 0
		for n < len(style) && (letter(style[n]) || style[n] == '-' || style[n] == '_' || style[n] >= '0' && style[n] <= '9') {
			n++
		}
		if n == 0 || n < len(style) && bytes.IndexByte([]byte("]=~^$* \t\r\n\f"), style[n]) < 0 {
			l.off = true // escapes, comments, namespaces
			return
		}
		if len(l.keep) == len(shownAttributes) {
			l.keep = names("")
			for name := range shownAttributes {
				l.keep[name] = true
			}
		}
		if l.keep[string(bytes.ToLower(style[:n]))] = true; len(l.keep) > 64 {
			l.off = true
			return
		}
	}
}

// attribute is told where one stands, and where its name ends; it tells whether it stays.
func (l *lean) attribute(from, name, to int) bool {
	var lower [24]byte
	if l.off || name-from > len(lower) && len(l.keep) > len(shownAttributes) {
		return true
	}
	if name-from <= len(lower) {
		for i, c := range l.doc[from:name] {
			if lower[i] = c; c >= 'A' && c <= 'Z' {
				lower[i] |= 0x20
			}
		}
		switch key := lower[:name-from]; {
		case l.keep[string(key)]:
			return true
		case string(key) == "href": // a link is one with any address
			l.drop(name, to)
			return true
		}
	}
	l.drop(from, to)
	return false
}

// drop leaves out a stretch that stands behind those before.
func (l *lean) drop(from, to int) {
	l.out += copy(l.doc[l.out:], l.doc[l.from:from])
	l.from = to
}

// rest keeps what is left, and gives the document.
func (l *lean) rest() []byte {
	l.out += copy(l.doc[l.out:], l.doc[l.from:])
	return l.doc[:l.out]
}
