package content

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What the folder does with an octet of ASCII; other values are the octet to write.
const (
	foldDrop  = 0 // controls: a mail reader shows nothing
	foldBlank = 1
	foldLine  = 2
)

// foldASCII maps ASCII to lower case. Controls vanish, so a NUL inside a word does not hide it.
var foldASCII = func() (t [utf8.RuneSelf]byte) {
	for c := byte(' ') + 1; c < 0x7f; c++ {
		t[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		t[c] = c + 'a' - 'A'
	}
	t[' '], t['\t'], t['\v'], t['\f'] = foldBlank, foldBlank, foldBlank, foldBlank
	t['\n'], t['\r'] = foldLine, foldLine
	return t
}()

// barrier separates two texts of one section: it is no white space and no word, so no phrase matches across it,
// and folded text never holds it.
const barrier = "\n\x1e\n"

// maxRun is the longest run of non-ASCII octets that is normalised at once; a longer one is cut between characters.
const maxRun = 4096

// folder turns decoded text (UTF-8, cut anywhere) into the form that is matched. See the package comment.
type folder struct {
	sink  func(p []byte) // takes folded text
	out   []byte         // folded and not yet given to sink
	run   []byte         // at most one ASCII character and what follows it outside ASCII: it may compose
	space byte           // white space seen and not written: 0, ' ' or '\n'
}

const foldFlush = 2048

func newFolder(sink func([]byte)) *folder { return &folder{sink: sink} }

// Write folds p. It never fails.
func (f *folder) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(f.run) > 0 {
			p = f.extend(p)
			continue
		}
		p = f.ascii(p)
	}
	return n, nil
}

// ascii folds up to the last ASCII character before something else, which it keeps in run.
func (f *folder) ascii(p []byte) []byte {
	if p[0] >= utf8.RuneSelf {
		return f.extend(p)
	}
	end := asciiRun(p[:min(len(p), foldFlush)])
	// Most of the work is done here, so it is done on local variables. Each octet writes one at most, white space excepted
	// that was noted before.
	f.out = slices.Grow(f.out, end+8)
	out, space := f.out, f.space
	for rest := p[:end-1]; len(rest) > 0; rest = rest[1:] {
		for len(rest) > 8 {
			folded, blanks, plain := foldEight(binary.LittleEndian.Uint64(rest))
			if !plain || blanks&0xff != 0 && space != 0 {
				break
			}
			if space != 0 {
				out = append(out, space)
				space = 0
			}
			out = binary.LittleEndian.AppendUint64(out, folded)
			if blanks>>56 != 0 { // what follows decides about it
				out, space = out[:len(out)-1], ' '
			}
			rest = rest[8:]
		}
		c := rest[0]
		switch c = foldASCII[c&0x7f]; {
		case c > foldLine:
			if space != 0 {
				out = append(out, space)
				space = 0
			}
			out = append(out, c)
		case c == foldLine:
			space = '\n'
		case c == foldBlank && space == 0:
			space = ' '
		}
	}
	f.out, f.space = out, space
	if len(f.out) >= foldFlush {
		f.flush()
	}
	f.run = append(f.run, p[end-1])
	return p[end:]
}

// eachOctet has a one in each octet of eight, topBits the highest bit.
const (
	eachOctet = 0x0101010101010101
	topBits   = 0x8080808080808080
)

// asciiRun is how many octets at the start of p are ASCII.
func asciiRun(p []byte) int {
	n := 0
	for n+8 <= len(p) && binary.LittleEndian.Uint64(p[n:])&topBits == 0 {
		n += 8
	}
	for n < len(p) && p[n] < utf8.RuneSelf {
		n++
	}
	return n
}

// foldEight folds eight octets of ASCII at once, which works if they are plain: letters, digits, signs and single blanks. The blanks are marked.
func foldEight(eight uint64) (folded, blanks uint64, plain bool) {
	printed := (eight + (0x80-' ')*eachOctet) &^ (eight + eachOctet) & topBits
	blanks = (topBits - (eight ^ ' '*eachOctet)) & topBits
	upper := (eight + (0x80-'A')*eachOctet) &^ (eight + (0x80-'Z'-1)*eachOctet) & topBits
	return eight | upper>>2, blanks, printed == topBits && blanks&(blanks<<8) == 0
}

// put writes one folded character of ASCII, or notes white space.
func (f *folder) put(c byte) {
	switch c {
	case foldDrop:
	case foldBlank:
		if f.space == 0 {
			f.space = ' '
		}
	case foldLine:
		f.space = '\n'
	default:
		f.pay()
		f.out = append(f.out, c)
	}
}

// pay writes the white space that was noted.
func (f *folder) pay() {
	if f.space != 0 {
		f.out = append(f.out, f.space)
		f.space = 0
	}
}

// extend adds octets outside ASCII to run; the next ASCII character ends it.
func (f *folder) extend(p []byte) []byte {
	i := 0
	for i < len(p) && p[i] >= utf8.RuneSelf && len(f.run)+i < maxRun {
		i++
	}
	f.run = append(f.run, p[:i]...)
	switch {
	case i == len(p) && len(f.run) < maxRun: // more may come
	case i < len(p) && p[i] < utf8.RuneSelf:
		f.endRun(false)
	default:
		f.endRun(true)
	}
	return p[i:]
}

// endRun normalises run. With cut, an unfinished character at its end waits for its rest.
func (f *folder) endRun(cut bool) {
	run := f.run
	var rest [utf8.UTFMax]byte
	kept := 0
	if cut {
		if i := lastStart(run); i > 0 && !utf8.FullRune(run[i:]) {
			kept = copy(rest[:], run[i:])
			run = run[:i]
		}
	}
	if len(run) == 1 && run[0] < utf8.RuneSelf { // by far the most common case
		f.put(foldASCII[run[0]])
	} else {
		for _, r := range string(norm.NFKC.Bytes(visible(run))) {
			f.rune(r)
		}
	}
	f.run = append(f.run[:0], rest[:kept]...)
	if len(f.out) >= foldFlush {
		f.flush()
	}
}

// lastStart is the index of the last octet that begins a character.
func lastStart(p []byte) int {
	i := len(p) - 1
	for i > 0 && len(p)-i < utf8.UTFMax && !utf8.RuneStart(p[i]) {
		i--
	}
	return i
}

// visible removes, in place, the characters that nobody sees.
func visible(p []byte) []byte {
	out := p[:0]
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if !invisible(r) {
			out = append(out, p[:n]...)
		}
		p = p[n:]
	}
	return out
}

// invisible tells the default ignorable code points of Unicode: zero-width and bidirectional controls,
// soft hyphens, variation selectors, fillers.
func invisible(r rune) bool {
	if r < 0xad {
		return false
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// foldRune gives the one form that all cases of a letter have in folded text. Upper and then lower, so that letters with several
// lower forms (sigma) agree.
func foldRune(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

func (f *folder) rune(r rune) {
	if r < utf8.RuneSelf {
		f.put(foldASCII[r])
		return
	}
	switch {
	case r == 0x85 || r == 0x2028 || r == 0x2029:
		f.put(foldLine)
	case unicode.IsSpace(r):
		f.put(foldBlank)
	case unicode.IsControl(r):
	default:
		if plain := plainForm(r); plain != 0 {
			f.put(plain)
			return
		}
		f.pay()
		f.out = utf8.AppendRune(f.out, foldRune(r))
	}
}

// plainForm gives the ASCII sign that people type for a typographic one, or 0.
func plainForm(r rune) byte {
	switch {
	case r >= 0x2018 && r <= 0x201b:
		return '\''
	case r >= 0x201c && r <= 0x201f:
		return '"'
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212:
		return '-'
	}
	return 0
}

func (f *folder) flush() {
	if len(f.out) > 0 {
		f.sink(f.out)
		f.out = f.out[:0]
	}
}

// End folds what was held back and ends the text; a text that follows begins anew.
func (f *folder) End() {
	if len(f.run) > 0 {
		f.endRun(false)
	}
	f.space = 0
	f.flush()
}

// foldText folds a whole text.
func foldText(s string) []byte {
	var out []byte
	w := newFolder(func(p []byte) { out = append(out, p...) })
	_, _ = w.Write([]byte(s))
	w.End()
	return trimSpace(out)
}

// trimSpace removes the blank that leading white space left.
func trimSpace(p []byte) []byte {
	if len(p) > 0 && (p[0] == ' ' || p[0] == '\n') {
		return p[1:]
	}
	return p
}
