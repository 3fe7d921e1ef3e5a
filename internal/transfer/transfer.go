// Package transfer undoes content transfer encodings (RFC 2045 section 6). The decoders go on where
// a strict one stops, because mail readers do.
package transfer

import (
	"bytes"
	"io"
)

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

// maxSoftBreak is how many blanks may stand between the `=` of a soft line break and the line end:
// more than a line has that an MTA passes on (RFC 5321 section 4.5.3.1.6: 998 octets).
const maxSoftBreak = 4096

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
		return NewBase64Reader(r)
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
