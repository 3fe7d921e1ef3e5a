package css

import "strings"

// layers is the tree of cascade layers (CSS Cascade 5, section 6.4.3). Number 0 is what stands in
// no layer.
type layers struct {
	list []layer // the first is layer 1
	rank []int   // of each layer, once asked for
}

type layer struct {
	parent int
	name   string // "" for an anonymous one
}

// maxLayers is far more than honest style sheets have.
const maxLayers = 250

// enter gives the layer that a block belongs to.
func (l *layers) enter(parent int, prelude []token) int {
	name := text(prelude)
	if name == "" {
		return l.add(parent, "")
	}
	for part := range strings.SplitSeq(name, ".") {
		parent = l.find(parent, part)
	}
	return parent
}

// names declares layers, and with that their order.
func (l *layers) names(parent int, prelude []token) {
	for _, one := range split(prelude) {
		l.enter(parent, one)
	}
}

func (l *layers) find(parent int, name string) int {
	for i, one := range l.list {
		if one.parent == parent && one.name == name {
			return i + 1
		}
	}
	return l.add(parent, name)
}

func (l *layers) add(parent int, name string) int {
	if len(l.list) >= maxLayers {
		return parent
	}
	l.list = append(l.list, layer{parent, name})
	l.rank = nil
	return len(l.list)
}

// order is a layer's place: what stands later wins among normal declarations, and what stands in a
// layer before what stands in its sub-layers.
func (l *layers) order(number int) int {
	if l.rank == nil {
		l.rank = make([]int, len(l.list)+1)
		next := 0
		l.number(0, &next)
	}
	return l.rank[number]
}

func (l *layers) number(parent int, next *int) {
	for i, one := range l.list {
		if one.parent == parent {
			l.number(i+1, next)
		}
	}
	*next++
	l.rank[parent] = *next
}

// text joins tokens without blanks.
func text(list []token) string {
	var b strings.Builder
	for _, t := range list {
		if !t.blank() {
			b.WriteString(t.raw)
		}
	}
	return b.String()
}

// split cuts a list at its commas, brackets kept whole.
func split(list []token) (parts [][]token) {
	depth, from := 0, 0
	for i, t := range list {
		switch depth += nesting(t); {
		case t.is(",") && depth == 0:
			parts = append(parts, trim(list[from:i]))
			from = i + 1
		}
	}
	return append(parts, trim(list[from:]))
}
