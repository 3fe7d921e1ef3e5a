package css

import (
	lexer "github.com/tdewolff/parse/v2/css"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Display is what kind of box an element makes.
type Display uint8

// The kinds, as far as they differ for a reader.
const (
	Inline      Display = iota
	None                // no box, and nothing of it shows
	Block               // begins and ends a line
	InlineBlock         // a box of its own in the line
	Cell                // of a table
	Flex                // a block whose children are boxes of their own: flex and grid
	InlineFlex
	Contents // no box, what is in it shows
)

// displayOf reads the value of `display`, of one or several words (CSS Display 3, section 2).
func displayOf(list []token) (Display, bool) {
	outer, inner := "", ""
	item := false
	for _, t := range list {
		switch {
		case t.blank():
		case t.kind != lexer.IdentToken:
			return 0, false
		case t.text == "list-item":
			item = true
		case t.text == "block" || t.text == "inline" || t.text == "run-in":
			if outer != "" {
				return 0, false
			}
			outer = t.text
		case inner != "":
			return 0, false
		default:
			inner = t.text
		}
	}
	inline := outer == "inline"
	switch {
	case inner == "" && item:
		return Block, true // a marker begins it
	case inner == "" && inline:
		return Inline, true
	case inner == "" || outer == "block" && (inner == "flow" || inner == "flow-root" || inner == "table"):
		return Block, outer != "run-in"
	case inline && inner == "flow":
		return Inline, true
	case inline && (inner == "flow-root" || inner == "table"):
		return InlineBlock, true
	case outer != "" && (inner == "flex" || inner == "grid"):
		if inline {
			return InlineFlex, true
		}
		return Flex, true
	case outer != "":
		return Inline, inner == "ruby" || inner == "math"
	}
	d, known := displays[inner]
	return d, known
}

var displays = map[string]Display{
	"none": None, "contents": Contents, "flow": Block, "flow-root": Block, "table": Block, "flex": Flex, "grid": Flex,
	"-webkit-flex": Flex, "-webkit-box": Flex, "-webkit-inline-flex": InlineFlex, "-webkit-inline-box": InlineFlex,
	"inline-block": InlineBlock, "inline-table": InlineBlock, "inline-flex": InlineFlex, "inline-grid": InlineFlex,
	"table-cell": Cell, "table-row": Block, "table-row-group": Block, "table-header-group": Block, "table-footer-group": Block,
	"table-caption": Block, "table-column": None, "table-column-group": None,
	"ruby": Inline, "ruby-text": InlineBlock, "math": Inline,
}

// defaultDisplay is that of the HTML standard's style sheet ("Rendering").
func defaultDisplay(n *html.Node) Display {
	if n.Namespace != "" {
		return foreignDisplay(n)
	}
	d := htmlDisplay[n.DataAtom]
	switch n.DataAtom {
	case 0:
		if n.Data == "hgroup" || n.Data == "search" {
			return Block
		}
	case atom.Input:
		if t := attr(n, "type"); len(t) == 6 && (t[0]|0x20) == 'h' && lowerEqual(t, "hidden") {
			return None
		}
	case atom.Dialog:
		if _, open := lookup(n, "open"); !open {
			return None
		}
	}
	for i := range n.Attr {
		switch n.Attr[i].Key {
		case "hidden", "popover":
			if n.DataAtom != atom.Embed {
				return None
			}
		}
	}
	return d
}

func lowerEqual(s, lower string) bool {
	for i := range len(s) {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// foreignDisplay is that of SVG and MathML: each text of a picture stands by itself.
func foreignDisplay(n *html.Node) Display {
	switch n.Data {
	case "title", "desc", "metadata", "defs", "style", "script", "symbol", "annotation", "annotation-xml", "clippath", "clipPath", "marker", "mask", "pattern":
		return None
	case "text", "foreignObject", "foreignobject":
		return Block
	}
	return Inline
}

var htmlDisplay = displayTable(map[Display]string{
	None: `area base basefont datalist head link meta noembed noframes param rp script style template title
		audio video canvas iframe meter progress`,
	Block: `address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure
		footer form frame frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup
		option p plaintext pre search section summary table caption colgroup tbody tfoot thead tr ul xmp`,
	Cell:        "td th",
	InlineBlock: "button select marquee",
	Contents:    "slot",
})

func displayTable(lists map[Display]string) map[atom.Atom]Display {
	all := map[atom.Atom]Display{}
	for d, names := range lists {
		for name := range set(names) {
			if a := atom.Lookup([]byte(name)); a != 0 {
				all[a] = d
			}
		}
	}
	return all
}
