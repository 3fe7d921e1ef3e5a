package content

// secondText is a text of a section in another reading than that of the section's sink. It is
// matched with words and phrases only, and what they come to is kept apart.
type secondText struct {
	x    *Examination
	sink *sink
	hits hits
}

// secondText begins a second reading of what goes to s; nil if that is nil.
func (x *Examination) secondText(s *sink) *secondText {
	if s == nil {
		return nil
	}
	t := &secondText{x: x, hits: hits{}}
	t.sink = x.newSink(s.window.section)
	t.sink.window.words = true
	t.sink.window.match = func(w *window, from, to int) {
		x.hits, t.hits = t.hits, x.hits
		x.match(w, from, to)
		x.hits, t.hits = t.hits, x.hits
	}
	return t
}

func (t *secondText) put(p []byte) {
	if t != nil {
		_, _ = t.sink.Write(p)
	}
}

// end ends the reading and gives what it came to.
func (t *secondText) end() hits {
	if t == nil {
		return hits{}
	}
	t.sink.folder.End()
	t.sink.window.finish()
	for _, h := range t.hits {
		h.next = [sectionCount]int64{} // offsets in this text mean nothing in others
	}
	return t.hits
}

// release gives the memory back. It may be called more than once.
func (t *secondText) release() {
	if t != nil {
		t.sink.window.release()
	}
}

// wordsOnly examines a text for words and phrases, those left out that keep a definition from
// firing.
func (s *sink) wordsOnly(p []byte) {
	if s != nil {
		s.apart(&s.window.words, p)
	}
}
