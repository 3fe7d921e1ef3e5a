package match

import (
	"errors"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/content/fold"
)

// foldTree brings the literals of re to the form of folded text, so that a pattern matches what its
// author sees in a mail: curly quotes, no-break blanks, two blanks. Letters lose their other cases,
// too, which do not occur there: looking for one form is several times faster than ignoring case.
func foldTree(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		re.Rune = foldLiteral(re.Rune)
		re.Flags &^= syntax.FoldCase
		if len(re.Rune) == 0 {
			re.Op = syntax.OpEmptyMatch
		}
	case syntax.OpCharClass:
		re.Rune = foldClass(re.Rune)
	}
	for _, sub := range re.Sub {
		foldTree(sub)
	}
}

// foldLiteral folds a piece of text. The dots keep the folder from dropping white space at its
// ends.
func foldLiteral(text []rune) []rune {
	folded := fold.Text("." + string(text) + ".")
	return []rune(string(folded[1 : len(folded)-1]))
}

// maxClass is the most characters of a class that is folded. Larger ones, [^…] above all, are meant
// for what the text really holds.
const maxClass = 1024

// foldClass adds the folded forms of its characters to a class, which is a list of ranges. The line
// feed is not added: who leaves it out, as [^\S\n] does, means it.
func foldClass(ranges []rune) []rune {
	size := rune(0)
	for i := 0; i < len(ranges); i += 2 {
		if size += ranges[i+1] - ranges[i] + 1; size > maxClass {
			return ranges
		}
	}
	var added []rune
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if folded := foldLiteral([]rune{r}); len(folded) == 1 && folded[0] != r && folded[0] != '\n' {
				added = append(added, folded[0])
			}
		}
	}
	return withRunes(ranges, added)
}

// withRunes adds single characters to ranges, in order and without overlaps.
func withRunes(ranges, added []rune) []rune {
	if len(added) == 0 {
		return ranges
	}
	var all [][2]rune
	for i := 0; i < len(ranges); i += 2 {
		all = append(all, [2]rune{ranges[i], ranges[i+1]})
	}
	for _, r := range added {
		all = append(all, [2]rune{r, r})
	}
	slices.SortFunc(all, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	var merged []rune
	for _, one := range all {
		if last := len(merged) - 1; last > 0 && one[0] <= merged[last]+1 {
			merged[last] = max(merged[last], one[1])
		} else {
			merged = append(merged, one[0], one[1])
		}
	}
	return merged
}

// Patterns that never match what they are meant for.
var (
	errTwoBlanks = errors.New(`white space behind white space: the text that is matched has one blank or line feed in its place; write one blank, or \s`)
	errWideWord  = errors.New(`\b beside a letter outside ASCII: RE2 takes it for no letter, so the word is not found; write the word without regex, or (?:^|[^\pL\pN]) and (?:$|[^\pL\pN]) around it`)
)

// ends is what stands at the ends of the matches of an expression.
type ends struct {
	empty                 bool // a match can be empty
	blankFirst, blankLast bool // every match begins, ends with white space
	wideFirst, wideLast   bool // a branch begins, ends with a letter outside ASCII
}

// endsOf looks for mistakes in a simplified expression and tells its ends.
func endsOf(re *syntax.Regexp) (ends, error) {
	switch re.Op {
	case syntax.OpLiteral:
		first, last := re.Rune[0], re.Rune[len(re.Rune)-1]
		return ends{false, unicode.IsSpace(first), unicode.IsSpace(last), wide(first), wide(last)}, nil
	case syntax.OpCharClass:
		blank, letter := len(re.Rune) > 0, len(re.Rune) > 0 && wide(re.Rune[0])
		for i := 0; i < len(re.Rune); i += 2 {
			blank = blank && unicode.IsSpace(re.Rune[i]) && re.Rune[i+1]-re.Rune[i] < 5
		}
		return ends{false, blank, blank, letter, letter}, nil
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return ends{}, nil
	case syntax.OpCapture, syntax.OpPlus:
		return endsOf(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		e, err := endsOf(re.Sub[0])
		return ends{true, false, false, e.wideFirst, e.wideLast}, err
	case syntax.OpAlternate:
		return endsOfAny(re.Sub)
	case syntax.OpConcat:
		return endsOfAll(re.Sub)
	}
	return ends{empty: true}, nil
}

func wide(r rune) bool { return r >= utf8.RuneSelf && classOf(r) == classWord }

func endsOfAny(list []*syntax.Regexp) (ends, error) {
	all := ends{blankFirst: true, blankLast: true}
	for _, sub := range list {
		e, err := endsOf(sub)
		if err != nil {
			return e, err
		}
		all.empty = all.empty || e.empty
		all.blankFirst, all.blankLast = all.blankFirst && e.blankFirst, all.blankLast && e.blankLast
		all.wideFirst, all.wideLast = all.wideFirst || e.wideFirst, all.wideLast || e.wideLast
	}
	return all, nil
}

func endsOfAll(list []*syntax.Regexp) (ends, error) {
	all, last := ends{empty: true}, ends{}
	begun, boundary := false, false
	for _, sub := range list {
		switch sub.Op {
		case syntax.OpWordBoundary:
			if last.wideLast {
				return all, errWideWord
			}
			boundary = true
			continue
		case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpNoWordBoundary, syntax.OpEmptyMatch:
			continue
		}
		e, err := endsOf(sub)
		switch {
		case err != nil:
			return all, err
		case boundary && e.wideFirst:
			return all, errWideWord
		case last.blankLast && e.blankFirst:
			return all, errTwoBlanks
		}
		if !begun {
			all.blankFirst, all.wideFirst = e.blankFirst, e.wideFirst
		}
		begun, boundary, last = true, false, e
		all.empty = all.empty && e.empty
	}
	all.blankLast, all.wideLast = last.blankLast, last.wideLast
	return all, nil
}

// digits is the most digits that a match of a simplified expression can have, -1 for no bound.
func digits(re *syntax.Regexp) int {
	count := 0
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r >= '0' && r <= '9' {
				count++
			}
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i] <= '9' && re.Rune[i+1] >= '0' {
				return 1
			}
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpStar, syntax.OpPlus:
		if digits(re.Sub[0]) != 0 {
			return -1
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n := digits(sub)
			if n < 0 {
				return n
			}
			count = max(count, n)
		}
	default:
		for _, sub := range re.Sub {
			n := digits(sub)
			if n < 0 {
				return n
			}
			count += n
		}
	}
	return count
}
