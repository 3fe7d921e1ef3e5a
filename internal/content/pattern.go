package content

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// maxProgram is the most instructions of one compiled pattern.
const maxProgram = 20_000

// patternFlags: text is folded, so case never matters; texts are joined by line feeds, so ^ and $ mean lines.
const patternFlags = "(?im)"

// pattern is one regular expression.
type pattern struct {
	entry  int32
	source string
	re     *regexp.Regexp
	near   literal // where to look for it; without text, everywhere
	also   literal // a second text that every match holds
}

// compilePattern compiles one regular expression. The syntax is that of RE2 without \C: no back-references, no look-around, repeats
// of at most 1000.
func compilePattern(how folding, entry int32, text string) (*pattern, error) {
	tree, err := syntax.Parse(patternFlags+text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w (RE2 syntax: no back-references or look-around, repeats to 1000)", err)
	}
	if matchesEmpty(tree) {
		return nil, fmt.Errorf("regular expression %q matches the empty text, so it would match everywhere", text)
	}
	how.tree(tree)
	program, err := syntax.Compile(tree.Simplify())
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
	p := &pattern{entry: entry, source: tree.String(), re: re}
	if reach := longest(tree); reach >= 0 && reach <= maxReach {
		p.near, p.also = literals(tree)
	}
	return p, nil
}

// maxReach is the length of a match up to which looking near its literal pays.
const maxReach = 2048

// tree writes the letters of re in the form of folded text, where no other case of them occurs: looking for one form is several
// times faster than ignoring case.
func (f folding) tree(re *syntax.Regexp) {
	if re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase != 0 {
		for i, r := range re.Rune {
			re.Rune[i] = f.rune(r)
		}
		re.Flags &^= syntax.FoldCase
	}
	for _, sub := range re.Sub {
		f.tree(sub)
	}
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

// batch bounds the memory of positions. Where one ends, the search goes on without what stands before, so an assertion may be
// wrong there, once in so many matches.
const batch = 4096

// findIn reports the matches in text[start:end].
func (p *pattern) findIn(text []byte, start, end int, report func(start, end int) (more bool)) bool {
	for {
		found := p.re.FindAllIndex(text[start:end], batch)
		for _, at := range found {
			if !report(start+at[0], start+at[1]) {
				return false
			}
		}
		if len(found) < batch {
			return true
		}
		start += found[batch-1][1]
	}
}
