package content

import (
	"slices"
	"strings"

	"mailweir/internal/content/source"
)

// RFC 2046 section 5.1.1 takes a line for a boundary that only begins with it, and so do Dovecot and
// munpack; other readers want nothing behind it but white space. So from the first such line on,
// what follows is read loosely beside the reading that has come to it.

// looseReading is one that began in the midst of another.
type looseReading struct {
	*secondReading
	choices int // of the other when this began
}

// watch waits for the first line of m that only begins with a boundary.
func (w *walk) watch(m *mimeReader) {
	if m.loose || m.doubt != nil {
		return
	}
	m.doubt = func() {
		if w.open == maxOpen || w.x.since != nil {
			w.x.reach(LimitReadings)
			m.doubt = nil
			return
		}
		w.open++
		w.x.flush()
		w.x.since = map[int32]int{}
		boundaries := slices.Clone(m.boundaries)
		m.other = &looseReading{choices: w.x.choices}
		m.other.secondReading = w.secondReading(func(w *walk, in *source.Reader) {
			w.loosely(&mimeReader{r: in.Reader, hit: -1, outer: m, boundaries: boundaries, loose: true})
		})
	}
}

// loosely reads on from a boundary.
func (w *walk) loosely(m *mimeReader) {
	m.skip()
	for m.hit >= 0 {
		m.boundaries = m.boundaries[:m.hit+1]
		w.partsOf(m, m.hit, nil)
	}
}

// endLines goes to the end of m. What was read of it loosely is an alternative to what was read
// otherwise from the same line on. Where there were other alternatives in that, all is counted,
// because it is not known what of them would have counted.
func (w *walk) endLines(m *mimeReader) {
	m.skip()
	if m.other == nil {
		return
	}
	m.other.end()
	w.x.flush()
	since := w.x.since
	if w.x.choices > m.other.choices {
		since = nil
	}
	loose := m.other.tally.hits
	for entry, n := range since {
		if h := loose[entry]; h != nil && !h.without(n) {
			delete(loose, entry)
			w.x.dropHit()
		}
	}
	w.x.add(loose)
	w.found.add(m.other.w.found)
	w.x.since, m.other, m.doubt = nil, nil, nil
	w.open--
}

// without takes n occurrences off; it says whether any are left.
func (h *hit) without(n int) bool {
	h.count = max(0, h.count-n)
	left := h.count
	for i := range h.counts {
		h.counts[i] = min(h.counts[i], left)
		left -= h.counts[i]
	}
	return h.count > 0
}

// prefixed says whether a line begins with an open boundary.
func (m *mimeReader) prefixed(line []byte) bool {
	rest, dashes := strings.CutPrefix(string(line), "--")
	return dashes && slices.ContainsFunc(m.boundaries, func(o openMultipart) bool { return strings.HasPrefix(rest, o.boundary) })
}
