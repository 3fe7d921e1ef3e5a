package content

import (
	"mailweir/internal/charset"
	"mailweir/internal/content/source"
)

// eachCharset reads a text in each charset in which mail programs may read it, mostly one, and
// counts them as the alternatives of a message. read gets a label that names one of them.
func (w *walk) eachCharset(label string, in *source.Reader, isHTML bool, read func(w *walk, label string, in *source.Reader)) {
	n := len(charset.Readings(label, in.Reader, isHTML))
	if n > 1 && !w.opens(n-1) {
		n = 1
	}
	if n == 1 {
		read(w, label, in)
		return
	}
	defer w.shuts(n - 1)
	all := &listener{r: in}
	defer all.end()
	var others []*secondReading
	for i := 1; i < n; i++ {
		other := w.secondReading(func(w *walk, in *source.Reader) {
			read(w, charset.Nth(label, i), in)
			w.copy(nil, in)
		})
		all.add(other, nil)
		others = append(others, other)
	}
	w.asAlternatives(func() {
		in := source.New(all)
		read(w, charset.Nth(label, 0), in)
		w.copy(nil, in)
	}, &others)
}

// asAlternatives counts a reading, and others that go on beside it, as the alternatives of a
// message; it may itself begin others.
func (w *walk) asAlternatives(first func(), others *[]*secondReading) {
	choice := w.x.choose()
	defer choice.end()
	first()
	for _, other := range *others {
		other.end()
		choice.next()
		w.x.hits = other.tally.hits
		w.found.add(other.w.found)
	}
}

// eachText writes the readings of a short text as alternatives.
func (w *walk) eachText(s *sink, before string, texts []string) {
	if s == nil {
		return
	}
	var choice *choice
	if len(texts) > 1 {
		choice = w.x.choose()
		defer choice.end()
	}
	for _, text := range texts {
		s.WriteString(before)
		s.WriteString(text)
		s.end()
		choice.next()
	}
}
