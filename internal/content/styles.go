package content

import (
	"bytes"
	"slices"
)

// styles are those of an office document that hide text. They are declared in a part of their own,
// mostly behind the text, so paragraphs with styled runs are kept until all parts have been read:
// what was examined as shown is then examined without the runs that do not show.
type styles struct {
	w          *walk
	declared   map[string]bool   // whether it hides
	parents    map[string]string // a style that says nothing else is like the one that it is based on
	paragraphs []styledText
	hiding     int // of the styles declared
	size       int
	over       bool // not all could be kept
}

// styledText is a paragraph with the runs that have a style.
type styledText struct {
	text  []byte
	runs  []styledRun
	drops bool // some of the runs are blanks that Word drops
}

type styledRun struct {
	style      string
	depth      int // of its element
	begin, end int // end is negative while it is open
}

// Bounds. A style that hides and is declared beyond one of them is told.
const (
	maxStyles     = 256 // that hide
	maxDeclared   = 4096
	maxStyled     = 256 << 10 // octets of paragraphs that are kept
	maxStyledText = 16 << 10  // octets of one of them
	maxStyledRuns = 256       // of one of them
)

// declare notes a style, and the one that it is based on.
func (s *styles) declare(name, parent string) {
	_, known := s.declared[name]
	if name == "" || !known && len(s.declared) >= maxDeclared {
		return
	}
	if s.declared == nil {
		s.declared, s.parents = map[string]bool{}, map[string]string{}
	}
	if !known {
		s.declared[name] = false
	}
	if parent != "" {
		s.parents[name] = parent
	}
}

// hide notes that a style hides text.
func (s *styles) hide(name string) {
	s.declare(name, "")
	switch _, known := s.declared[name]; {
	case name == "" || s.declared[name]:
	case s.hiding >= maxStyles || !known:
		s.w.x.reach(LimitHidden)
	default:
		s.declared[name] = true
		s.hiding++
	}
}

// shows tells that a style is known not to hide, whatever is declared later.
func (s *styles) shows(name string) bool {
	hides, declared := s.declared[name]
	return declared && !hides && s.parents[name] == ""
}

// hides tells whether a style hides, by itself or by one that it is based on.
func (s *styles) hides(name string) bool {
	for range 8 {
		if s.declared[name] {
			return true
		}
		if name = s.parents[name]; name == "" {
			return false
		}
	}
	return false
}

// keep keeps a paragraph until all styles are known.
func (s *styles) keep(p *styledText) {
	if len(p.runs) == 0 {
		return
	}
	cost := len(p.text) + 64*len(p.runs)
	s.over = s.over || p.finish()
	if s.size+cost > maxStyled || !s.w.x.examiner.pool.budget.takeSpare(cost) {
		s.over = true
		return
	}
	s.size += cost
	s.paragraphs = append(s.paragraphs, styledText{text: bytes.Clone(p.text), runs: slices.Clone(p.runs)})
}

// end examines the paragraphs again in which a run does not show.
func (s *styles) end(shown *sink) {
	if s.hiding > 0 && shown != nil {
		again := omission{w: s.w, shown: shown}
		for _, p := range s.paragraphs {
			again.read(&p, s.hides)
		}
		again.end()
	}
	if s.over && s.hiding > 0 {
		s.w.x.reach(LimitHidden)
	}
	s.w.giveBack(s.size)
	s.paragraphs, s.size = nil, 0
}

// write adds to a paragraph.
func (p *styledText) write(text []byte) {
	if n := maxStyledText - len(p.text); n > 0 {
		p.text = append(p.text, text[:min(n, len(text))]...)
	}
}

// open begins a run with a style in the element at a depth.
func (p *styledText) open(style string, depth int) {
	if style != "" && len(p.runs) < maxStyledRuns {
		p.runs = append(p.runs, styledRun{style, depth, len(p.text), -1})
	}
}

// close ends the run in the element at a depth.
func (p *styledText) close(depth int) {
	for i := len(p.runs) - 1; i >= 0; i-- {
		if run := &p.runs[i]; run.depth == depth && run.end < 0 {
			run.end = len(p.text)
		}
	}
}

// drop notes octets that some programs do not show.
func (p *styledText) drop(begin, end int) {
	if begin < end && len(p.runs) < maxStyledRuns {
		p.runs = append(p.runs, styledRun{dropped, 0, begin, end})
		p.drops = true
	}
}

// dropped is the style of such octets.
const dropped = "\x00"

// finish ends all runs; full tells that there was no room for all.
func (p *styledText) finish() (full bool) {
	for _, run := range p.runs {
		p.close(run.depth)
	}
	return len(p.runs) == maxStyledRuns || len(p.runs) > 0 && len(p.text) == maxStyledText
}

func (p *styledText) reset() { *p = styledText{text: p.text[:0], runs: p.runs[:0]} }
