package content

import "bytes"

// maxAside is the most text of a kind that is kept of one paragraph of a document.
const maxAside = 64 << 10

// aside is text of a document that stands apart from what shows: it neither splits words nor joins
// them, and is examined behind it.
type aside struct {
	w              *walk
	shown          *sink
	beside, hidden stretches
	to             *stretches // that are being written
}

// stretches are pieces of such text, a line each.
type stretches struct {
	w     *walk
	text  []byte
	begin int // of the last one
}

func newAside(w *walk, shown *sink) *aside {
	a := &aside{w: w, shown: shown, beside: stretches{w: w}, hidden: stretches{w: w}}
	a.to = &a.beside
	return a
}

// next begins another stretch: of text that does not show, or of text that shows elsewhere.
func (a *aside) next(hidden bool) {
	if a.to = &a.beside; hidden {
		a.to = &a.hidden
	}
	a.to.gap()
	a.to.begin = len(a.to.text)
}

func (s *stretches) gap() {
	if n := len(s.text); n > 0 && n < maxAside && s.text[n-1] != '\n' {
		s.text = append(s.text, '\n')
	}
}

func (s *stretches) Write(text []byte) (int, error) {
	if len(s.text)+len(text) > maxAside {
		s.w.x.reach(LimitHidden)
	} else {
		s.text = append(s.text, text...)
	}
	return len(text), nil
}

// once takes the last stretch back if an earlier one says the same: documents hold some texts
// twice, for programs that are old and new.
func (s *stretches) once() {
	if bytes.Contains(s.text[:s.begin], s.text[s.begin:]) {
		s.text = s.text[:s.begin]
	}
}

// paragraph is called between two paragraphs: there much text may be examined.
func (a *aside) paragraph() {
	if max(len(a.beside.text), len(a.hidden.text)) > maxAside/2 {
		a.flush()
	}
}

// flush has it examined. It must not be called within a paragraph.
func (a *aside) flush() {
	if len(a.beside.text) > 0 {
		a.shown.end()
		a.shown.put(a.beside.text)
		a.shown.end()
	}
	if len(a.hidden.text) > 0 {
		a.shown.unshown(a.hidden.text)
	}
	for _, s := range []*stretches{&a.beside, &a.hidden} {
		s.text, s.begin = s.text[:0], 0
	}
}

// unshown examines a text that does not show: nothing in it keeps a definition from firing.
func (s *sink) unshown(p []byte) {
	if s != nil {
		s.apart(&s.window.unshown, p)
	}
}

// apart examines a text by itself while a flag of the window is set.
func (s *sink) apart(flag *bool, p []byte) {
	s.end()
	s.window.flush()
	*flag = true
	s.put(p)
	s.end()
	s.window.flush()
	*flag = false
}
