package htmltext

import (
	"strings"

	"mailweir/internal/content/css"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxApart is the most hidden text of a part that is kept, and of texts that stand apart.
const maxApart = 64 << 10

// Apart is the text that does not stand in the line.
type Apart struct {
	// Aside shows, but beside the text: what stands for a picture, in a field, over a letter.
	Aside []byte
	// Hidden is text that a reader does not see.
	Hidden []byte
	// Stretches is the number of hidden texts.
	Stretches int
	// Cut tells that more hidden text or text aside came than is kept.
	Cut bool
	// Unstyled tells that the style sheets were too much to be followed to the end.
	Unstyled bool
	// Glued tells that a word or phrase may read otherwise when every element is inline and nothing
	// is hidden.
	Glued bool
}

// renderer follows the elements of a document and writes the text that shows.
type renderer struct {
	Apart
	sheet  *css.Sheet
	shown  func([]byte)
	stack  []element
	buf    []byte
	silent bool // the hidden stretch has had no text yet
	blank  bool // the text that shows ends in white space
	broken bool // a break was written that no white space stands at
	lines  int  // breaks so far
}

// element is one that is open.
type element struct {
	style  css.Style
	target target
	gap    byte // what its end writes
	title  bool // no reading takes it for text in the line

	escape   bool // what floats in it is not cut off by the flat box around
	indented bool // the first line of its block is out of sight
	line     int  // where that begins
}

// target is where text goes.
type target uint8

const (
	inLine target = iota
	aside
	hidden
	dropped
)

func newRenderer(sheet *css.Sheet, shown func([]byte)) *renderer {
	return &renderer{sheet: sheet, shown: shown, stack: []element{{style: css.Root()}}, blank: true}
}

func (r *renderer) top() *element { return &r.stack[len(r.stack)-1] }

// open begins an element.
func (r *renderer) open(n *html.Node) {
	around := r.top()
	e := element{style: r.sheet.Style(n, &around.style), target: around.target, title: n.DataAtom == atom.Title}
	e.gap = gapOf(n, e.style.Display)
	if r.escapes(&e, around) {
		e.target = inLine
	}
	switch {
	case n.DataAtom == atom.Script || n.DataAtom == atom.Style:
		e.target = dropped
	case e.style.Gone && e.target < hidden:
		e.target, r.silent = hidden, true
	case e.target == inLine && (n.DataAtom == atom.Rt || n.DataAtom == atom.Rtc || n.DataAtom == atom.Textarea):
		e.target = aside
	case e.style.Blank && !around.style.Blank:
		r.silent = true
	}
	// What has no box, or one beside the text that nobody sees, breaks nothing.
	if e.style.Display == css.None || e.target == aside || e.style.Gone && e.style.Floats {
		e.gap = 0
	}
	r.gap(around, e.gap)
	if e.indented, e.line = e.style.Indented, r.lines; e.style.Display == css.Inline || e.style.Display == css.Contents {
		e.indented, e.line = around.indented, around.line
	} else if e.indented && !around.indented {
		r.silent = true
	}
	r.stack = append(r.stack, e)
	r.attributes(n)
}

// escapes tells what floats out of a flat box: it shows, as no box between cuts it off.
func (r *renderer) escapes(e, around *element) bool {
	switch {
	case e.style.Positioned || e.style.Gone && !e.style.Flat:
	case around.target < hidden:
		e.escape = e.style.Flat
	default:
		e.escape = around.escape
	}
	return around.escape && around.target == hidden && e.style.Floats
}

// close ends the innermost element.
func (r *renderer) close() {
	e := *r.top()
	r.stack = r.stack[:len(r.stack)-1]
	r.gap(r.top(), e.gap)
	if e.target == inLine && r.top().target == hidden { // it floated
		r.gap(&e, '\n')
	}
	if e.target == aside && r.top().target == inLine {
		r.apart(&r.Aside, "\n")
	}
}

// gapOf is what keeps the words of an element apart from those around it.
func gapOf(n *html.Node, d css.Display) byte {
	if n.DataAtom == atom.Br {
		return '\n'
	}
	switch d {
	case css.Block, css.Flex:
		return '\n'
	case css.Cell, css.InlineBlock, css.InlineFlex:
		return ' '
	}
	return 0
}

func (r *renderer) gap(e *element, gap byte) {
	if gap == '\n' {
		r.lines++
	}
	switch {
	case gap == 0:
	case e.target == inLine:
		r.broken = r.broken || !r.blank
		r.buf = append(r.buf[:0], gap)
		r.shown(r.buf)
	case e.target == hidden:
		r.apart(&r.Hidden, "\n")
	case e.target == aside:
		r.apart(&r.Aside, "\n")
	}
}

// text takes text of the innermost element.
func (r *renderer) text(s string) {
	e := r.top()
	switch {
	case e.target == hidden || e.target < hidden && r.unseen(e):
		r.hide(s)
	case e.target == aside:
		r.apart(&r.Aside, s)
	case e.target == inLine && s != "":
		r.glue(s)
		if r.buf = append(r.buf[:0], s...); !e.style.Lines {
			for i, c := range r.buf {
				if c == '\n' || c == '\r' {
					r.buf[i] = ' '
				}
			}
		}
		r.shown(r.buf)
	}
}

// unseen tells that the text of an element does not show where it stands now.
func (r *renderer) unseen(e *element) bool {
	return e.style.Blank || e.indented && e.line == r.lines
}

// glue notes whether text goes on where a break has parted it from what stands before.
func (r *renderer) glue(s string) {
	r.Glued = r.Glued || r.broken && !white(s[0])
	r.blank, r.broken = white(s[len(s)-1]), false
}

func white(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func (r *renderer) hide(s string) {
	if strings.TrimSpace(s) == "" {
		if n := len(r.Hidden); !r.silent && n > 0 && r.Hidden[n-1] != ' ' {
			r.apart(&r.Hidden, " ")
		}
		return
	}
	if r.silent {
		r.silent = false
		r.Stretches++
		r.apart(&r.Hidden, "\n")
	}
	r.Glued = r.Glued || !r.top().title
	r.apart(&r.Hidden, s)
}

// apart adds to a text that is kept.
func (r *renderer) apart(kept *[]byte, s string) {
	if n := len(*kept); s == "\n" && (n == 0 || (*kept)[n-1] == '\n') {
		return
	}
	if len(*kept)+len(s) > maxApart {
		r.Cut = r.Cut || s != "\n"
		return
	}
	*kept = append(*kept, s...)
}

// attributes takes the texts of attributes that show in the element's place.
func (r *renderer) attributes(n *html.Node) {
	for i := range n.Attr {
		switch a := &n.Attr[i]; a.Key {
		case "alt", "placeholder", "label":
			r.label(a.Val)
		case "value":
			if n.DataAtom == atom.Input && shownValue(n) {
				r.label(a.Val)
			}
		}
	}
}

func (r *renderer) label(s string) {
	e := r.top()
	switch {
	case strings.TrimSpace(s) == "" || e.target == dropped:
	case e.target == hidden || r.unseen(e):
		r.hide(s)
		r.apart(&r.Hidden, "\n")
	default:
		r.apart(&r.Aside, "\n")
		r.apart(&r.Aside, s)
		r.apart(&r.Aside, "\n")
	}
}

// shownValue tells the kinds of fields that show their value.
func shownValue(n *html.Node) bool {
	for i := range n.Attr {
		if n.Attr[i].Key == "type" {
			switch strings.ToLower(n.Attr[i].Val) {
			case "hidden", "radio", "checkbox", "password", "file", "color", "range", "image":
				return false
			}
			return true
		}
	}
	return true
}
