package match

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// maxProgram is the most instructions of one compiled pattern. In the worst case each octet of a
// text takes a step for each of them, at 15 ns; so of a program above smallProgram a small piece of
// text is searched at once, and no search takes much more than a second.
const (
	maxProgram   = 5000
	smallProgram = 1000
	smallPiece   = 2 * Overlap
)

// patternFlags: text is folded, so case never matters; texts are joined by line feeds, so ^ and $
// mean lines.
const patternFlags = "(?im)"

// pattern is one regular expression.
type pattern struct {
	entry  int32
	source string
	re     *regexp.Regexp
	gap    *gap           // the same, if it is one
	behind *regexp.Regexp // finds the next match behind one character; nil if no assertion looks at that
	piece  int            // octets that are searched at once
	near   literal        // where to look for it; without text, everywhere
	also   literal        // a second text that every match holds
	digits int            // the most that a match can have, -1 for no bound
}

// Check compiles a regular expression for its errors, which tell what to write instead, and returns
// the most digits that a match can have, -1 for no bound.
func Check(source string) (digits int, err error) {
	p, err := compile(0, source)
	if err != nil {
		return 0, err
	}
	return p.digits, nil
}

// compile compiles one regular expression. The syntax is that of RE2 without \C: no
// back-references, no look-around, repeats of at most 1000.
func compile(entry int32, text string) (*pattern, error) {
	tree, err := syntax.Parse(patternFlags+text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w (RE2 syntax: no back-references or look-around, repeats to 1000)", err)
	}
	foldTree(tree)
	if matchesEmpty(tree) {
		return nil, fmt.Errorf("regular expression %q matches the empty text, so it would match everywhere", text)
	}
	simple := tree.Simplify()
	if _, err := endsOf(simple); err != nil {
		return nil, fmt.Errorf("regular expression %q can't match: %w", text, err)
	}
	program, err := syntax.Compile(simple)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	if len(program.Inst) > maxProgram {
		return nil, fmt.Errorf("regular expression of %d instructions, more than %d: shorten it or lower its repeats", len(program.Inst), maxProgram)
	}
	re, err := regexp.Compile(tree.String())
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	p := &pattern{entry: entry, source: tree.String(), re: re, gap: gapOf(tree), piece: WindowSize, digits: digits(simple)}
	if len(program.Inst) > smallProgram {
		p.piece = smallPiece
	}
	if asserts(tree) {
		if p.behind, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + p.source + `)`); err != nil {
			return nil, fmt.Errorf("regular expression: %w", err)
		}
	}
	if reach := longest(tree); reach >= 0 && reach <= maxReach {
		p.near, p.also = literals(tree)
	}
	return p, nil
}

// maxReach is the length of a match up to which looking near its literal pays.
const maxReach = 2048

// asserts tells expressions that look at what stands around a match.
func asserts(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(re.Sub, asserts)
}

// matchesEmpty tells expressions that match without consuming anything, which no one means.
func matchesEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpStar, syntax.OpQuest, syntax.OpBeginLine, syntax.OpEndLine,
		syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	case syntax.OpRepeat:
		return re.Min == 0 || matchesEmpty(re.Sub[0])
	case syntax.OpPlus, syntax.OpCapture:
		return matchesEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !matchesEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if matchesEmpty(sub) {
				return true
			}
		}
	}
	return false
}

// findIn reports the matches in text[start:end] until report wants no more or halted says so. It
// searches piece by piece and match by match, so that halted is asked about once a second at least.
func (p *pattern) findIn(text []byte, start, end int, halted func() bool, report func(start, end int) (more bool)) {
	for behind := false; start < end && !halted(); behind = true {
		stop := min(start+p.piece, end)
		from, to, found := p.next(text, start, stop, behind)
		switch {
		case found && (stop == end || from < stop-Overlap):
			if !report(from, to) {
				return
			}
			start = max(to, start+1)
		case stop == end:
			return
		default:
			start = RuneStart(text, stop-Overlap)
		}
	}
}

// next is the first match in text[start:end]. With behind, its assertions (^, \b) see the character
// before start.
func (p *pattern) next(text []byte, start, end int, behind bool) (from, to int, found bool) {
	if !behind || p.behind == nil {
		at := p.first(text[start:end])
		if at == nil {
			return 0, 0, false
		}
		return start + at[0], start + at[1], true
	}
	_, n := utf8.DecodeLastRune(text[:start])
	start -= n
	at := p.behind.FindSubmatchIndex(text[start:end])
	if at == nil {
		return 0, 0, false
	}
	return start + at[2], start + at[3], true
}

// first is the place of the first match in text.
func (p *pattern) first(text []byte) []int {
	if p.gap != nil {
		return p.gap.find(text)
	}
	return p.re.FindIndex(text)
}
