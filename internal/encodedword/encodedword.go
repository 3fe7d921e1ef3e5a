// Package encodedword undoes the encoded words of header fields (RFC 2047) as mail programs do:
// also inside quotes and in the middle of a word, and with every fault that some program overlooks.
package encodedword

import (
	"slices"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/transfer"
)

// Decode decodes all encoded words of s by the first of its [Readings].
func Decode(s string) string {
	if !strings.Contains(s, "=?") {
		return charset.Decode("", s)
	}
	d := decoder{}
	return d.decode(s)
}

// Readings are the texts that mail programs make of s: always one, the likeliest, and further ones
// where they differ. The time is linear in the input.
//
// Octets outside of words are text too: UTF-8, or what [charset.Decode] makes of them. A character
// may be split between two words that nothing but white space separates. What is no encoded word
// stays as it is. Programs differ in faulty base64 ([transfer.Base64Readings]), in words under an
// odd charset ([charset.Readings]), in decoding neighbours one by one, and in words that have no
// end or begin again before it, and in what touches a word. Each text has one of these differences
// throughout.
func Readings(s string) []string {
	if !strings.Contains(s, "=?") {
		return charset.DecodeAll("", s)
	}
	r := readings{of: s}
	first := r.base64(style{})
	for i := 1; i < first.charsets; i++ {
		r.add(style{charset: i})
	}
	if first.joined {
		r.add(style{apart: true})
	}
	if first.again {
		r.base64(style{outer: true})
	}
	if first.again || first.open {
		r.base64(style{open: true})
	}
	if first.touches {
		r.add(style{spaced: true})
	}
	if first.changes {
		r.add(style{parted: true})
	}
	if first.touches && first.changes {
		r.add(style{spaced: true, parted: true})
	}
	return r.texts
}

// readings are those of one text.
type readings struct {
	of    string
	texts []string
}

func (r *readings) add(style style) *decoder {
	d := &decoder{style: style}
	if text := d.decode(r.of); !slices.Contains(r.texts, text) {
		r.texts = append(r.texts, text)
	}
	return d
}

// base64 adds a style with every reading of base64.
func (r *readings) base64(style style) (first *decoder) {
	first = r.add(style)
	for style.base64 = 1; style.base64 < first.base64s; style.base64++ {
		r.add(style)
	}
	return first
}

// style is how one program differs from most.
type style struct {
	base64  int  // number of the reading of base64
	charset int  // number of the reading of what is decoded
	apart   bool // each word is decoded by itself
	outer   bool // a word that begins again before its end goes from its first beginning
	open    bool // white space ends a word that has no end
	spaced  bool // a blank stands between a word and other text that touches it (Python)
	parted  bool // a blank stands between two words of which one is in ASCII (Python)
}

// decoder decodes a text in one style.
type decoder struct {
	style style
	out   strings.Builder
	run   []byte // octets of adjacent words in one charset
	label string // of run
	last  bool   // a word was the last that came: white space behind it may be no text
	white string // that white space

	// What other styles may do otherwise.
	base64s, charsets   int
	joined, again, open bool
	touches, changes    bool
}

func (d *decoder) decode(s string) string {
	for s != "" {
		before, w, after, ok := d.next(s)
		if !ok {
			break
		}
		d.plain(before)
		d.word(w)
		s = after
	}
	d.plain(s)
	d.flush()
	return d.out.String()
}

// plain takes text between words.
func (d *decoder) plain(s string) {
	if d.last && strings.Trim(s, " \t\r\n") == "" {
		d.white = s
		return
	}
	if d.last && !strings.HasPrefix(s, " ") {
		d.touches = true
		d.blank(d.style.spaced)
	}
	d.flush()
	d.out.WriteString(charset.Decode("", s))
}

func (d *decoder) word(w word) {
	d.white = ""
	switch text := d.out.String(); {
	case d.last && w.label != d.label && (w.label == "us-ascii" || d.label == "us-ascii"):
		d.changes = true
		d.blank(d.style.parted)
	case !d.last && text != "" && !strings.HasSuffix(text, " "):
		d.touches = true
		d.blank(d.style.spaced)
	}
	if w.label != d.label || d.style.apart || !d.last {
		d.flush()
	}
	d.joined = d.joined || d.last && len(d.run) > 0
	d.label, d.last = w.label, true
	if w.encoding == 'q' {
		d.run = appendQ(d.run, w.text)
		return
	}
	readings := transfer.Base64Readings(w.text)
	d.base64s = max(d.base64s, len(readings))
	d.run = append(d.run, readings[min(d.style.base64, len(readings)-1)]...)
}

// blank has a blank written where a word touches what comes now.
func (d *decoder) blank(wanted bool) {
	if wanted {
		d.white = " "
	}
}

// flush ends a run of adjacent words.
func (d *decoder) flush() {
	if len(d.run) > 0 {
		readings := charset.DecodeAll(d.label, string(d.run))
		d.charsets = max(d.charsets, len(readings))
		d.out.WriteString(readings[min(d.style.charset, len(readings)-1)])
	}
	d.out.WriteString(d.white)
	d.run, d.label, d.last, d.white = d.run[:0], "", false, ""
}

// Holds reports whether an encoded word of s has one of the signs in its text as it is written,
// which RFC 2047 section 5 does not allow.
func Holds(s, signs string) bool {
	d := decoder{}
	for {
		_, w, after, ok := d.next(s)
		if !ok {
			return false
		}
		if strings.ContainsAny(w.text, signs) {
			return true
		}
		s = after
	}
}

// word is `=?charset?encoding?text?=`.
type word struct {
	label    string // the charset
	encoding byte   // 'b' or 'q'
	text     string
}

// next finds the first encoded word of s. Blanks in it, an empty charset, and a length above the 75
// characters of RFC 2047 section 2 are overlooked.
func (d *decoder) next(s string) (before string, w word, after string, ok bool) {
	end := -1 // of the text of the word that is looked at
	for at := 0; ; {
		i := strings.Index(s[at:], "=?")
		if i < 0 || end >= 0 && at+i > end {
			break
		}
		start := at + i
		at = start + 1 // "=?=?utf-8?…" begins at the second
		label, encoding, text := begin(s[start:])
		if text == 0 {
			continue
		}
		if d.style.open {
			w = word{label: label, encoding: encoding}
			w.text, after = cutOpen(s[start+text:])
			return s[:start], w, after, true
		}
		if ok {
			d.again = true
			if d.style.outer {
				break
			}
		}
		if end < start+text {
			i := strings.Index(s[start+text:], "?=")
			if i < 0 {
				d.open = true
				break // nor will one behind it have an end
			}
			end = start + text + i
		}
		before, w, ok = s[:start], word{label, encoding, s[start+text : end]}, true
	}
	if !ok {
		return "", word{}, "", false
	}
	return before, w, s[end+2:], true
}

// begin reads what stands before the text of a word; text is where that begins, 0 for no word.
func begin(s string) (label string, encoding byte, text int) {
	label, rest, found := strings.Cut(s[2:], "?")
	if !found {
		return "", 0, 0
	}
	letter, _, found := strings.Cut(rest[:min(len(rest), maxLetter)], "?")
	if !found {
		return "", 0, 0
	}
	text = 2 + len(label) + 1 + len(letter) + 1
	switch strings.ToLower(strings.TrimSpace(letter)) {
	case "b":
		encoding = 'b'
	case "q":
		encoding = 'q'
	default:
		return "", 0, 0
	}
	label, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(label)), "*") // RFC 2231 section 5
	return label, encoding, text
}

// maxLetter bounds the letter of the encoding with the blanks around it.
const maxLetter = 16

// cutOpen is the text of a word that may have no end, and what stands behind the word.
func cutOpen(s string) (text, after string) {
	for i := range len(s) {
		switch {
		case strings.HasPrefix(s[i:], "?="):
			return s[:i], s[i+2:]
		case strings.IndexByte(" \t\r\n", s[i]) >= 0:
			return strings.TrimSuffix(s[:i], "?"), s[i:]
		}
	}
	return strings.TrimSuffix(s, "?"), ""
}

// appendQ undoes the Q encoding (RFC 2047 section 4.2). What is no valid escape stands for itself.
func appendQ(out []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && transfer.Hex(s[i+1]) >= 0 && transfer.Hex(s[i+2]) >= 0:
			out = append(out, byte(transfer.Hex(s[i+1])<<4|transfer.Hex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}
