package content

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	re2 "github.com/wasilibs/go-re2"
	"github.com/wasilibs/go-re2/experimental"
)

// setMemory is the memory of RE2's automaton of all patterns of an Examiner together.
const setMemory = 64 << 20

// maxProgram is the most instructions of one compiled pattern.
const maxProgram = 20_000

// patternFlags: text is folded, so case never matters; texts are joined by line feeds, so ^ and $ mean lines.
const patternFlags = "(?im)"

// compilePattern compiles one regular expression in RE2 syntax and refuses what RE2 or Go's syntax package refuses.
// RE2's limits: a repeat count of at most 1000, no back-references, no look-around.
func compilePattern(text string) (*re2.Regexp, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w (RE2 syntax: no back-references or look-around, repeats to 1000)", err)
	}
	if matchesEmpty(tree) {
		return nil, fmt.Errorf("regular expression %q matches the empty text, so it would match everywhere", text)
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	if len(program.Inst) > maxProgram {
		return nil, fmt.Errorf("regular expression of %d instructions, more than %d: shorten it or lower its repeats", len(program.Inst), maxProgram)
	}
	re, err := re2.Compile(patternFlags + text)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	return re, nil
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

// patternSet finds regular expressions: a first pass of one automaton over all of them, then each one found
// singly for its positions.
type patternSet struct {
	set     *experimental.Set
	sources []string
	entries []int32
	single  []*re2.Regexp
}

// add takes a pattern that compilePattern has accepted.
func (s *patternSet) add(entry int32, source string) error {
	re, err := compilePattern(source)
	if err != nil {
		return err
	}
	s.sources = append(s.sources, patternFlags+source)
	s.entries = append(s.entries, entry)
	s.single = append(s.single, re)
	return nil
}

func (s *patternSet) build() error {
	if len(s.sources) == 0 {
		return nil
	}
	set, err := experimental.CompileSetWithOptions(s.sources, experimental.CompileOptions{MaxMem: setMemory})
	if err != nil {
		return fmt.Errorf("regular expressions of all definitions together: %w (at most %d MiB once compiled)", err, setMemory>>20)
	}
	s.set = set
	return nil
}

// find reports every match that begins in text[from:to]. An error means that the engine could not tell.
func (s *patternSet) find(text []byte, from, to int, report func(entry int32, start, end int)) error {
	if s.set == nil {
		return nil
	}
	found, err := s.set.FindAllWithError(text, -1)
	if err != nil {
		return fmt.Errorf("content: matching: %w", err)
	}
	for _, i := range found {
		for _, at := range s.single[i].FindAllIndex(text, -1) {
			if at[0] >= from && at[0] < to && at[1] > at[0] {
				report(s.entries[i], at[0], at[1])
			}
		}
	}
	return nil
}

// quotePattern makes a pattern of folded text that holds no word.
func quotePattern(folded []byte) string {
	return strings.ReplaceAll(regexp.QuoteMeta(string(folded)), " ", `\s`)
}
