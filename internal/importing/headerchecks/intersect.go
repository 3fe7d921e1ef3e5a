package headerchecks

import (
	"regexp/syntax"
	"slices"
)

// Limits of finding out whether patterns meet: places for one pair, and for all of them together.
// Behind these, they may.
const (
	mostStates = 20_000
	allStates  = 2_000_000
)

// meetings finds out which patterns may match the same line.
type meetings struct{ states int }

// prepared is a pattern that is held against many others.
type prepared struct {
	heads    []string
	source   string
	compiled bool
	program  *syntax.Prog
}

func prepare(list []*node) *prepared { return &prepared{heads: heads(list), source: print(list)} }

// meet reports whether there may be a line that both patterns match.
func (m *meetings) meet(a, b *prepared) bool {
	if !headsMeet(a.heads, b.heads) {
		return false
	}
	if m.states > allStates {
		return true
	}
	first, second := a.compile(), b.compile()
	if first == nil || second == nil {
		return true
	}
	p := pair{first, second, map[pairState]bool{}, nil}
	met := p.meet()
	m.states += len(p.visited)
	return met
}

func (p *prepared) compile() *syntax.Prog {
	if !p.compiled {
		p.compiled, p.program = true, program(p.source)
	}
	return p.program
}

// program compiles a pattern so that it matches whole lines, nil where it cannot be compiled.
func program(source string) *syntax.Prog {
	tree, err := syntax.Parse(`(?s)\A.*(?:`+source+`).*\z`, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > mostInstructions {
		return nil
	}
	return prog
}

// mostInstructions bounds one compiled pattern.
const mostInstructions = 1000

// pair walks through two programs side by side, over all lines at once.
type pair struct {
	a, b    *syntax.Prog
	visited map[pairState]bool
	open    []pairState
}

// pairState is where both stand behind the same characters. Begun and ended say that a line has
// begun, or may not go on.
type pairState struct {
	a, b         uint32
	begun, ended bool
}

func (p *pair) meet() bool {
	p.add(pairState{a: uint32(p.a.Start), b: uint32(p.b.Start)})
	for len(p.open) > 0 {
		if len(p.visited) > mostStates {
			return true
		}
		s := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		first, second := &p.a.Inst[s.a], &p.b.Inst[s.b]
		for _, next := range follow(first, s) {
			p.add(pairState{next.pc, s.b, s.begun, next.ended})
		}
		for _, next := range follow(second, s) {
			p.add(pairState{s.a, next.pc, s.begun, next.ended})
		}
		switch {
		case first.Op == syntax.InstMatch && second.Op == syntax.InstMatch:
			return true
		case !s.ended && shareCharacter(first, second):
			p.add(pairState{first.Out, second.Out, true, false})
		}
	}
	return false
}

func (p *pair) add(s pairState) {
	if !p.visited[s] {
		p.visited[s] = true
		p.open = append(p.open, s)
	}
}

// step is where an instruction without a character goes on.
type step struct {
	pc    uint32
	ended bool
}

// follow are the steps that take no character. Word boundaries are taken for granted.
func follow(in *syntax.Inst, s pairState) []step {
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return []step{{in.Out, s.ended}, {in.Arg, s.ended}}
	case syntax.InstCapture, syntax.InstNop:
		return []step{{in.Out, s.ended}}
	case syntax.InstEmptyWidth:
		switch op := syntax.EmptyOp(in.Arg); {
		case op&(syntax.EmptyBeginLine|syntax.EmptyBeginText) != 0 && s.begun:
			return nil
		case op&(syntax.EmptyEndLine|syntax.EmptyEndText) != 0:
			return []step{{in.Out, true}}
		}
		return []step{{in.Out, s.ended}}
	}
	return nil
}

// shareCharacter reports whether both take a same character.
func shareCharacter(a, b *syntax.Inst) bool {
	first, second := characters(a), characters(b)
	return slices.ContainsFunc(first, func(f [2]rune) bool {
		return slices.ContainsFunc(second, func(s [2]rune) bool { return f[0] <= s[1] && s[0] <= f[1] })
	})
}

// characters are the ranges that an instruction takes, none where it takes no character.
func characters(in *syntax.Inst) (ranges [][2]rune) {
	switch in.Op {
	case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return [][2]rune{{0, 0x10ffff}}
	case syntax.InstRune, syntax.InstRune1:
		if len(in.Rune) == 1 {
			return [][2]rune{{in.Rune[0], in.Rune[0]}}
		}
		for i := 0; i+1 < len(in.Rune); i += 2 {
			ranges = append(ranges, [2]rune{in.Rune[i], in.Rune[i+1]})
		}
	}
	return ranges
}
