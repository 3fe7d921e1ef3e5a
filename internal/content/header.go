package content

import (
	"bytes"
	"slices"
)

// headerReader is the header of a part while it is read.
type headerReader struct {
	h     partHeader
	field []byte
	begun bool
	met   oddLine
}

// oddLine is a kind of line at which some mail readers end the header of a part, while others go on
// in it.
type oddLine uint8

const (
	lineWithoutColon oddLine = 1 << iota // `some words`, `>From x`; a parameter that is not indented
	lineWithoutName                      // `: x`
	lineOfOddName                        // with a blank or a sign that no name may hold before the colon
	lineOfMbox                           // `From x` behind the first line
	lineOfBlanks
)

// part examines what m holds up to its boundary: a header and its body.
//
// Readers of the most common kind end a header at a line that is none, as if an empty line had been
// forgotten before it; Perl's MIME-tools and others pass over it. Both are read, at the first line
// of each kind.
func (w *walk) part(r headerReader, m *mimeReader, depth int) {
	odd := w.header(&r, m)
	if odd != 0 && w.tooMany() { // it is read as plain text, and in one way
		w.endField(&r.h, r.field)
		odd = 0
	}
	if odd == 0 {
		w.entity(&r.h, m, depth)
		return
	}
	r.met |= odd
	ending := func(encodings bool) func(headerReader, *walk, *mimeReader) {
		return func(r headerReader, w *walk, m *mimeReader) {
			if odd == lineOfBlanks {
				m.next()
			}
			w.endField(&r.h, r.field)
			if !encodings {
				r.h.encodings = nil
			}
			w.entity(&r.h, m, depth)
		}
	}
	ends, endsRaw := ending(true), ending(false) // what cannot be decoded, some readers show as it is
	goesOn := func(r headerReader, w *walk, m *mimeReader) {
		if line := m.next(); line != nil {
			w.oddLine(&r, odd, bytes.TrimRight(line, "\r\n"))
		}
		w.part(r, m, depth)
	}
	skips := func(r headerReader, w *walk, m *mimeReader) {
		m.next()
		w.part(r, m, depth)
	}
	ways := []func(headerReader, *walk, *mimeReader){ends, goesOn}
	switch odd {
	case lineOfBlanks:
		ways = []func(headerReader, *walk, *mimeReader){goesOn, ends}
	case lineOfOddName:
		ways = []func(headerReader, *walk, *mimeReader){goesOn, ends, skips}
	}
	if len(r.h.encodings) > 0 || bytes.HasPrefix(bytes.ToLower(r.field), []byte("content-transfer-encoding")) {
		ways = append(ways, endsRaw)
	}
	var readings []way
	for _, read := range ways {
		r := r.clone()
		readings = append(readings, func(w *walk, m *mimeReader) { read(r, w, m) })
	}
	w.eachWay(m, readings...)
}

// header reads one field at a time, to the end of the header or to a line at which it ends for some
// readers only; that one is given back.
func (w *walk) header(r *headerReader, m *mimeReader) (odd oddLine) {
	limit := w.x.examiner.limits.Header
	for ; ; r.begun = true {
		line := m.next()
		if line == nil {
			w.endField(&r.h, r.field)
			if !m.bounded() {
				w.x.symptom(SymptomOpenHeader)
			}
			return 0
		}
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			w.endField(&r.h, r.field)
			return 0
		}
		if odd := oddity(text, m.continued, r.begun); odd != 0 && r.met&odd == 0 {
			m.unread(line)
			return odd
		} else if odd != 0 {
			w.oddLine(r, odd, text)
			continue
		}
		switch {
		case text[0] == ' ' || text[0] == '\t' || m.continued:
			if len(r.field)+len(text) <= limit+256 {
				r.field = append(r.field, text...)
			} else {
				w.x.reach(LimitHeader)
			}
		case bytes.HasPrefix(text, []byte("From ")): // an mbox line
		default:
			w.endField(&r.h, r.field)
			r.field = append(r.field[:0], text...)
		}
	}
}

// oddity tells lines that are neither a field nor the continuation of one; continued if text goes
// on with a line that was too long.
func oddity(text []byte, continued, begun bool) oddLine {
	switch {
	case continued:
		return 0
	case text[0] == ' ' || text[0] == '\t':
		if begun && len(bytes.TrimLeft(text, " \t")) == 0 {
			return lineOfBlanks
		}
		return 0
	case bytes.HasPrefix(text, []byte("From ")):
		if begun {
			return lineOfMbox
		}
		return 0
	}
	switch colon := bytes.IndexByte(text, ':'); {
	case colon < 0, bytes.ContainsAny(text[:max(colon, 0)], `="`):
		return lineWithoutColon
	case colon == 0:
		return lineWithoutName
	case bytes.ContainsFunc(text[:colon], func(c rune) bool { return c <= ' ' || c > '~' }):
		return lineOfOddName
	}
	return 0
}

// oddLine takes a line that does not end the header: a parameter that is not indented goes on with
// its field, and a name may have blanks before its colon.
func (w *walk) oddLine(r *headerReader, odd oddLine, text []byte) {
	switch {
	case odd == lineWithoutColon && bytes.IndexByte(text, '=') > 0 && len(r.field)+len(text) <= w.x.examiner.limits.Header:
		r.field = append(append(r.field, ' '), text...)
	case odd == lineOfOddName:
		w.endField(&r.h, r.field)
		r.field = append(r.field[:0], text...)
	}
}

func (r headerReader) clone() headerReader {
	r.field = slices.Clone(r.field)
	r.h = r.h.clone()
	return r
}

func (w *walk) endField(h *partHeader, field []byte) {
	if name, value, ok := bytes.Cut(field, []byte(":")); ok {
		w.field(h, string(name), string(value))
	}
}
