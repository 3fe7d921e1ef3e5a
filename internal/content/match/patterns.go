package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wasilibs/go-re2/experimental"
)

// setMemory is the memory of RE2's automaton of all patterns of an Examiner together.
const setMemory = 64 << 20

// Patterns finds regular expressions in folded text. The zero value is ready for Add.
//
// Those with a literal are looked for near it; for the others one automaton (RE2's set, whose cost
// hardly depends on their number) tells which of them match at all, and those are searched singly.
//
// The set is not used for all, because its states remember what has matched already: on text where
// many patterns match it makes new states all the time and falls to less than 1 MB/s.
type Patterns struct {
	patterns []*pattern // with a literal
	index    literalIndex
	set      *experimental.Set
	others   []*pattern // of the set
	gaps     []*pattern // without such a literal, and quicker looked for than the set tells whether they match
}

// maxGaps is how many of them are searched in every text.
const maxGaps = 32

// Add takes a regular expression, with a number to report it by.
func (s *Patterns) Add(entry int32, source string) error {
	p, err := compile(entry, source)
	switch {
	case err != nil:
		return err
	case len(p.near.text) > 0:
		s.index.add(int32(len(s.patterns)), p.near.text)
		s.patterns = append(s.patterns, p)
	case p.gap != nil && len(s.gaps) < maxGaps:
		s.gaps = append(s.gaps, p)
	default:
		s.others = append(s.others, p)
	}
	return nil
}

// Build ends the adding. Its error says that all together are too large.
func (s *Patterns) Build() error {
	if len(s.others) == 0 {
		return nil
	}
	var sources []string
	for _, p := range s.others {
		sources = append(sources, p.source)
	}
	set, err := experimental.CompileSetWithOptions(sources, experimental.CompileOptions{MaxMem: setMemory})
	if err != nil {
		return fmt.Errorf("regular expressions of all definitions together: %w (at most %d MiB once compiled)", err, setMemory>>20)
	}
	s.set = set
	return nil
}

// Find reports every match that begins in text[from:to], as long as report wants more of that entry
// and halted does not end it all. An error means that the engine failed.
func (s *Patterns) Find(text []byte, from, to int, halted func() bool, report func(entry int32, start, end int) (more bool)) error {
	search := func(p *pattern, in stretch) {
		p.findIn(text, in.start, in.end, halted, func(start, end int) bool {
			return start < from || start >= to || end == start || report(p.entry, start, end)
		})
	}
	if len(s.patterns) > 0 {
		n := nearby{patterns: s.patterns, open: make([]stretch, len(s.patterns)), text: text, search: search}
		s.index.find(text, n.candidate)
		for _, number := range n.touched {
			n.close(number)
		}
	}
	for _, p := range s.gaps {
		search(p, stretch{0, len(text)})
	}
	matching, err := s.matching(text, halted)
	for _, i := range matching {
		search(s.others[i], stretch{0, len(text)})
	}
	return err
}

// setPiece is the octets that the automaton sees at once where it knows many patterns: it can take
// a millisecond for each pattern.
const (
	manyPatterns = 500
	setPiece     = 2 * Overlap
)

// matching tells which of the others match in text.
func (s *Patterns) matching(text []byte, halted func() bool) ([]int, error) {
	if s.set == nil {
		return nil, nil
	}
	piece := WindowSize
	if len(s.others) > manyPatterns {
		piece = setPiece
	}
	var all []int
	for start := 0; !halted(); start = RuneStart(text, start+piece-Overlap) {
		stop := min(start+piece, len(text))
		found, err := s.set.FindAllWithError(text[start:stop], -1)
		if err != nil {
			return nil, fmt.Errorf("content: matching: %w", err)
		}
		all = append(all, found...)
		if stop == len(text) {
			break
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Quote makes a pattern of folded text that holds no word.
func Quote(folded []byte) string {
	return strings.ReplaceAll(regexp.QuoteMeta(string(folded)), " ", `\s`)
}
