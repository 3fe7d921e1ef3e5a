package headerchecks

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"mailweir/internal/table"
)

// longestPattern is the most octets of a pattern that is taken apart.
const longestPattern = 4096

// Why a pattern cannot be used.
var (
	errLook     = errors.New("look-ahead and look-behind are not in RE2's syntax")
	errBack     = errors.New("back-references are not in RE2's syntax")
	errCase     = errors.New("it is case-sensitive, and mailweir ignores case")
	errFlagI    = errors.New("the flag i makes it case-sensitive (Postfix ignores case without it), and mailweir ignores case: leave the flag out, if that was not meant")
	errBasic    = errors.New("the flag x of regexp makes it a basic expression, which mailweir has not")
	errLines    = errors.New("with the flag m, ^ and $ stand for the lines of a field; mailweir joins them first")
	errTooLong  = fmt.Errorf("the pattern is longer than %d octets", longestPattern)
	errFlags    = errors.New("no flag that Postfix knows, so it skips the line")
	errNotRead  = errors.New("the pattern is not in RE2's syntax")
	errPossible = errors.New("atomic groups, possessive repetition, recursion and conditions are not in RE2's syntax")
)

// parsePattern takes the pattern of a rule apart.
func parsePattern(r table.Rule, posix bool) ([]*node, error) {
	if len(r.Pattern) > longestPattern {
		return nil, errTooLong
	}
	on, err := flagsOf(r.Flags, posix)
	if err != nil {
		return nil, err
	}
	source := r.Pattern
	if posix {
		if source, err = table.FromPOSIX(wordEnds(source)); err != nil {
			return nil, err
		}
	} else {
		source = fromPCRE(source, on['x'])
	}
	if on['A'] {
		source = "^(?:" + source + ")"
	}
	flags := syntax.Perl | syntax.DotNL
	if !on['i'] {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(source, flags)
	switch {
	case err != nil:
		return nil, unreadable(source, err)
	case caseMatters(tree) && on['i']:
		return nil, errFlagI
	case caseMatters(tree):
		return nil, errCase
	case on['m'] && anchored(tree):
		return nil, errLines
	}
	n, err := fromSyntax(tree, 0)
	if err != nil {
		return nil, err
	}
	return flat([]*node{n}), nil
}

// flagsOf are the flags that are the other way round than by default.
func flagsOf(flags string, posix bool) (on map[rune]bool, err error) {
	known := "imsxAEUX"
	if posix {
		known = "imx"
	}
	on = map[rune]bool{}
	for _, f := range flags {
		if !strings.ContainsRune(known, f) {
			return nil, fmt.Errorf("flag %q: %w", f, errFlags)
		}
		on[f] = !on[f]
	}
	if posix && on['x'] {
		return nil, errBasic
	}
	return on, nil
}

// unreadable says what of PCRE RE2 lacks.
func unreadable(source string, err error) error {
	has := func(signs ...string) bool {
		return slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(source, s) })
	}
	var fault *syntax.Error
	switch {
	case has("(?=", "(?!", "(?<=", "(?<!"):
		return errLook
	case has(`\1`, `\2`, `\3`, `\4`, `\k`, `\g`):
		return errBack
	case has("(?>", "(?R)", "(?(", "(?&", "*+", "++", "?+", "}+"):
		return errPossible
	case errors.As(err, &fault):
		return fmt.Errorf("%w: %s: %q", errNotRead, fault.Code, fault.Expr)
	}
	return errNotRead
}

// wordEnds writes \< before and \> behind a letter as \b, which is the same there.
func wordEnds(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], `\<`) && i+2 < len(s) && isWord(s[i+2]), strings.HasPrefix(s[i:], `\>`) && i > 0 && isWord(s[i-1]):
			b.WriteString(`\b`)
			i++
		case s[i] == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i++
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isWord(c byte) bool {
	return strings.ContainsRune(lowerLetters+digits+"_", unicode.ToLower(rune(c)))
}

// fromPCRE rewrites what is PCRE's own; with extended, white space and comments outside of classes
// go.
func fromPCRE(s string, extended bool) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteString(escape(s[i], inClass))
		case c == '[' && !inClass:
			inClass = true
			n := 1
			if strings.HasPrefix(s[i+n:], "^") {
				n++
			}
			if strings.HasPrefix(s[i+n:], "]") { // a member of the class
				n++
			}
			b.WriteString(s[i : i+n])
			i += n - 1
		case c == '[' && strings.HasPrefix(s[i:], "[:"):
			n := max(strings.Index(s[i:], ":]"), 0) + 2
			b.WriteString(s[i:min(i+n, len(s))])
			i += n - 1
		case c == '[':
			b.WriteString(`\[`)
		case c == ']':
			inClass = false
			b.WriteByte(c)
		case extended && !inClass && strings.IndexByte(whiteSpace, c) >= 0:
		case extended && !inClass && c == '#': // to the end of the line, and lines were joined
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escape is an escaped character as RE2 has it.
func escape(c byte, inClass bool) string {
	switch {
	case c == 'h' && inClass:
		return `\t\x20`
	case c == 'h':
		return `[\t\x20]`
	case c == 'Z':
		return `\z`
	case c == 'e':
		return `\x1b`
	case c == ' ' || c == '_':
		return string(c)
	}
	return `\` + string(c)
}

// caseMatters reports whether letters are matched in one case only.
func caseMatters(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpLiteral:
		return e.Flags&syntax.FoldCase == 0 && slices.ContainsFunc(e.Rune, func(r rune) bool {
			return unicode.ToLower(r) != unicode.ToUpper(r)
		})
	case syntax.OpCharClass:
		for c := 'a'; c <= 'z'; c++ {
			if inRanges(e.Rune, c) != inRanges(e.Rune, unicode.ToUpper(c)) {
				return true
			}
		}
	}
	return slices.ContainsFunc(e.Sub, caseMatters)
}

func inRanges(ranges []rune, r rune) bool {
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i] <= r && r <= ranges[i+1] {
			return true
		}
	}
	return false
}

func anchored(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEndText, syntax.OpEndLine:
		return true
	}
	return slices.ContainsFunc(e.Sub, anchored)
}

// withoutGaps leaves out what says nothing at the ends: a pattern is looked for anywhere.
func withoutGaps(list []*node) []*node {
	for len(list) > 0 && optionalGap(list[0]) {
		list = list[1:]
	}
	if len(list) > 1 && list[0].op == begin && optionalGap(list[1]) {
		return withoutGaps(list[2:])
	}
	for len(list) > 0 {
		last := len(list) - 1
		switch {
		case optionalGap(list[last]):
			list = list[:last]
		case last > 0 && list[last].op == end && optionalGap(list[last-1]):
			list = list[:last-1]
		default:
			return list
		}
	}
	return list
}

// optionalGap is .* alone: [^<]* says something where an anchor or text stands beside it.
func optionalGap(n *node) bool {
	return n.op == repeat && n.min == 0 && n.max == -1 && n.sub[0].op == anything
}

// heads are the texts of which each match begins with one; "" where nothing is known, as for a
// pattern that may match anywhere.
func heads(list []*node) []string {
	if len(list) == 0 || list[0].op != begin {
		return []string{""}
	}
	all := []string{""}
	for _, n := range list[1:] {
		own, few := n.texts(mostHeads)
		if !few || len(all)*len(own) > mostHeads {
			break
		}
		all = product(all, own)
	}
	return all
}

// mostHeads bounds the beginnings that are looked at.
const mostHeads = 64

// headsMeet reports whether two patterns may match the same line, by what they begin with.
func headsMeet(a, b []string) bool {
	for _, one := range a {
		for _, other := range b {
			if strings.HasPrefix(one, other) || strings.HasPrefix(other, one) {
				return true
			}
		}
	}
	return false
}
