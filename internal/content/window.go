package content

import (
	"sync"
	"unicode/utf8"

	"mailweir/internal/content/match"
)

// bufferSizes are the classes of pooled buffers: most messages need a few KiB.
var bufferSizes = [...]int{4 << 10, 16 << 10, match.WindowSize}

// bufferPool lends buffers against a Budget.
type bufferPool struct {
	budget *Budget
	pools  [len(bufferSizes)]sync.Pool
}

// get lends an empty buffer of the class, nil when the budget is used up.
func (b *bufferPool) get(class int) *[]byte {
	if !b.budget.take(bufferSizes[class]) {
		return nil
	}
	if buf, ok := b.pools[class].Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, 0, bufferSizes[class])
	return &buf
}

func (b *bufferPool) put(class int, buf *[]byte) {
	*buf = (*buf)[:0]
	b.pools[class].Put(buf)
	b.budget.give(bufferSizes[class])
}

// window collects the folded text of one section and has it matched when it is full.
type window struct {
	pool    *bufferPool
	section Sections
	unshown bool // not matched with entries that exclude
	words   bool // matched with words and phrases only, and not with those that exclude
	match   func(w *window, from, to int)
	buf     *[]byte
	class   int
	from    int   // what stands before is context and has been matched
	base    int64 // offset of the buffer in the whole text of the section
	failed  bool  // no memory
}

// write adds folded text.
func (w *window) write(p []byte) {
	for len(p) > 0 && w.room() {
		n := min(len(p), cap(*w.buf)-len(*w.buf))
		*w.buf = append(*w.buf, p[:n]...)
		p = p[n:]
	}
}

// room makes place in the buffer: it grows to the next class, or is matched and moved on.
func (w *window) room() bool {
	switch {
	case w.failed:
		return false
	case w.buf == nil:
		w.buf = w.pool.get(0)
		w.failed = w.buf == nil
	case len(*w.buf) < cap(*w.buf):
	case w.class+1 < len(bufferSizes):
		bigger := w.pool.get(w.class + 1)
		if bigger == nil {
			w.failed = true
			break
		}
		*bigger = append(*bigger, *w.buf...)
		w.pool.put(w.class, w.buf)
		w.buf = bigger
		w.class++
	default:
		w.advance()
	}
	return !w.failed
}

// advance matches what is complete and keeps the overlap. A match belongs to the window that holds
// its first octet before the overlap, so nothing is counted twice.
func (w *window) advance() {
	text := *w.buf
	to := cutPoint(text, len(text)-match.Overlap)
	w.match(w, w.from, to)
	_, context := utf8.DecodeLastRune(text[:to])
	w.base += int64(to - context)
	*w.buf = text[:copy(text, text[to-context:])]
	w.from = context
}

// cutPoint is at or shortly before at: after white space if there is some, else between characters.
func cutPoint(text []byte, at int) int {
	for i := at; i > at-256; i-- {
		if text[i-1] == ' ' || text[i-1] == '\n' {
			return i
		}
	}
	return match.RuneStart(text, at)
}

// finish matches the rest.
func (w *window) finish() {
	if w.buf != nil && len(*w.buf) > w.from {
		w.match(w, w.from, len(*w.buf))
		w.from = len(*w.buf)
	}
}

// flush matches all that has come and begins again. What follows is never matched together with it.
func (w *window) flush() {
	w.finish()
	if w.buf != nil {
		w.base += int64(len(*w.buf))
		*w.buf = (*w.buf)[:0]
		w.from = 0
	}
}

// release gives the buffer back.
func (w *window) release() {
	if w.buf != nil {
		w.pool.put(w.class, w.buf)
		w.buf = nil
	}
}
