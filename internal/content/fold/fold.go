// Package fold brings text to the one form in which it is matched: Unicode NFKC, letters in lower
// case, invisible and bidirectional control characters removed, runs of white space made one blank
// (or one line feed where the run had one), curly quotes and long dashes made plain.
package fold

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/charset"

	"golang.org/x/text/unicode/norm"
)

// What the Writer does with an octet of ASCII; other values are the octet to write.
const (
	drop  = 0 // controls: a mail reader shows nothing
	blank = 1
	line  = 2
)

// ascii maps ASCII to lower case. Controls vanish, so a NUL inside a word does not hide it.
var ascii = func() (t [utf8.RuneSelf]byte) {
	for c := byte(' ') + 1; c < 0x7f; c++ {
		t[c] = c
	}
	for c := byte('A'); c <= 'Z'; c++ {
		t[c] = c + 'a' - 'A'
	}
	t[' '], t['\t'], t['\v'], t['\f'] = blank, blank, blank, blank
	t['\n'], t['\r'] = line, line
	return t
}()

// Barrier separates two texts that are matched together: it is no white space and no word, so no
// phrase matches across it, and folded text never holds it.
const Barrier = "\n\x1e\n"

// maxRun is the longest run of non-ASCII octets that is normalised at once; a longer one is cut
// between characters.
const maxRun = 4096

// Writer folds text that comes in pieces: UTF-8, cut anywhere.
type Writer struct {
	sink  func(p []byte) // takes folded text
	out   []byte         // folded and not yet given to sink
	run   []byte         // at most one ASCII character and what follows it outside ASCII: it may compose
	space byte           // white space seen and not written: 0, ' ' or '\n'
}

const flushAt = 2048

// NewWriter gives folded text to sink, which may not keep it.
func NewWriter(sink func([]byte)) *Writer { return &Writer{sink: sink} }

// Write folds p. It never fails.
func (w *Writer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(w.run) > 0 {
			p = w.extend(p)
			continue
		}
		p = w.ascii(p)
	}
	return n, nil
}

// ascii folds up to the last ASCII character before something else, which it keeps in run.
func (w *Writer) ascii(p []byte) []byte {
	if p[0] >= utf8.RuneSelf {
		return w.extend(p)
	}
	end := charset.ASCIIRun(p[:min(len(p), flushAt)])
	// Most of the work is done here, so it is done on local variables. Each octet writes one at
	// most, white space excepted that was noted before.
	w.out = slices.Grow(w.out, end+8)
	out, space := w.out, w.space
	for rest := p[:end-1]; len(rest) > 0; rest = rest[1:] {
		for len(rest) > 8 {
			folded, blanks, plain := eight(binary.LittleEndian.Uint64(rest))
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
		switch c = ascii[c&0x7f]; {
		case c > line:
			if space != 0 {
				out = append(out, space)
				space = 0
			}
			out = append(out, c)
		case c == line:
			space = '\n'
		case c == blank && space == 0:
			space = ' '
		}
	}
	w.out, w.space = out, space
	if len(w.out) >= flushAt {
		w.flush()
	}
	w.run = append(w.run, p[end-1])
	return p[end:]
}

// eachOctet has a one in each octet of eight, topBits the highest bit.
const (
	eachOctet = 0x0101010101010101
	topBits   = 0x8080808080808080
)

// eight folds eight octets of ASCII at once, which works if they are plain: letters, digits, signs
// and single blanks. The blanks are marked.
func eight(eight uint64) (folded, blanks uint64, plain bool) {
	printed := (eight + (0x80-' ')*eachOctet) &^ (eight + eachOctet) & topBits
	blanks = (topBits - (eight ^ ' '*eachOctet)) & topBits
	upper := (eight + (0x80-'A')*eachOctet) &^ (eight + (0x80-'Z'-1)*eachOctet) & topBits
	return eight | upper>>2, blanks, printed == topBits && blanks&(blanks<<8) == 0
}

// put writes one folded character of ASCII, or notes white space.
func (w *Writer) put(c byte) {
	switch c {
	case drop:
	case blank:
		if w.space == 0 {
			w.space = ' '
		}
	case line:
		w.space = '\n'
	default:
		w.pay()
		w.out = append(w.out, c)
	}
}

// pay writes the white space that was noted.
func (w *Writer) pay() {
	if w.space != 0 {
		w.out = append(w.out, w.space)
		w.space = 0
	}
}

// extend adds octets outside ASCII to run; the next ASCII character ends it.
func (w *Writer) extend(p []byte) []byte {
	i := 0
	for i < len(p) && p[i] >= utf8.RuneSelf && len(w.run)+i < maxRun {
		i++
	}
	w.run = append(w.run, p[:i]...)
	switch {
	case i == len(p) && len(w.run) < maxRun: // more may come
	case i < len(p) && p[i] < utf8.RuneSelf:
		w.endRun(false)
	default:
		w.endRun(true)
	}
	return p[i:]
}

// endRun normalises run. With cut, an unfinished character at its end waits for its rest.
func (w *Writer) endRun(cut bool) {
	run := w.run
	var rest [utf8.UTFMax]byte
	kept := 0
	if cut {
		if i := lastStart(run); i > 0 && !utf8.FullRune(run[i:]) {
			kept = copy(rest[:], run[i:])
			run = run[:i]
		}
	}
	if len(run) == 1 && run[0] < utf8.RuneSelf { // by far the most common case
		w.put(ascii[run[0]])
	} else {
		for _, r := range string(norm.NFKC.Bytes(visible(run))) {
			w.rune(r)
		}
	}
	w.run = append(w.run[:0], rest[:kept]...)
	if len(w.out) >= flushAt {
		w.flush()
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

// invisible tells the default ignorable code points of Unicode: zero-width and bidirectional
// controls, soft hyphens, variation selectors, fillers.
func invisible(r rune) bool {
	if r < 0xad {
		return false
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// Rune gives the one form that all cases of a letter have in folded text. Upper and then lower, so
// that letters with several lower forms (sigma) agree.
func Rune(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

func (w *Writer) rune(r rune) {
	if r < utf8.RuneSelf {
		w.put(ascii[r])
		return
	}
	switch {
	case r == 0x85 || r == 0x2028 || r == 0x2029:
		w.put(line)
	case unicode.IsSpace(r):
		w.put(blank)
	case unicode.IsControl(r):
	default:
		if plain := plainForm(r); plain != 0 {
			w.put(plain)
			return
		}
		w.pay()
		w.out = utf8.AppendRune(w.out, Rune(r))
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

func (w *Writer) flush() {
	if len(w.out) > 0 {
		w.sink(w.out)
		w.out = w.out[:0]
	}
}

// End folds what was held back and ends the text; a text that follows begins again.
func (w *Writer) End() {
	if len(w.run) > 0 {
		w.endRun(false)
	}
	w.space = 0
	w.flush()
}

// Barrier ends a text that another one follows.
func (w *Writer) Barrier() {
	w.End()
	w.sink([]byte(Barrier))
}

// Text folds a whole text.
func Text(s string) []byte {
	var out []byte
	w := NewWriter(func(p []byte) { out = append(out, p...) })
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
