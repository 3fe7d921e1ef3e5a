// Package terminal writes what commands print, so that no sender's text can do anything to the
// terminal of whoever reads it: a mail address may hold escape sequences, line ends and characters
// that turn the text around. They are shown, as "\u001b", and never sent. The form of an escape is
// that of JSON, so that JSON stays what it is.
package terminal

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text makes a text fit for one cell or the middle of a line: what cannot be seen is escaped, line
// ends and tabs included.
func Text(s string) string {
	if !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	return string(appendEscaped(nil, []byte(s), hidden))
}

// hidden reports whether a character cannot be seen, or is not one.
func hidden(r rune) bool { return !unicode.IsPrint(r) }

func appendEscaped(b, text []byte, escaped func(rune) bool) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\x%02x`, text[0])
		case !escaped(r):
			b = append(b, text[:size]...)
		default:
			b = appendEscape(b, r)
		}
		text = text[size:]
	}
	return b
}

func appendEscape(b []byte, r rune) []byte {
	switch r {
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	if r <= 0xffff {
		return fmt.Appendf(b, `\u%04x`, r)
	}
	r -= 0x10000
	return fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
}

// Writer passes text with its line ends and tabs on, and escapes all else that cannot be seen. It
// is the last thing between a command, or the log, and its terminal. It is not for several
// goroutines at once.
type Writer struct {
	out     io.Writer
	partial []byte // the beginning of a character whose rest comes with the next Write
}

// NewWriter returns a Writer to out. Close it when all is written.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Write escapes and passes on.
func (w *Writer) Write(p []byte) (int, error) {
	text := p
	if len(w.partial) > 0 {
		text = append(w.partial, p...)
	}
	end := len(text) - unfinished(text)
	w.partial = append([]byte(nil), text[end:]...)
	text = text[:end]
	if bytes.ContainsFunc(text, moves) || !utf8.Valid(text) {
		text = appendEscaped(nil, text, moves)
	}
	if _, err := w.out.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what has been left unfinished.
func (w *Writer) Close() error {
	if len(w.partial) == 0 {
		return nil
	}
	_, err := w.out.Write(appendEscaped(nil, w.partial, moves))
	w.partial = nil
	return err
}

// moves reports whether a character is to be escaped in text of our own, which has lines.
func moves(r rune) bool { return r != '\n' && r != '\t' && hidden(r) }

// unfinished is how many octets at the end may be the beginning of a character.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Table writes rows in columns. Every cell is text, whatever it holds.
type Table struct {
	out *tabwriter.Writer
}

// NewTable begins a table with the titles of its columns; without any it has none.
func NewTable(out io.Writer, titles ...string) *Table {
	t := &Table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	if len(titles) > 0 {
		fmt.Fprintln(t.out, strings.Join(titles, "\t"))
	}
	return t
}

// Row writes one row. A cell is written as fmt.Sprint does; an empty one is shown empty.
func (t *Table) Row(cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = Text(fmt.Sprint(cell))
	}
	fmt.Fprintln(t.out, strings.Join(texts, "\t"))
}

// Flush writes the table, once its last row is known.
func (t *Table) Flush() error { return t.out.Flush() }

// Time writes a time for people, in UTC as in the log, as "2026-11-28 16:00:00Z"; "-" for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime) + "Z"
}
