package content

import "bytes"

// maxAside is the most text apart that is kept of one paragraph of a document.
const maxAside = 64 << 10

// aside is text of a document that stands apart from what shows: it neither splits words nor joins
// them, and is examined behind it.
type aside struct {
	w     *walk
	shown *sink
	text  []byte
	begin int // of the stretch that is being written
}

// next begins another stretch.
func (a *aside) next() {
	a.gap()
	a.begin = len(a.text)
}

func (a *aside) gap() {
	if n := len(a.text); n > 0 && n < maxAside && a.text[n-1] != '\n' {
		a.text = append(a.text, '\n')
	}
}

func (a *aside) Write(text []byte) (int, error) {
	if len(a.text)+len(text) > maxAside {
		a.w.x.reach(LimitHidden)
	} else {
		a.text = append(a.text, text...)
	}
	return len(text), nil
}

// once takes the last stretch back if an earlier one says the same: documents hold some texts twice,
// for programs that are old and new.
func (a *aside) once() {
	if bytes.Contains(a.text[:a.begin], a.text[a.begin:]) {
		a.text = a.text[:a.begin]
	}
}

// paragraph is called between two paragraphs: there much text apart may be examined.
func (a *aside) paragraph() {
	if len(a.text) > maxAside/2 {
		a.flush()
	}
}

// flush has it examined. It must not be called within a paragraph.
func (a *aside) flush() {
	if len(a.text) == 0 {
		return
	}
	a.shown.end()
	_, _ = a.shown.Write(a.text)
	a.shown.end()
	a.text, a.begin = a.text[:0], 0
}
