package content

import "mailweir/internal/content/source"

// way is one way to read what a reader of lines holds up to its boundary.
type way func(w *walk, m *mimeReader)

// maxOpen bounds the readings that are open at the same time, of parts within parts.
const maxOpen = 16

// eachWay reads what m has left up to its boundary in each of the ways, the likeliest first, and
// counts them as the alternatives of a message. Where too many are open already, only the first is
// taken.
func (w *walk) eachWay(m *mimeReader, ways ...way) {
	if len(ways) == 1 || !w.opens(len(ways)-1) {
		ways[0](w, m)
		return
	}
	defer w.shuts(len(ways) - 1)
	all := &listener{r: m}
	defer all.end()
	var others []*secondReading
	for _, read := range ways[1:] {
		other := w.secondReading(func(w *walk, in *source.Reader) {
			lines := &mimeReader{r: in.Reader, hit: -1, outer: m}
			read(w, lines)
			w.endLines(lines)
		})
		all.add(other, nil)
		others = append(others, other)
	}
	choice := w.x.choose()
	defer choice.end()
	lines := newMIMEReader(all)
	lines.outer = m
	ways[0](w, lines)
	w.endLines(lines)
	all.end()
	for _, other := range others {
		choice.next()
		w.x.hits = other.tally.hits
		w.found.add(other.w.found)
	}
}

// opens begins further readings, if there are not too many.
func (w *walk) opens(more int) bool {
	if w.open+more > maxOpen {
		w.x.reach(LimitReadings)
		return false
	}
	w.open += more
	return true
}

func (w *walk) shuts(more int) { w.open -= more }
