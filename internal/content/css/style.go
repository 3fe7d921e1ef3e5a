package css

import (
	"strings"

	lexer "github.com/tdewolff/parse/v2/css"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Style is what a reader sees of an element, as the cascade says.
type Style struct {
	Display Display
	// Gone tells that nothing of the element shows, whatever is in it.
	Gone bool
	// Floats tells a box that stands beside the text and not in its line.
	Floats bool
	// Positioned tells that what floats in the element is placed in it.
	Positioned bool
	// Flat tells a box that is gone because nothing shows beyond its edge: what floats may.
	Flat bool
	// Blank tells that the element's own text does not show; that of its children may.
	Blank bool
	// Indented tells that the first line of a block begins out of sight. Inline elements have none.
	Indented bool
	// Lines tells that line feeds of the source break the line.
	Lines bool

	font   float64 // size in pixels
	unseen bool    // visibility
	clear  bool    // transparent letters, by color
	filled clearness
	indent length
	flex   bool // children are boxes of their own
	vars   *variables
}

// clearness is the colour that fills letters, where it is not that of `color`.
type clearness uint8

const (
	asColor clearness = iota
	filledClear
	filledSeen
)

// Root is the style around the outermost element.
func Root() Style { return Style{Display: Block, font: 16} }

// smallest is the font size, in pixels, below which nobody reads a text.
const smallest = 2

// rule is a selector with its declarations.
type rule struct {
	sel   *selector
	own   *declarations
	layer int
	order int
}

// ruleIndex finds rules by what the element itself must be.
type ruleIndex struct {
	ids, classes, tags map[string][]rule
	rest               []rule
}

// insert takes a rule's declarations for each of its selectors.
func (s *Sheet) insert(list *selectorList, own *declarations, layer int) {
	if !s.keep(len(own.list)) {
		return
	}
	for _, sel := range list.list {
		if s.count++; s.count > maxRules {
			s.cut = true
			return
		}
		r := rule{sel, own, layer, s.count}
		switch first := &sel.parts[0]; {
		case first.id != "":
			put(&s.rules.ids, first.id, r)
		case len(first.classes) > 0:
			put(&s.rules.classes, first.classes[0], r)
		case first.tag != "":
			put(&s.rules.tags, first.tag, r)
		default:
			s.rules.rest = append(s.rules.rest, r)
		}
	}
}

func put(index *map[string][]rule, key string, r rule) {
	if *index == nil {
		*index = map[string][]rule{}
	}
	(*index)[key] = append((*index)[key], r)
}

// cascaded is what wins for one element: of each property the declaration with the highest place.
type cascaded struct {
	sheet  *Sheet
	won    [properties]*declaration
	place  [properties]uint64
	any    bool
	vars   map[string][]token
	varsAt map[string]uint64
}

// Style computes the style of an element in that of its parent.
func (s *Sheet) Style(n *html.Node, around *Style) Style {
	c := cascaded{sheet: s}
	if s.count > 0 {
		s.matching(n, c.rule)
	}
	for i := range n.Attr {
		switch a := &n.Attr[i]; {
		case a.Key == "style":
			c.declarations(s.styleAttribute(a.Val), 1<<62)
		case n.Namespace == "svg" && presents[a.Key]:
			c.declarations(s.styleAttribute(a.Key+":"+a.Val), 0)
		}
	}
	return c.style(n, around)
}

// matching calls found with every rule that matches.
func (s *Sheet) matching(n *html.Node, found func(r *rule)) {
	m := matcher{sheet: s}
	try := func(list []rule) {
		for i := range list {
			if s.work > maxWork {
				return
			}
			if m.complex(list[i].sel, 0, n) {
				found(&list[i])
			}
		}
	}
	for i := range n.Attr {
		switch value := n.Attr[i].Val; n.Attr[i].Key {
		case "id":
			if s.rules.ids != nil {
				try(s.rules.ids[s.name(value)])
			}
		case "class":
			if s.rules.classes != nil && s.spend(len(value)/16) {
				for class := range strings.FieldsFuncSeq(value, space) {
					try(s.rules.classes[s.name(class)])
				}
			}
		}
	}
	if s.rules.tags != nil {
		try(s.rules.tags[strings.ToLower(n.Data)])
	}
	try(s.rules.rest)
}

// Style attributes: the longest that is read, and those that are remembered, because most of a
// message are alike.
const (
	maxAttribute = 16 << 10
	maxRepeated  = 512
	maxStyles    = 1024
)

func (s *Sheet) styleAttribute(src string) *declarations {
	if d := s.inline[src]; d != nil {
		return d
	}
	d := &declarations{}
	r := &reader{sheet: s, in: newStream(src)}
	if len(src) > maxAttribute {
		s.cut = true
		src = src[:maxAttribute]
	}
	if s.spend(len(src) / 4) {
		for {
			list, stop := r.until(true, true)
			if stop.kind == end || stop.kind == lexer.SemicolonToken {
				d.add(s, list)
			} else {
				r.skip() // rules do not stand in a style attribute
			}
			if stop.kind == end {
				break
			}
		}
	}
	if len(src) <= maxRepeated && len(s.inline) < maxStyles && len(d.vars) == 0 {
		s.inline[src] = d
	}
	return d
}

// rule takes the declarations of a rule that matches. The place is made of, from the top:
// important, in a style attribute, the layer, the specificity, the order.
func (c *cascaded) rule(r *rule) {
	if !c.sheet.spend(len(r.own.list) + len(r.own.vars)) {
		return
	}
	place := uint64(r.sel.spec)<<16 | uint64(r.order)
	layer := uint64(c.sheet.layers.order(r.layer))
	c.take(r.own, place|layer<<42, place|1<<63|(maxLayers+2-layer)<<42)
}

func (c *cascaded) declarations(own *declarations, place uint64) {
	c.take(own, place, place|1<<63)
}

func (c *cascaded) take(own *declarations, normal, important uint64) {
	for i := range own.list {
		d := &own.list[i]
		place := normal
		if d.important {
			place = important
		}
		if c.won[d.property] == nil || place >= c.place[d.property] {
			c.won[d.property], c.place[d.property] = d, place
			c.any = true
		}
	}
	for _, v := range own.vars {
		place := normal
		if v.important {
			place = important
		}
		if c.vars == nil {
			c.vars, c.varsAt = map[string][]token{}, map[string]uint64{}
		}
		if place >= c.varsAt[v.name] {
			c.vars[v.name], c.varsAt[v.name] = v.tokens, place
		}
	}
}

// style turns what won into a style.
func (c *cascaded) style(n *html.Node, around *Style) Style {
	st := Style{
		Display: defaultDisplay(n), Lines: around.Lines,
		font: around.font, unseen: around.unseen, clear: around.clear, filled: around.filled, indent: around.indent,
		vars: around.vars,
	}
	switch n.DataAtom {
	case atom.Pre, atom.Listing, atom.Xmp, atom.Plaintext:
		st.Lines = true
	case atom.Table:
		st.indent = length{}
		if c.sheet.quirks {
			st.clear, st.font = false, 16
		}
	case atom.A:
		if _, link := lookup(n, "href"); link {
			st.clear = false
		}
	case atom.Button, atom.Input, atom.Select, atom.Textarea:
		st.clear, st.font, st.indent = false, 13, length{}
		st.Lines = st.Lines || n.DataAtom == atom.Textarea
	case atom.Font:
		fontElement(&st, n)
	}
	if c.vars != nil {
		st.vars = &variables{own: c.vars, around: around.vars}
	}
	if c.any {
		c.apply(&st, around)
	} else {
		st.box(around.flex)
	}
	st.Indented = st.indent.at(st.font, screenWidth) <= -indented
	st.Blank = st.unseen || st.font < smallest || st.filled == filledClear || st.clear && st.filled == asColor
	return st
}

// get is the value of a property as declared; declared is false where it is not, or is to be as if
// it were not.
func (c *cascaded) get(p property, vars *variables) (v value, declared bool) {
	d := c.won[p]
	if d == nil {
		return v, false
	}
	v = d.value
	if v.tokens != nil {
		list, ok := c.sheet.substitute(v.tokens, vars, 0)
		found := false
		if ok {
			for _, one := range c.sheet.declare(d.name, trim(list)) {
				if one.property == p {
					v, found = one.value, true
				}
			}
		}
		if !found {
			v = value{word: "unset"}
		}
	}
	return v, true
}

// apply goes through the properties.
func (c *cascaded) apply(st, around *Style) {
	get := func(p property) (v value, own bool) { return c.get(p, st.vars) }
	if v, own := get(fontSize); own {
		switch v.word {
		case "":
			st.font = v.length.at(around.font, around.font)
		case "initial":
			st.font = 16
		}
	}
	if v, own := get(display); own {
		switch v.word {
		case "":
			st.Display = Display(v.keyword)
		case "inherit":
			st.Display = around.Display
		case "initial", "unset":
			st.Display = Inline
		}
	}
	if v, own := get(visibility); own {
		st.unseen = hiding(v, around.unseen)
	}
	if v, own := get(color); own {
		st.clear = hiding(v, around.clear)
	}
	if v, own := get(fillColor); own && v.word != "inherit" && v.word != "unset" {
		st.filled = asColor
		if v.word == "" {
			st.filled = filledSeen
			if v.keyword == hides {
				st.filled = filledClear
			}
		}
	}
	if v, own := get(whiteSpace); own && v.word != "inherit" && v.word != "unset" {
		st.Lines = v.word == "" && v.keyword == textLines
	}
	if v, own := get(textIndent); own && v.word != "inherit" && v.word != "unset" {
		st.indent = v.length
	}
	p, _ := get(position)
	f, _ := get(float)
	apart := p.keyword == outside
	st.Floats = apart
	st.box(around.flex || apart || f.keyword == floating)
	st.Positioned = p.keyword != inPlace
	st.Gone = st.Display == None || c.vanished(st, apart, get)
	if !st.Gone && st.Display != Inline && st.Display != Contents && st.Display != Cell && c.flat(st, get) {
		st.Gone, st.Flat = true, true
	}
}

// hiding is a value that says whether something shows.
func hiding(v value, around bool) bool {
	switch v.word {
	case "inherit", "unset":
		return around
	case "":
		return v.keyword == hides
	}
	return false
}

// box makes a block of what stands alone: in a flex container, beside the text (CSS Display 3,
// section 2.7).
func (st *Style) box(alone bool) {
	st.Gone = st.Display == None
	if alone {
		switch st.Display {
		case Inline, InlineBlock, Cell:
			st.Display = Block
		case InlineFlex:
			st.Display = Flex
		}
	}
	st.flex = st.Display == Flex || st.Display == InlineFlex || st.Display == Contents && alone
}

// vanished tells boxes of which nothing is left: without opacity, size or a place in sight. Inline
// elements have no size of their own.
func (c *cascaded) vanished(st *Style, apart bool, get func(property) (value, bool)) bool {
	for _, p := range [...]property{opacity, filter} {
		if v, own := get(p); own && v.keyword == hides {
			return true
		}
	}
	if st.Display == Inline || st.Display == Contents {
		v, _ := get(marginLeft)
		return v.length.at(st.font, 0) < -far
	}
	for _, p := range [...]property{clipPath, transform, scale, contentVisibility} {
		if v, own := get(p); own && v.keyword == hides {
			return true
		}
	}
	if v, own := get(clip); own && apart && v.keyword == hides {
		return true
	}
	for _, p := range [...]property{marginLeft, marginTop} {
		if v, own := get(p); own && v.keyword == sizeLength && v.length.at(st.font, 0) < -far {
			return true
		}
	}
	if pos, _ := get(position); pos.keyword != inPlace {
		for _, p := range [...]property{left, top} {
			if v, own := get(p); own && v.keyword == sizeLength && v.length.at(st.font, 0) < -far {
				return true
			}
		}
		for _, p := range [...]property{right, bottom} {
			if v, own := get(p); own && v.keyword == sizeLength && v.length.at(st.font, 0) > 4*far {
				return true
			}
		}
	}
	return false
}

// flat tells a box that is too small for a letter and shows nothing beyond its edge.
func (c *cascaded) flat(st *Style, get func(property) (value, bool)) bool {
	x, _ := get(overflowX)
	y, _ := get(overflowY)
	if x.keyword == 0 && y.keyword == 0 {
		return false
	}
	if v, own := get(padding); own && v.length.at(st.font, screenWidth) > 1 {
		return false
	}
	for _, p := range [...]property{width, maxWidth, height, maxHeight} {
		least := minWidth
		if p == height || p == maxHeight {
			least = minHeight
		}
		if v, own := get(least); own && v.length.at(st.font, screenWidth) >= smallest {
			continue
		}
		v, own := get(p)
		if !own || v.word != "" || v.keyword != sizeLength {
			continue
		}
		if v.length.percent != 0 {
			continue // of something that is not known
		}
		if v.length.at(st.font, 0) < smallest {
			return true
		}
	}
	return false
}
