// Package charset decodes text as mail readers do: of a body that declares its charset, or a wrong
// one, or none, and of header fields (RFC 2047).
package charset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	msgcharset "github.com/emersion/go-message/charset"
	htmlcharset "golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"
)

// Reader decodes text of the declared charset. A charset that is absent, unknown or ASCII is taken
// as UTF-8 where the octets are UTF-8 and as windows-1252 where they are not, which is what mail
// readers guess.
func Reader(label string, r *bufio.Reader, isHTML bool) io.Reader {
	start, _ := r.Peek(3)
	switch {
	case bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		label = "utf-16be"
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}):
		label = "utf-16le"
	}
	label = cleanLabel(label)
	if label == "" && isHTML {
		head, _ := r.Peek(1024)
		_, label, _ = htmlcharset.DetermineEncoding(head, "")
		if label == "windows-1252" { // also its answer for "no idea"
			label = ""
		}
	}
	if strings.HasPrefix(label, "utf-16") && plainlyASCII(r) {
		label = ""
	}
	if !guessed(label) {
		if decoded, err := msgcharset.Reader(label, r); err == nil {
			return decoded
		}
	}
	return transform.NewReader(r, lenientUTF8{})
}

// plainlyASCII tells text that can't be UTF-16, whatever is declared: there, line ends and the
// letters of most scripts have zero octets. A few Chinese characters alone can look like ASCII.
func plainlyASCII(r *bufio.Reader) bool {
	head, _ := r.Peek(512)
	for _, c := range head {
		if c >= 0x7f || c < ' ' && !strings.ContainsRune("\t\n\v\f\r", rune(c)) {
			return false
		}
	}
	return len(head) >= 16 || bytes.Contains(head, []byte("\r\n"))
}

func cleanLabel(label string) string {
	return strings.ToLower(strings.Trim(label, " \t\"'"))
}

// guessed tells the labels that say too little or are too often wrong.
func guessed(label string) bool {
	switch label {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "default", "none":
		return true
	}
	return false
}

// Decode decodes octets of a header field.
func Decode(label, s string) string {
	if label = cleanLabel(label); guessed(label) && utf8.ValidString(s) {
		return s
	}
	r := Reader(label, bufio.NewReaderSize(strings.NewReader(s), 16), false)
	out, err := io.ReadAll(r)
	if err != nil {
		return s
	}
	return string(out)
}

// lenientUTF8 passes UTF-8 and takes every other octet as windows-1252.
type lenientUTF8 struct{ transform.NopResetter }

// Transform implements transform.Transformer.
func (lenientUTF8) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if run := ASCIIRun(src[nSrc:]); run > 0 {
			n := copy(dst[nDst:], src[nSrc:nSrc+run])
			nDst, nSrc = nDst+n, nSrc+n
			if n < run {
				return nDst, nSrc, transform.ErrShortDst
			}
			continue
		}
		if !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		r, size := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && size == 1 {
			r = charmap.Windows1252.DecodeByte(src[nSrc])
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// topBits marks what is not ASCII in eight octets.
const topBits = 0x8080808080808080

// ASCIIRun is how many octets at the start of p are ASCII.
func ASCIIRun(p []byte) int {
	n := 0
	for n+8 <= len(p) && binary.LittleEndian.Uint64(p[n:])&topBits == 0 {
		n += 8
	}
	for n < len(p) && p[n] < utf8.RuneSelf {
		n++
	}
	return n
}
