// Package rtf reduces Rich Text Format to its text (RTF specification 1.9.1).
//
// What stands apart from the text that shows (hidden and deleted words, headers, footnotes, what a
// field is made from, the properties of the document) is given apart: it neither splits words nor
// joins them. Destinations that are marked as such (`\*`) and not known hold no text.
package rtf

import (
	"bufio"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"mailweir/internal/transfer"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// Output is where the text of a document goes.
type Output struct {
	Shown  io.Writer
	Beside io.Writer // what shows elsewhere
	Hidden io.Writer // what does not show
	// Paragraph is called between two paragraphs of what shows.
	Paragraph func()
}

type reader struct {
	in     *bufio.Reader
	out    Output
	text   []byte // to be given out
	to     place  // where it goes
	group  group
	groups []group // those around it
	deeper int     // groups that are open beyond maxGroups

	drop  int    // characters to come that stand in for a \u one
	high  rune   // the first half of a surrogate pair
	raw   []byte // octets of a charset of several octets a character
	code  encoding.Encoding
	here  encoding.Encoding         // of the font that is in use, nil while not looked up
	deff  int                       // the font of text that names none
	fonts map[int]encoding.Encoding // those with a charset of their own
	font  int                       // that is being declared
	shape bool                      // the property of a shape that is being declared is text
}

// place is where text goes.
type place int

const (
	shown place = iota
	beside
	hidden
	nowhere
)

// group is what a group inherits and changes.
type group struct {
	to                    place
	fonts                 bool // the table of fonts
	starred               bool // `\*`: what follows is a destination that not all know
	hidden, deleted, tiny bool
	font                  int // noFont for none
	unicode               int // \ucN: characters that stand in for a \u one
}

const noFont = -1

// invisible tells that the letters of the group do not show.
func (g *group) invisible() bool { return g.hidden || g.deleted || g.tiny }

// Bounds. Groups that are nested deeper share what they change; a font beyond the bound has the
// charset of the document.
const (
	maxGroups = 1000
	maxFonts  = 1000
)

// Text gives out the text of a document, up to the end of in. A faulty document gives the text that
// can be read.
func Text(in *bufio.Reader, out Output) {
	r := &reader{in: in, out: out, group: group{unicode: 1, font: noFont}, code: charmap.Windows1252, fonts: map[int]encoding.Encoding{}}
	r.read()
	r.characters(true)
	r.flush()
}

func (r *reader) read() {
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return
		}
		switch c {
		case '{':
			r.open()
		case '}':
			r.close()
		case '\\':
			r.control()
		case '\r', '\n':
		default:
			r.octet(c)
			r.letters()
		}
	}
}

// letters takes the ASCII that lies ready, if it is all text: most of a document is.
func (r *reader) letters() {
	if len(r.raw) > 0 || r.high != 0 || r.drop > 0 || r.to != shown || r.group.to != shown || r.group.invisible() {
		return
	}
	ready, _ := r.in.Peek(r.in.Buffered())
	n := 0
	for n < len(ready) && !notLetter[ready[n]] {
		n++
	}
	r.text = append(r.text, ready[:n]...)
	_, _ = r.in.Discard(n)
	if len(r.text) >= enough {
		r.flush()
	}
}

// enough is the octets of text that are given out at a time.
const enough = 2048

// notLetter are octets that mean something else, or more than themselves.
var notLetter = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= utf8.RuneSelf || c < ' ' || c == '\\' || c == '{' || c == '}'
	}
	return t
}()

func (r *reader) open() {
	r.characters(true)
	r.drop = 0
	if r.group.starred {
		r.group.starred, r.group.to = false, nowhere
	}
	if len(r.groups) == maxGroups {
		r.deeper++
		return
	}
	r.groups = append(r.groups, r.group)
}

func (r *reader) close() {
	r.characters(true)
	r.drop = 0
	switch last := len(r.groups) - 1; {
	case r.deeper > 0:
		r.deeper--
	case last >= 0:
		r.here = nil
		r.group, r.groups = r.groups[last], r.groups[:last]
	}
}

// control reads what follows a backslash.
func (r *reader) control() {
	c, err := r.in.ReadByte()
	switch {
	case err != nil:
	case c == '\'':
		var hex [2]byte
		if _, err = io.ReadFull(r.in, hex[:]); err == nil && transfer.Hex(hex[0]) >= 0 && transfer.Hex(hex[1]) >= 0 {
			r.octet(byte(transfer.Hex(hex[0])<<4 | transfer.Hex(hex[1])))
		}
	case c == '*':
		r.group.starred = true
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		r.word(c)
	case r.dropped():
	default:
		r.symbol(c)
	}
}

func (r *reader) symbol(c byte) {
	switch c {
	case '~':
		r.rune(' ')
	case '_':
		r.rune('-')
	case '\\', '{', '}':
		r.rune(rune(c))
	case '\t':
		r.rune('\t')
	case '\r', '\n':
		r.rune('\n')
	}
}

// word reads a control word with its number.
func (r *reader) word(first byte) {
	name, length := [32]byte{first}, 1
	number, signed, digits := 0, false, false
	for {
		c, err := r.in.ReadByte()
		switch {
		case err != nil:
		case !digits && !signed && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			if length < len(name) {
				name[length] = c
				length++
			}
			continue
		case !digits && !signed && c == '-':
			signed = true
			continue
		case c >= '0' && c <= '9':
			digits = true
			number = min(number*10+int(c-'0'), 1<<30)
			continue
		case c != ' ':
			_ = r.in.UnreadByte()
		}
		break
	}
	if signed {
		number = -number
	}
	r.apply(words[string(name[:length])], number, digits)
}

// dropped takes a character that stands in for a \u one: a word or sign of control is one, too.
func (r *reader) dropped() bool {
	if r.drop > 0 {
		r.drop--
		return true
	}
	return false
}

func (r *reader) octet(c byte) {
	if r.group.starred {
		r.group.starred, r.group.to = false, nowhere
	}
	if r.dropped() || r.group.to == nowhere {
		return
	}
	if c < utf8.RuneSelf && len(r.raw) == 0 { // as in all charsets of fonts
		r.rune(rune(c))
		return
	}
	r.raw = append(r.raw, c)
	r.characters(len(r.raw) >= longest)
}

// longest is more than the octets of any character.
const longest = 8

// characters decodes the octets that have come, as far as they are whole characters, or all.
func (r *reader) characters(all bool) {
	if len(r.raw) == 0 {
		return
	}
	var out [8 * longest]byte
	n, used, _ := r.encoding().NewDecoder().Transform(out[:], r.raw, all)
	if all {
		used = len(r.raw)
	}
	rest := r.raw[used:]
	r.raw = nil // rune asks for it
	for _, c := range string(out[:n]) {
		r.rune(c)
	}
	r.raw = rest
}

// encoding is that of octets here: of the font, else of the document.
func (r *reader) encoding() encoding.Encoding {
	if r.here == nil {
		font := r.group.font
		if font == noFont {
			font = r.deff
		}
		if r.here = r.fonts[font]; r.here == nil {
			r.here = r.code
		}
	}
	return r.here
}

// unit is a \u character: a half of a pair (UTF-16), or a sign that a font has in the place of a
// letter.
func (r *reader) unit(c rune) {
	switch pair := utf16.DecodeRune(r.high, c); {
	case pair != utf8.RuneError:
		r.high = 0
		r.rune(pair)
	case utf16.IsSurrogate(c):
		r.high = c
	case c&0xff00 == 0xf000:
		r.rune(c & 0xff)
	default:
		r.rune(c)
	}
}

func (r *reader) rune(c rune) {
	r.characters(true)
	if r.high != 0 {
		r.high = 0
		r.rune(utf8.RuneError)
	}
	to := r.group.to
	if to < hidden && r.group.invisible() {
		to = hidden
	}
	if to == nowhere {
		return
	}
	if to != r.to {
		r.flush()
		if r.to = to; to != shown {
			r.text = append(r.text, '\n')
		}
	}
	if r.text = utf8.AppendRune(r.text, c); len(r.text) >= enough {
		r.flush()
	}
}

func (r *reader) flush() {
	out := [...]io.Writer{shown: r.out.Shown, beside: r.out.Beside, hidden: r.out.Hidden}[r.to]
	_, _ = out.Write(r.text)
	r.text = r.text[:0]
}
