package content

import (
	"slices"
	"strings"

	"mailweir/internal/content/source"
)

// RFC 2046 section 5.1.1 takes a line for a boundary that only begins with it, and so do Dovecot
// and munpack; other readers want nothing behind it but white space. So where there is such a line,
// the message is read loosely, too, from the beginning of the part that it ends or does not end.

// maxReplay is the octets of a part that are kept so that it can be read once more. Of longer ones
// only what follows the line is read loosely.
const maxReplay = 16 << 10

// watch waits for the first such line of a mimeReader, and is then the other reading.
type watch struct {
	w      *walk
	m      *mimeReader
	replay []byte // the part so far, with its boundary
	long   bool   // it is too long
	begun  []openMultipart
	parts  int           // begun so far
	hits   map[int32]int // occurrences of entries in the part and what follows it
	other  *secondReading
	blind  bool // no other reading is to begin
}

// watchFor watches the lines of m.
func (w *walk) watchFor(m *mimeReader) {
	if m.loose || m.watch != nil || !w.borrow(maxReplay) {
		return
	}
	w.x.lent += maxReplay
	m.watch = &watch{w: w, m: m}
	m.watch.part(nil)
	m.watch.proceed()
}

// part begins a part, with the line of its boundary.
func (t *watch) part(line []byte) {
	t.replay, t.long = append(t.replay[:0], line...), false
	t.begun = append(t.begun[:0], t.m.boundaries...)
}

// proceed counts from here on: what the last part came to has been counted.
func (t *watch) proceed() {
	if t == nil || t.blind || t.other != nil {
		return
	}
	x := t.w.x
	x.flush()
	clear(t.hits)
	t.parts++
	if x.watched == nil || x.watched.other == nil {
		x.watched = t
	}
}

// saw counts occurrences of an entry.
func (t *watch) saw(entry int32, n int) {
	if t == nil {
		return
	}
	if t.hits == nil {
		t.hits = map[int32]int{}
	}
	t.hits[entry] += n
}

// boundary takes the line of a boundary.
func (t *watch) boundary(line []byte) {
	switch {
	case t == nil:
	case t.other != nil:
		t.other.take(line)
	case !t.blind:
		t.part(line)
	}
}

// line takes another line, or a piece of one.
func (t *watch) line(line []byte) {
	switch {
	case t == nil || t.blind:
	case t.other != nil:
		t.other.take(line)
	case len(t.replay)+len(line) > maxReplay:
		t.long = true
	default:
		t.replay = append(t.replay, line...)
	}
}

// doubt begins the other reading. The line that it is for is taken next.
func (t *watch) doubt() {
	if t == nil || t.blind || t.other != nil {
		return
	}
	w := t.w
	if !w.opens(1) {
		t.blind = true
		return
	}
	boundaries, inPart := slices.Clone(t.begun), len(t.replay) > 0 && !t.long
	if !inPart {
		boundaries = slices.Clone(t.m.boundaries)
	}
	if t.long {
		w.x.reach(LimitReadings)
	}
	t.other = w.secondReading(func(w *walk, in *source.Reader) {
		w.loosely(&mimeReader{r: in.Reader, hit: -1, outer: t.m, boundaries: boundaries, loose: true})
	})
	if inPart {
		t.other.take(t.replay)
	}
}

func (t *watch) end() {
	if t != nil && t.other != nil {
		t.other.end()
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
// otherwise from the same part on.
func (w *walk) endLines(m *mimeReader) {
	m.skip()
	t := m.watch
	if t == nil {
		return
	}
	m.watch = nil
	x := w.x
	watched := x.watched == t
	if watched {
		x.flush()
		x.watched = nil
	}
	if t.other == nil {
		return
	}
	t.other.end()
	w.shuts(1)
	loose := t.other.tally.hits
	if watched {
		for entry, n := range t.hits {
			if h := loose[entry]; h != nil && !h.without(n) {
				delete(loose, entry)
				x.dropHit()
			}
		}
	}
	x.add(loose)
	w.found.add(t.other.w.found)
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
