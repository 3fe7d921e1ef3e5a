// Package encodedword undoes the encoded words of header fields (RFC 2047) as mail programs do: also
// inside quotes and in the middle of a word, and with every fault that some program overlooks.
package encodedword

import (
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/transfer"
)

// Decode decodes all encoded words of s. Octets outside them are text too: UTF-8, or what
// [charset.Decode] makes of them. A character may be split between two words that nothing but white
// space separates. What is no encoded word stays as it is. The time is linear in the input.
func Decode(s string) string {
	if !strings.Contains(s, "=?") {
		return charset.Decode("", s)
	}
	d := decoder{}
	for s != "" {
		before, w, after, ok := next(s)
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

// decoder joins what it is given.
type decoder struct {
	out     strings.Builder
	run     []byte // octets of adjacent words in one charset
	charset string // of run
	last    bool   // a word was the last that came: white space behind it may be no text
	white   string // that white space
}

// plain takes text between words.
func (d *decoder) plain(s string) {
	if d.last && strings.Trim(s, " \t\r\n") == "" {
		d.white = s
		return
	}
	d.flush()
	d.out.WriteString(charset.Decode("", s))
}

func (d *decoder) word(w word) {
	if w.charset != d.charset {
		d.white = ""
		d.flush()
	}
	d.charset, d.last, d.white = w.charset, true, ""
	d.run = append(d.run, w.octets()...)
}

// flush ends a run of adjacent words.
func (d *decoder) flush() {
	d.out.WriteString(charset.Decode(d.charset, string(d.run)))
	d.out.WriteString(d.white)
	d.run, d.charset, d.last, d.white = d.run[:0], "", false, ""
}

// word is `=?charset?encoding?text?=`.
type word struct {
	charset  string // lower case, without a language (RFC 2231 section 5)
	encoding byte   // 'b' or 'q'
	text     string
}

// next finds the first encoded word of s. Blanks in it, an empty charset, and a length above the 75
// characters of RFC 2047 section 2 are overlooked.
func next(s string) (before string, w word, after string, ok bool) {
	for at := 0; ; {
		start := strings.Index(s[at:], "=?")
		if start < 0 {
			return "", word{}, "", false
		}
		start += at
		at = start + 1 // "=?=?utf-8?…" begins at the second
		label, rest, found := strings.Cut(s[start+2:], "?")
		encoding, text, foundText := strings.Cut(rest, "?")
		encoding = strings.TrimSpace(encoding)
		if !found || !foundText || len(encoding) != 1 || !strings.Contains("bBqQ", encoding) {
			continue
		}
		text, after, found = strings.Cut(text, "?=")
		if !found {
			return "", word{}, "", false // nor will one behind it have an end
		}
		label, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(label)), "*")
		return s[:start], word{label, encoding[0] | 0x20, text}, after, true
	}
}

func (w word) octets() []byte {
	if w.encoding == 'b' {
		return transfer.Base64(w.text)
	}
	return decodeQ(w.text)
}

// decodeQ undoes the Q encoding (RFC 2047 section 4.2). What is no valid escape stands for itself.
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
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
