package xml

import (
	"bytes"
	"io"
)

// maxMarkup bounds a tag and a document type; what is longer is read as text.
const maxMarkup = 64 << 10

// input is the document as it is read, with a look ahead of any length up to maxMarkup.
type input struct {
	r   io.Reader
	buf []byte // what is read and not yet used begins at at
	at  int
	end bool
}

// rest is what lies ready.
func (i *input) rest() []byte { return i.buf[i.at:] }

// more reads on; false at the end.
func (i *input) more() bool {
	if i.end {
		return false
	}
	if i.at > 0 {
		i.buf = i.buf[:copy(i.buf, i.buf[i.at:])]
		i.at = 0
	}
	if cap(i.buf)-len(i.buf) < 1024 {
		i.buf = append(make([]byte, 0, 2*cap(i.buf)+4096), i.buf...)
	}
	for range 100 {
		n, err := i.r.Read(i.buf[len(i.buf):cap(i.buf)])
		i.buf = i.buf[:len(i.buf)+n]
		i.end = err != nil
		if n > 0 || i.end {
			return n > 0
		}
	}
	i.end = true // a reader that gives nothing and no error
	return false
}

// begins tells whether what comes next is mark.
func (i *input) begins(mark string) bool {
	for len(i.rest()) < len(mark) {
		if !bytes.HasPrefix([]byte(mark), i.rest()) || !i.more() {
			return false
		}
	}
	return bytes.HasPrefix(i.rest(), []byte(mark))
}

// skipPast goes behind mark, however far that is; false if it does not come.
func (i *input) skipPast(mark string) bool {
	for {
		rest := i.rest()
		if n := bytes.Index(rest, []byte(mark)); n >= 0 {
			i.at += n + len(mark)
			return true
		}
		i.at += max(len(rest)-len(mark)+1, 0)
		if !i.more() {
			i.at = len(i.buf)
			return false
		}
	}
}

// tag is the length of the tag that comes next up to its `>`, those in quotes not counted. If there
// is none before the next `<`, the end or maxMarkup, ok is false and length that of what may be
// taken as text.
func (i *input) tag() (length int, ok bool) {
	var quote byte
	rest := i.rest()
	for n := 1; ; n++ {
		if n >= len(rest) || n == maxMarkup {
			if !i.has(n) {
				return min(n, len(i.rest())), false
			}
			rest = i.rest()
		}
		switch c := rest[n]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return n, false
		case c == '>':
			return n + 1, true
		}
	}
}

// doctype is the length of the document type that comes next, 0 if it does not end within
// maxMarkup. What stands in its brackets, in quotes and in comments does not end it.
func (i *input) doctype() int {
	var quote byte
	brackets, comment := 0, false
	for n := 2; ; n++ {
		if !i.has(n) {
			return 0
		}
		switch so, c := i.rest()[:n+1], i.rest()[n]; {
		case comment:
			comment = !bytes.HasSuffix(so, []byte("-->"))
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case bytes.HasSuffix(so, []byte("<!--")):
			comment = true
		case c == '"' || c == '\'':
			quote = c
		case c == '[':
			brackets++
		case c == ']':
			brackets--
		case c == '>' && brackets <= 0:
			return n + 1
		}
	}
}

// has reads on as far as octet n, unless what reaches so far can be no markup.
func (i *input) has(n int) bool { return n < maxMarkup && (n < len(i.rest()) || i.more()) }

// insert lets text come next.
func (i *input) insert(text string) {
	if i.at >= len(text) {
		i.at -= len(text)
		copy(i.buf[i.at:], text)
		return
	}
	i.buf = append([]byte(text), i.rest()...)
	i.at = 0
}
