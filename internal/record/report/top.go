package report

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// capacity is how many names of each kind are counted at once: whoever makes up names by the
// million must not fill the memory.
const capacity = 5000

// top finds the names that are counted most, in bounded memory: when there is no room for a new
// one, the one with the least gives its place, and the newcomer may have been counted as often
// before (Metwally and others, "Space-Saving", 2005). So whoever has more than a 5,000th of all is
// there, and what a row lacks at most is known.
type top struct {
	at   map[string]*place
	heap places
	room int
	gone int // names that have given their place
}

type place struct {
	name   string
	tally  Tally
	lacks  int // how often the name may have been counted before it got the place
	weight int // what it has, and lacks
	index  int // in the heap
}

func newTop(room int) *top { return &top{at: map[string]*place{}, room: room} }

// add counts for a name.
func (t *top) add(name string, n Tally) {
	p := t.at[name]
	switch {
	case p != nil:
	case len(t.at) < t.room:
		p = &place{name: name}
		t.at[name] = p
		heap.Push(&t.heap, p)
	default:
		p = t.heap[0]
		delete(t.at, p.name)
		t.gone++
		*p = place{name: name, lacks: p.weight, weight: p.weight}
		t.at[name] = p
	}
	p.tally.add(n)
	p.weight += n.total()
	heap.Fix(&t.heap, p.index)
}

// rows are the names with the most, the first of them first.
func (t *top) rows(most int) List {
	places := slices.SortedFunc(slices.Values(t.heap), func(a, b *place) int {
		return cmp.Or(cmp.Compare(b.tally.total(), a.tally.total()), strings.Compare(a.name, b.name))
	})
	l := List{Names: len(places), More: max(0, len(places)-most) + t.gone, Full: t.gone > 0}
	for _, p := range places[:min(most, len(places))] {
		l.Rows = append(l.Rows, Row{Name: p.name, Tally: p.tally, Lacks: p.lacks})
	}
	return l
}

// places is a heap whose first has the least weight.
type places []*place

func (h places) Len() int           { return len(h) }
func (h places) Less(i, j int) bool { return h[i].weight < h[j].weight }
func (h places) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for [heap.Push].
func (h *places) Push(x any) {
	p := x.(*place)
	p.index = len(*h)
	*h = append(*h, p)
}

// Pop is for [heap.Interface]; nothing leaves the heap.
func (h *places) Pop() any { panic("nothing leaves the heap") }
