package charset

import (
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// utf7Decoder decodes UTF-7 (RFC 2152): `+`, UTF-16 in base64, and `-` or any octet outside base64.
// Octets that it does not allow stand for themselves, as UTF-8 or windows-1252.
type utf7Decoder struct {
	inside bool // base64
	empty  bool // and nothing of it has come
	bits   uint32
	have   int  // bits that are not used
	high   rune // a first surrogate that waits for the second
}

// Reset implements transform.Transformer.
func (d *utf7Decoder) Reset() { *d = utf7Decoder{} }

// Transform implements transform.Transformer.
func (d *utf7Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if nDst+2*utf8.UTFMax > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		if !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		c := src[nSrc]
		value := base64Value(c)
		switch {
		case d.inside && value >= 0:
			d.empty = false
			nDst += copy(dst[nDst:], d.add(nil, uint32(value)))
			nSrc++
		case d.inside:
			d.inside, d.high = false, 0
			if c == '-' {
				nSrc++
				if d.empty {
					nDst += copy(dst[nDst:], "+")
				}
			}
		case c == '+':
			*d = utf7Decoder{inside: true, empty: true}
			nSrc++
		default:
			r, size := utf8.DecodeRune(src[nSrc:])
			if r == utf8.RuneError && size == 1 {
				r = windows1252(c)
			}
			nDst += utf8.EncodeRune(dst[nDst:], r)
			nSrc += size
		}
	}
	return nDst, nSrc, nil
}

// add takes six bits and appends the character that they complete.
func (d *utf7Decoder) add(out []byte, value uint32) []byte {
	d.bits, d.have = d.bits<<6|value, d.have+6
	if d.have < 16 {
		return out
	}
	d.have -= 16
	unit := rune(d.bits >> d.have & 0xffff)
	switch high := d.high; {
	case high != 0:
		d.high = 0
		return utf8.AppendRune(out, utf16.DecodeRune(high, unit))
	case utf16.IsSurrogate(unit):
		d.high = unit
		return out
	}
	return utf8.AppendRune(out, unit)
}

// base64Value is the value of an octet, -1 when it is none.
func base64Value(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
