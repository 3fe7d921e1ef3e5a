// Package rtf reduces Rich Text Format to its text (RTF specification 1.9.1).
package rtf

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"mailweir/internal/transfer"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

type reader struct {
	in      *bufio.Reader
	out     io.Writer
	text    []byte // not yet given to out
	depth   int
	skip    int // depth of the group that is no text, 0 while none is
	unicode int // \ucN: characters that stand in for a \u one
	drop    int // of them still to come
	code    *charmap.Charmap
}

var codePages = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 1250: charmap.Windows1250, 1251: charmap.Windows1251,
	1252: charmap.Windows1252, 1253: charmap.Windows1253, 1254: charmap.Windows1254, 1255: charmap.Windows1255,
	1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
}

// hidden are groups that hold no text of the document.
var hidden = nameSet(`fonttbl colortbl stylesheet pict objdata listtable listoverridetable rsidtbl generator themedata
	colorschememapping latentstyles datastore xmlnstbl filetbl revtbl`)

var breaks = nameSet("par line tab cell row sect page column nestcell nestrow pard emspace enspace")

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

// Text writes the text of a document to out, up to the end of in. A faulty document gives the text
// that can be read.
func Text(in *bufio.Reader, out io.Writer) {
	r := &reader{in: in, out: out, unicode: 1, code: charmap.Windows1252}
	r.read()
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
			r.depth++
		case '}':
			if r.skip > 0 && r.depth <= r.skip {
				r.skip = 0
			}
			r.depth = max(r.depth-1, 0)
		case '\\':
			r.control()
		case '\r', '\n':
		default:
			r.octet(c)
		}
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
		r.hide()
	case c == '~':
		r.octet(' ')
	case c == '_':
		r.octet('-')
	case c == '\\' || c == '{' || c == '}':
		r.octet(c)
	case c == '\r' || c == '\n':
		r.write('\n')
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		r.word(c)
	}
}

// word reads a control word with its number.
func (r *reader) word(first byte) {
	name := []byte{first}
	number, signed, digits := 0, false, false
	for {
		c, err := r.in.ReadByte()
		switch {
		case err != nil:
		case !digits && !signed && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			if len(name) < 32 {
				name = append(name, c)
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
	r.apply(string(name), number, digits)
}

func (r *reader) apply(name string, number int, given bool) {
	switch {
	case name == "u":
		r.drop = 0
		if r.skip == 0 {
			r.rune(rune(uint16(number)))
		}
		r.drop = r.unicode
	case name == "uc" && number >= 0 && number < 16:
		r.unicode = number
	case name == "ansicpg":
		if code, ok := codePages[number].(*charmap.Charmap); ok {
			r.code = code
		}
	case name == "bin" && given && number > 0:
		_, _ = r.in.Discard(number)
	case hidden[name]:
		r.hide()
	case breaks[name]:
		r.write('\n')
	}
}

// hide skips to the end of the group.
func (r *reader) hide() {
	if r.skip == 0 {
		r.skip = max(r.depth, 1)
	}
}

func (r *reader) octet(c byte) {
	switch {
	case r.drop > 0:
		r.drop--
	case c < utf8.RuneSelf:
		r.write(c)
	default:
		r.rune(r.code.DecodeByte(c))
	}
}

func (r *reader) rune(c rune) {
	if r.skip > 0 {
		return
	}
	r.text = utf8.AppendRune(r.text, c)
	r.full()
}

func (r *reader) write(c byte) {
	if r.skip > 0 {
		return
	}
	r.text = append(r.text, c)
	r.full()
}

func (r *reader) full() {
	if len(r.text) >= 2048 {
		r.flush()
	}
}

func (r *reader) flush() {
	_, _ = r.out.Write(r.text)
	r.text = r.text[:0]
}
