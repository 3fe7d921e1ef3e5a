package content

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// xEscapes undoes the escapes of spreadsheets, such as _x0061_ (ECMA-376 part 1, section
// 22.9.2.19).
type xEscapes struct {
	on   bool
	held []byte // what may begin one
	high rune   // the first half of a surrogate pair
}

// xEscape is the octets of one.
const xEscape = len("_x0061_")

func (e *xEscapes) write(d *xmlText, text []byte) {
	if !e.on || len(e.held) == 0 && e.high == 0 && bytes.IndexByte(text, '_') < 0 {
		d.put(text)
		return
	}
	text = append(e.held, text...)
	e.held = nil
	for len(text) > 0 {
		n := bytes.IndexByte(text, '_')
		if n != 0 {
			if n < 0 {
				n = len(text)
			}
			e.put(d, text[:n])
			text = text[n:]
			continue
		}
		if len(text) < xEscape {
			e.held = bytes.Clone(text)
			return
		}
		code, err := strconv.ParseUint(string(text[2:6]), 16, 16)
		if text[1] != 'x' || text[6] != '_' || err != nil {
			e.put(d, text[:1])
			text = text[1:]
			continue
		}
		e.rune(d, rune(code))
		text = text[xEscape:]
	}
}

func (e *xEscapes) rune(d *xmlText, r rune) {
	if pair := utf16.DecodeRune(e.high, r); pair != utf8.RuneError {
		e.high = 0
		d.put(utf8.AppendRune(nil, pair))
		return
	}
	e.high = 0
	if utf16.IsSurrogate(r) {
		e.high = r
		return
	}
	d.put(utf8.AppendRune(nil, r))
}

func (e *xEscapes) put(d *xmlText, text []byte) {
	e.high = 0
	d.put(text)
}

// end gives what begins no escape after all.
func (e *xEscapes) end(d *xmlText) {
	if len(e.held) > 0 {
		d.put(e.held)
	}
	e.held, e.high = nil, 0
}
