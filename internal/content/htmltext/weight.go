package htmltext

import (
	"bytes"

	"mailweir/internal/content/css"

	"golang.org/x/net/html/atom"
)

// What a node and an attribute take in memory.
const (
	nodeOctets      = 112
	attributeOctets = 48
)

// Heaviest is the most memory that a tree may need.
const Heaviest = 64 << 20

// Weigh tells the most memory in octets that the tree of a document can need while it is made, its
// text included; a sum above [Heaviest] is not carried on. A document whose tree would take the
// parser about a second or more is weighed as too heavy, too: nothing can interrupt it.
//
// Elements such as b and font go on in the next paragraph when their own one ends, so the parser
// makes them again each time (HTML standard, "Reconstruct the active formatting elements"). With
// that a document of 100 KB can come to gigabytes.
//
// It leaves out of the document, in place, what decides nothing about its text.
func Weigh(doc []byte) (lean []byte, weight int) {
	weight = Besides(doc) + len(doc) + (2*bytes.Count(doc, []byte("<"))+8)*nodeOctets
	f := follower{levels: []fence{newFence(0)}, nesting: nesting{line: map[atom.Atom]int{}}}
	s := scanner{doc: doc, sure: true, lean: newLean(doc)}
	angles := 0
	for weight+f.total <= Heaviest && f.nesting.work <= mostWork {
		t, ok := s.next()
		f.nesting.walk(s.angles - angles) // an end tag may be among those that are no tags
		angles = s.angles
		if !ok {
			break
		}
		weight += t.weight - nodeOctets
		here := f.top().here
		f.follow(t)
		if t.end {
			here = f.top().here // a fence begins outside itself
		}
		if !t.end || len(f.levels) < mostFences {
			f.nesting.nest(t, here)
		}
	}
	f.again()
	if f.nesting.work > mostWork {
		weight = Heaviest + 1
	}
	return s.lean.rest(), weight + f.total
}

// Besides is the most memory that reading a document takes besides the tree: for style sheets, and
// for text that stands apart.
func Besides(doc []byte) int {
	weight := 2 * len(doc)
	if styleAt(doc) >= 0 {
		weight += min(32*len(doc), css.Memory)
	}
	return weight
}

// formatting numbers the formatting elements from 1 on.
var formatting = map[atom.Atom]int{
	atom.A: 1, atom.B: 2, atom.Big: 3, atom.Code: 4, atom.Em: 5, atom.Font: 6, atom.I: 7, atom.Nobr: 8,
	atom.S: 9, atom.Small: 10, atom.Strike: 11, atom.Strong: 12, atom.Tt: 13, atom.U: 14,
}

// fences are elements in which a formatting element that began outside cannot be ended.
var fences = map[atom.Atom]bool{
	atom.Applet: true, atom.Caption: true, atom.Colgroup: true, atom.Frameset: true, atom.Marquee: true,
	atom.Math: true, atom.Object: true, atom.Select: true, atom.Svg: true, atom.Table: true, atom.Td: true,
	atom.Template: true, atom.Th: true, atom.Noframes: true, atom.Noscript: true,
	atom.Tr: true, atom.Tbody: true, atom.Thead: true, atom.Tfoot: true,
}

// formattingElement is one that may be open.
type formattingElement struct {
	weight int
	blocks int // tags of other elements before it
}

// fence is what may be open in one of them.
type fence struct {
	name atom.Atom
	open [15][]formattingElement
	here map[atom.Atom]int // blocks that began in it
}

func newFence(name atom.Atom) fence { return fence{name: name, here: map[atom.Atom]int{}} }

// follower sums up what is made again, each time that it may be: at the first text, or element in
// the line, behind a tag that can have ended others. Where the parser might leave out an end tag,
// none is counted.
type follower struct {
	levels   []fence
	open     int // weight of all formatting elements that may be open
	heaviest int // of them
	blocks   int // tags of other elements so far
	ended    bool
	total    int
	nesting  nesting
}

func (f *follower) follow(t tag) {
	if t.text {
		f.again()
	}
	level := f.top()
	number := formatting[t.name]
	switch {
	case number == 0 && !t.end && inLineTags[t.name]:
		f.again()
	case number == 0:
		f.blocks++
		f.ended = true
		f.enter(t)
	case !t.end:
		if t.name == atom.A || t.name == atom.Nobr { // it may end another one
			f.adopt()
			f.ended = true
		}
		f.again()
		level.open[number] = append(level.open[number], formattingElement{t.weight, f.blocks})
		f.open += t.weight
		f.heaviest = max(f.heaviest, t.weight)
	default:
		f.ended = true
		last := len(level.open[number]) - 1
		if last < 0 {
			f.adopt()
			return
		}
		e := level.open[number][last]
		if f.blocks > e.blocks {
			f.adopt()
		}
		level.open[number] = level.open[number][:last]
		f.open -= e.weight
	}
}

// again adds what may be made again, once for all elements that have ended.
func (f *follower) again() {
	if f.ended {
		f.ended = false
		f.total += f.open
	}
}

// inLineTags begin elements that end no others.
var inLineTags = atoms("area br embed img span sub sup wbr")

// adopt adds what the adoption agency algorithm of the HTML standard may make.
func (f *follower) adopt() {
	f.total += min(8*f.open, 32*f.heaviest)
	f.nesting.walk(8)
}

// enter follows the fences.
func (f *follower) enter(t tag) {
	switch {
	case !fences[t.name]:
	case !t.end:
		if len(f.levels) < mostFences {
			f.levels = append(f.levels, newFence(t.name))
		}
	default:
		for t.name == atom.Table && cells[f.top().name] { // their end tags may be left out
			f.leave()
		}
		if f.top().name == t.name {
			f.leave()
		}
	}
}

// mostFences is how many are followed. Behind that many, no end tag of a block counts.
const mostFences = 1024

// cells end with their table.
var cells = atoms("caption colgroup tbody td tfoot th thead tr")

func (f *follower) top() *fence { return &f.levels[len(f.levels)-1] }

// leave ends a fence. What is still open in it is taken to be open behind it.
func (f *follower) leave() {
	top := f.top()
	f.levels = f.levels[:len(f.levels)-1]
	behind := f.top()
	for i, list := range top.open {
		behind.open[i] = append(behind.open[i], list...)
	}
	for name, n := range top.here {
		behind.here[name] += n
	}
}
