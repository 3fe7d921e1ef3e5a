// Package transfer undoes content transfer encodings (RFC 2045 section 6). The decoders go on where
// a strict one stops, because mail readers do.
package transfer

import (
	"bytes"
	"io"
)

// base64Value maps the alphabet to 0–63; 64 is `=`, 255 everything else, which RFC 2045
// section 6.8 has ignored: also `-` and `_`, which stand for 62 and 63 in URLs.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(26) {
		t['A'+i], t['a'+i] = i, 26+i
	}
	for i := range byte(10) {
		t['0'+i] = 52 + i
	}
	t['+'], t['/'], t['='] = 62, 63, 64
	return t
}()

// base64State decodes a stream of base64 text. Octets outside the alphabet are skipped; padding
// ends a group of four and the text may go on after it, as when encoded pieces were joined.
type base64State struct {
	bits  uint32
	have  int  // characters of the group so far
	ended bool // the last group ended with padding
}

func (b *base64State) decode(dst, src []byte) []byte {
	for _, c := range src {
		v := base64Value[c]
		switch {
		case v < 64:
			b.ended = false
			b.bits = b.bits<<6 | uint32(v)
			if b.have++; b.have == 4 {
				dst = append(dst, byte(b.bits>>16), byte(b.bits>>8), byte(b.bits))
				b.have, b.bits = 0, 0
			}
		case v == 64:
			dst = b.end(dst)
			b.ended = true
		}
	}
	return dst
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

// Base64 decodes a text.
func Base64(s string) []byte {
	var b base64State
	return b.end(b.decode(nil, []byte(s)))
}

// Base64Reader decodes a part.
type Base64Reader struct {
	r     io.Reader
	state base64State
	in    [2048]byte
	out   []byte
	ready []byte
	cut   bool
}

// Cut says that the text ended inside a group of four: it was cut short.
func (b *Base64Reader) Cut() bool { return b.cut }

func (b *Base64Reader) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		n, err := b.r.Read(b.in[:])
		b.out = b.state.decode(b.out[:0], b.in[:n])
		if err != nil {
			b.cut = b.cut || b.state.have > 0
			b.out = b.state.end(b.out)
		}
		b.ready = b.out
		if err != nil && len(b.ready) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// quotedReader decodes quoted-printable. What is no valid escape stands for itself.
type quotedReader struct {
	r     io.Reader
	in    [2048]byte
	held  []byte // the start of an escape, or white space that the line end may remove
	out   []byte
	ready []byte
}

func (q *quotedReader) Read(p []byte) (int, error) {
	for len(q.ready) == 0 {
		n, err := q.r.Read(q.in[:])
		src := append(q.held, q.in[:n]...)
		used := 0
		q.out, used = decodeQuoted(q.out[:0], src, err != nil)
		q.held = append(q.held[:0], src[used:]...)
		q.ready = q.out
		if err != nil && len(q.ready) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, q.ready)
	q.ready = q.ready[n:]
	return n, nil
}

// decodeQuoted decodes src as far as it can tell without what follows.
func decodeQuoted(dst, src []byte, last bool) (out []byte, used int) {
	for used < len(src) {
		i := bytes.IndexByte(src[used:], '=')
		if i != 0 {
			if i < 0 {
				i = len(src) - used
			}
			dst = append(dst, src[used:used+i]...)
			used += i
			continue
		}
		rest := src[used:]
		octet, n := escape(rest, last)
		if n == 0 {
			return dst, used
		}
		if octet >= 0 {
			dst = append(dst, byte(octet))
		}
		used += n
	}
	return dst, used
}

// maxSoftBreak is how many blanks may stand between the `=` of a soft line break and the line end.
const maxSoftBreak = 128

// escape decodes what begins with `=`: an octet, or -1 for none; n is 0 when more octets are
// needed.
func escape(s []byte, last bool) (octet, n int) {
	if len(s) >= 3 {
		if high, low := Hex(s[1]), Hex(s[2]); high >= 0 && low >= 0 {
			return high<<4 | low, 3
		}
	}
	i := 1
	for i < len(s) && i < maxSoftBreak && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	switch {
	case i < len(s) && s[i] == '\n':
		return -1, i + 1
	case i == len(s) && last:
		return -1, i // a soft line break at the very end
	case i == len(s) && i < maxSoftBreak, len(s) < 3 && !last && Hex(s[1]) >= 0:
		return -1, 0
	}
	return '=', 1
}

// Reader undoes a Content-Transfer-Encoding; an unknown one is taken as none. For base64 it is a
// [Base64Reader].
func Reader(encoding string, r io.Reader) io.Reader {
	switch encoding {
	case "base64":
		return &Base64Reader{r: r}
	case "quoted-printable":
		return &quotedReader{r: r}
	}
	return r
}

// Hex is the value of a hexadecimal digit, -1 for another octet.
func Hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
