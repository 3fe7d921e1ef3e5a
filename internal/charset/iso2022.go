package charset

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// graphic is a set of characters that ISO 2022 switches to. Its characters are those of an encoding
// that holds it in octets with the highest bit set.
type graphic struct {
	decoder transform.Transformer // without state; nil where no table is at hand: all is U+FFFD
	prefix  string                // in that encoding
	octets  int                   // of a character
}

var (
	jisX0201 = &graphic{japanese.EUCJP.NewDecoder(), "\x8e", 1}
	jisX0208 = &graphic{japanese.EUCJP.NewDecoder(), "", 2}
	jisX0212 = &graphic{japanese.EUCJP.NewDecoder(), "\x8f", 2}
	gb2312   = &graphic{simplifiedchinese.GBK.NewDecoder(), "", 2}
	ksc5601  = &graphic{korean.EUCKR.NewDecoder(), "", 2}
	latin1   = &graphic{charmap.ISO8859_1.NewDecoder(), "", 1}
	greek    = &graphic{charmap.ISO8859_7.NewDecoder(), "", 1}
	noTable  = &graphic{octets: 2} // CNS 11643, ISO-IR-165
)

// decode appends a character that is given in seven bits.
func (g *graphic) decode(out, s []byte) []byte {
	var in, utf [8]byte
	octets := append(in[:0], g.prefix...)
	for _, c := range s {
		octets = append(octets, c|0x80)
	}
	if g.decoder == nil {
		return utf8.AppendRune(out, utf8.RuneError)
	}
	n, _, _ := g.decoder.Transform(utf[:], octets, true)
	return append(out, utf[:n]...)
}

// escapes are the sequences after ESC that name a set: for G0, which is in use at the beginning,
// for G1, to which SO switches, and for G2 and G3, of which ESC N and ESC O take one character.
// Sources: RFC 1468, 1554 and 2237 (iso-2022-jp, -jp-2, -jp-1),
// RFC 1557 (iso-2022-kr), RFC 1922 (iso-2022-cn and -cn-ext).
var escapes = []struct {
	sequence string
	g        int
	set      *graphic // nil for ASCII
}{
	{"(B", 0, nil},
	{"(J", 0, nil},
	{"(H", 0, nil},
	{"(I", 0, jisX0201},
	{"$@", 0, jisX0208},
	{"$B", 0, jisX0208},
	{"$(@", 0, jisX0208},
	{"$(B", 0, jisX0208},
	{"$(D", 0, jisX0212},
	{"$A", 0, gb2312},
	{"$(A", 0, gb2312},
	{"$(C", 0, ksc5601},
	{"$)C", 1, ksc5601},
	{"$)A", 1, gb2312},
	{"$)B", 1, jisX0208},
	{"$)E", 1, noTable},
	{"$)G", 1, noTable},
	{"$*H", 2, noTable},
	{"$+I", 3, noTable},
	{"$+J", 3, noTable},
	{"$+K", 3, noTable},
	{"$+L", 3, noTable},
	{"$+M", 3, noTable},
	{".A", 2, latin1},
	{".F", 2, greek},
}

// iso2022 decodes the seven-bit charsets of Japanese, Korean and Chinese mail. They switch between
// ASCII and sets of two octets a character, so one decoder reads them all; octets outside ASCII,
// which none of them has, are read as UTF-8 or windows-1252.
type iso2022 struct {
	initial *graphic // G1 where the text does not name it
	set     [4]*graphic
	shifted bool // SO has switched to G1
}

func newISO2022(g1 *graphic) *iso2022 {
	d := &iso2022{initial: g1}
	d.Reset()
	return d
}

// Reset implements transform.Transformer.
func (d *iso2022) Reset() {
	d.set, d.shifted = [4]*graphic{1: d.initial}, false
}

// Transform implements transform.Transformer.
func (d *iso2022) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	var out [utf8.UTFMax]byte
	for nSrc < len(src) {
		text, used, short := d.next(out[:0], src[nSrc:])
		if short && !atEOF {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if nDst+len(text) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], text)
		nSrc += used
		d.after(src[nSrc-used : nSrc])
	}
	return nDst, nSrc, nil
}

// next reads one character or control sequence; short says that more octets may change it.
func (d *iso2022) next(out, s []byte) (text []byte, used int, short bool) {
	set := d.set[0]
	if d.shifted && d.set[1] != nil {
		set = d.set[1]
	}
	switch c := s[0]; {
	case c == esc && len(s) > 1 && (s[1] == 'N' || s[1] == 'O') && d.set[s[1]-'N'+2] != nil:
		return d.single(out, s, d.set[s[1]-'N'+2])
	case c == esc:
		n, _, short := sequence(s)
		if n == 0 {
			return out, 1, short
		}
		return out, n, false
	case c == so || c == si:
		return out, 1, false
	case c >= utf8.RuneSelf:
		r, size := utf8.DecodeRune(s)
		if r == utf8.RuneError && size == 1 {
			r = windows1252(c)
		}
		return utf8.AppendRune(out, r), size, !utf8.FullRune(s)
	case c <= ' ' || c == 0x7f || set == nil:
		return append(out, c), 1, false
	case len(s) < set.octets:
		return utf8.AppendRune(out, utf8.RuneError), 1, true
	case set.octets == 2 && (s[1] <= ' ' || s[1] >= 0x7f):
		return utf8.AppendRune(out, utf8.RuneError), 1, false
	}
	return set.decode(out, s[:set.octets]), set.octets, false
}

// single reads a character of G2 or G3 behind its escape.
func (d *iso2022) single(out, s []byte, set *graphic) (text []byte, used int, short bool) {
	used = 2 + set.octets
	if len(s) < used {
		return out, 2, true
	}
	return set.decode(out, s[2:used]), used, false
}

// after takes the control sequence that was read.
func (d *iso2022) after(s []byte) {
	switch s[0] {
	case so:
		d.shifted = true
	case si:
		d.shifted = false
	case esc:
		if n, which, _ := sequence(s); n > 0 {
			d.set[escapes[which].g] = escapes[which].set
		}
	}
}

const (
	so  = 0x0e
	si  = 0x0f
	esc = 0x1b
)

// sequence finds the escape sequence at the beginning of s; short says that it is cut.
func sequence(s []byte) (length, which int, short bool) {
	rest := s[1:]
	for i, e := range escapes {
		n := min(len(rest), len(e.sequence))
		if string(rest[:n]) != e.sequence[:n] {
			continue
		}
		if n == len(e.sequence) {
			return 1 + n, i, false
		}
		short = true
	}
	return 0, -1, short
}
