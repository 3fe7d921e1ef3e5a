package transfer

import (
	"bytes"
	"slices"
	"strings"
)

// What base64Value says of octets that stand for nothing.
const (
	padding = 64
	dash    = 65 // `-` and `_`, which stand for 62 and 63 in URLs
	foreign = 66
)

// base64Value maps the alphabet to 0–63.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = foreign
	}
	for i := range byte(26) {
		t['A'+i], t['a'+i] = i, 26+i
	}
	for i := range byte(10) {
		t['0'+i] = 52 + i
	}
	t['+'], t['/'], t['='], t['-'], t['_'] = 62, 63, padding, dash, dash
	return t
}()

// base64Style is how a program reads base64. Octets outside the alphabet are skipped by all of them
// (RFC 2045 section 6.8).
type base64Style uint8

// The styles. Where padding is at the end, and only there, all read the same.
const (
	// Padding ends a group of four, and the text goes on after it, as where encoded pieces were
	// joined: Thunderbird, most decoders that work on groups.
	goesOn base64Style = iota
	// Padding ends the text: Perl's MIME::Base64, mutt.
	stops
	// Padding that fills a group ends the text, other is skipped: Python.
	stopsWhenFull
	// Padding is skipped: PHP (Roundcube, Horde), Perl's MIME-tools.
	skips
	// `-` and `_` stand for 62 and 63, as nowhere in mail: Node.
	inURLs
	base64Styles

	asItIs // a program that shows what is no base64 as it came
)

// base64State decodes a stream of base64 text.
type base64State struct {
	style base64Style
	bits  uint32
	have  int  // characters of the group so far
	pads  int  // padding behind them
	ended bool // all that follows is no text
}

func (b *base64State) decode(dst, src []byte) []byte {
	for _, c := range src {
		if b.ended {
			break
		}
		v := base64Value[c]
		if v == dash && b.style == inURLs {
			v = 62
			if c == '_' {
				v = 63
			}
		}
		switch {
		case v < 64:
			b.bits, b.pads = b.bits<<6|uint32(v), 0
			if b.have++; b.have == 4 {
				dst = append(dst, byte(b.bits>>16), byte(b.bits>>8), byte(b.bits))
				b.have, b.bits = 0, 0
			}
		case v == padding:
			dst = b.pad(dst)
		}
	}
	return dst
}

// pad takes a padding sign.
func (b *base64State) pad(dst []byte) []byte {
	switch b.style {
	case skips:
		return dst
	case stops:
		b.ended = true
	case stopsWhenFull:
		if b.pads++; b.have < 2 || b.have+b.pads < 4 {
			return dst
		}
		b.ended = true
	}
	return b.end(dst)
}

// end gives the octets of an incomplete group.
func (b *base64State) end(dst []byte) []byte {
	switch b.have {
	case 2:
		dst = append(dst, byte(b.bits>>4))
	case 3:
		dst = append(dst, byte(b.bits>>10), byte(b.bits>>2))
	}
	b.have, b.bits = 0, 0
	return dst
}

// Base64 decodes a text by the first of its [Base64Readings].
func Base64(s string) []byte {
	var b base64State
	return b.end(b.decode(nil, []byte(s)))
}

// Base64Readings are what mail programs make of a text, the likeliest first: one, where its padding
// is at its end and no sign is of the alphabet for URLs; else several. A text that can be none,
// because a character of a group is alone, is also shown as it is, by Python.
func Base64Readings(s string) [][]byte {
	all := [][]byte{Base64(s)}
	if alone(s) {
		all = append(all, []byte(s))
	}
	if !strings.ContainsAny(strings.TrimRight(s, "= \t\r\n"), "=-_") {
		return all
	}
	for style := goesOn + 1; style < base64Styles; style++ {
		b := base64State{style: style}
		octets := b.end(b.decode(nil, []byte(s)))
		if !slices.ContainsFunc(all, func(o []byte) bool { return bytes.Equal(o, octets) }) {
			all = append(all, octets)
		}
	}
	return all
}

// alone tells a text whose last group is one character.
func alone(s string) bool {
	b := base64State{style: stopsWhenFull}
	b.decode(nil, []byte(s))
	return !b.ended && b.have == 1
}
