package htmltext

import "golang.org/x/net/html/atom"

// mostWork is how many open elements the parser may have to walk past while it makes a tree; each
// takes it 10 to 30 ns. Documents of 32,000 tags come to more only where tags are nested wrongly.
const mostWork = 16 << 20

// deepest is where the parser gives up: no more elements are open at a time.
const deepest = 512

// nesting sums up what the parser walks past: at each tag it looks through the elements that are
// open, most of all for those that the tag ends. An element whose end tag the parser might leave
// out is taken to stay open.
type nesting struct {
	open int               // elements that may be open
	line map[atom.Atom]int // of them those in the line, since the last block
	work int
}

// nest is told a tag, and how many blocks of each name may be open where it stands.
func (n *nesting) nest(t tag, here map[atom.Atom]int) {
	switch {
	case selfEnding[t.name]:
		clear(n.line)
		return
	case voidTags[t.name]:
		return
	case blockTags[t.name]:
		clear(n.line)
	default: // the end of one in the line is left out when a block has begun or ended since
		here = n.line
	}
	switch {
	case !t.end:
		here[t.name]++
		n.open++
	case here[t.name] > 0:
		here[t.name]--
		n.open--
	}
}

// walk adds what some tags make the parser walk past. A table can have a body, a row, a cell and a
// paragraph open with it, which are not counted one by one. Lists of formatting elements are not
// bounded as the depth is, but walking past one of them is quick.
func (n *nesting) walk(tags int) {
	n.work += tags * (min(deepest, 5*n.open+5) + n.open/32)
}

// blockTags begin elements that their end tags end unless a fence is between.
var blockTags = atoms(`address article aside blockquote button center details dialog dir div dl fieldset figcaption figure
	footer form h1 h2 h3 h4 h5 h6 header hgroup listing main menu nav ol pre search section select summary table ul
	applet marquee object`)

// selfEnding elements end the one before them of their kind, so that no more of them are open than
// of others.
var selfEnding = atoms(`body caption col colgroup dd dt head html li optgroup option p tbody td tfoot th thead tr`)

// voidTags begin elements without content.
var voidTags = atoms(`area base basefont bgsound br embed frame hr img input keygen link meta param source track wbr style script title
	textarea`)
