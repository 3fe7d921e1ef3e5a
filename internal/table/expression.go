package table

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of one pattern.
const (
	maxPattern      = 4096   // octets of source
	maxInstructions = 10_000 // of the compiled program
)

// compiled is a pattern that has been read.
type compiled struct {
	expression *regexp.Regexp
	needs      string // a lower-case text without which a key can't match: asked first because it is cheap
	traits     traits
}

// compile makes a Go expression of the pattern of a pcre or (posix) regexp table, with the flags of
// pcre_table(5) or regexp_table(5).
//
// Go's syntax is RE2. Patterns that RE2 can't do are errors: look-around, back-references,
// possessive and atomic groups, recursion, conditions, \Z, \K, \R, \h, \e, \G, repetition counts
// over 1000, free spacing (flag x of pcre), basic expressions (flag x of regexp). So is what means
// something else in POSIX than in RE2: (?, escapes of letters and digits other than \w \W \s \S \b
// \B, [. and [=, {,n}. These remain different: \s does not match a vertical tab.
//
// Postfix compiles without UTF-8 mode: a dot is one octet, and case is folded in ASCII only. So it
// is here.
func compile(pattern, flags string, posix bool) (*compiled, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d octets", maxPattern)
	}
	letters, anchored, err := goFlags(flags, posix)
	if err != nil {
		return nil, err
	}
	source := pattern
	if posix {
		if source, err = FromPOSIX(pattern); err != nil {
			return nil, err
		}
	}
	source = letters + octetEscapes(octetRunes(source))
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, unsupported(err)
	}
	if repeatsAnchor(tree) {
		return nil, errors.New("repetition of ^, $ or a word boundary is not supported")
	}
	if anchored {
		source = `\A(?:` + source + `)`
	}
	c := &compiled{needs: strings.ToLower(longestLiteral(tree)), traits: traitsOf(tree)}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, unsupported(err)
	}
	if len(program.Inst) > maxInstructions {
		return nil, fmt.Errorf("the pattern compiles to %d instructions; the limit is %d", len(program.Inst), maxInstructions)
	}
	c.expression, err = regexp.Compile(source)
	if err != nil {
		return nil, unsupported(err)
	}
	if posix {
		c.expression.Longest() // leftmost-longest, which decides what $1 is
	}
	return c, nil
}

func unsupported(err error) error {
	var e *syntax.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %q (patterns have RE2 syntax: no look-around, back-references or possessive matching)", e.Code, fromOctetRunes(e.Expr))
	}
	return err
}

// goFlags turns the flags after a pattern into Go's, "(?is)". Each flag toggles its default: both
// types ignore case and let a dot match a newline.
func goFlags(flags string, posix bool) (letters string, anchored bool, err error) {
	on := map[byte]bool{'i': true, 's': true}
	known := "imsUAEX"
	if posix {
		known = "im"
	}
	for i := range len(flags) {
		f := flags[i]
		switch {
		case f == 'x' && posix:
			return "", false, errors.New("flag x: basic regular expressions are not supported")
		case f == 'x':
			return "", false, errors.New("flag x: free spacing is not supported")
		case strings.IndexByte(known, f) < 0:
			return "", false, fmt.Errorf("unknown flag %q after the pattern; known are %s", f, known)
		case f == 'A':
			anchored = !anchored
		case f == 'E' || f == 'X': // nothing to do: keys have no newline at their end; RE2 is always strict
		case f == 'm' && posix: // REG_NEWLINE: ^ and $ at newlines, which a dot does not match
			on['m'] = !on['m']
			on['s'] = !on['m']
		default:
			on[f] = !on[f]
		}
	}
	for _, f := range []byte("imsU") {
		if on[f] {
			letters += string(f)
		}
	}
	if letters == "" {
		return "", anchored, nil
	}
	return "(?" + letters + ")", anchored, nil
}

// FromPOSIX rewrites an extended regular expression of POSIX (as the C library of GNU reads it) for
// Go, or says what in it has no equivalent.
func FromPOSIX(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if c := s[i+1]; (isAlnum(c) && strings.IndexByte("wWsSbB", c) < 0) || strings.IndexByte("<>`'", c) >= 0 {
				return "", fmt.Errorf(`\%c has no meaning in a POSIX expression that can be kept (use [0-9] and the like, or a pcre: table)`, c)
			}
			b.WriteString(s[i : i+2])
			i += 2
		case s[i] == '[':
			n, err := posixBracket(&b, s[i:])
			if err != nil {
				return "", err
			}
			i += n
		case strings.HasPrefix(s[i:], "(?"), strings.HasPrefix(s[i:], "{,"):
			return "", fmt.Errorf("%q is not for POSIX expressions (use a pcre: table)", s[i:i+2])
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String(), nil
}

// posixBracket copies a bracket expression, in which a backslash is a character like any other, and
// returns its length.
func posixBracket(b *strings.Builder, s string) (int, error) {
	i := 1
	b.WriteByte('[')
	if strings.HasPrefix(s[i:], "^") {
		b.WriteByte('^')
		i++
	}
	for first := i; i < len(s); {
		switch {
		case s[i] == ']' && i > first:
			b.WriteByte(']')
			return i + 1, nil
		case strings.HasPrefix(s[i:], "[:"):
			end := strings.Index(s[i:], ":]")
			if end < 0 {
				return 0, errors.New(`no closing ":]"`)
			}
			b.WriteString(s[i : i+end+2])
			i += end + 2
		case strings.HasPrefix(s[i:], "[.") || strings.HasPrefix(s[i:], "[="):
			return 0, errors.New("collating symbols and equivalence classes are not supported")
		default:
			if strings.IndexByte(`\[]`, s[i]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i])
			i++
		}
	}
	return 0, errors.New(`no closing "]"`)
}

// octetBase begins the private characters that stand for the octets from 0x80 while matching. They
// have no case, no class, and one of them is one octet, as in Postfix.
const octetBase = 0xf700

// octetRunes puts a private character for each octet outside ASCII.
func octetRunes(s string) string {
	if isASCII(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
		if s[i] >= utf8.RuneSelf {
			runes[i] += octetBase
		}
	}
	return string(runes)
}

func fromOctetRunes(s string) string {
	if isASCII(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= octetBase && r <= octetBase+0xff {
			r -= octetBase
		}
		b = append(b, byte(r))
	}
	return string(b)
}

var octetEscape = regexp.MustCompile(`\\(?:x([89a-fA-F][0-9a-fA-F])|x\{([89a-fA-F][0-9a-fA-F])\}|.)`)

// octetEscapes makes \x80 to \xff mean those octets.
func octetEscapes(pattern string) string {
	return octetEscape.ReplaceAllStringFunc(pattern, func(s string) string {
		if m := octetEscape.FindStringSubmatch(s); m[1]+m[2] != "" {
			return `\x{f7` + m[1] + m[2] + `}`
		}
		return s
	})
}

// repeatsAnchor finds "^*" and the like, which mean different things everywhere.
func repeatsAnchor(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		switch e.Sub[0].Op {
		case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpEmptyMatch:
			return true
		}
	}
	return slices.ContainsFunc(e.Sub, repeatsAnchor)
}

// longestLiteral is the longest text that is in everything the expression matches.
func longestLiteral(e *syntax.Regexp) string {
	switch e.Op {
	case syntax.OpLiteral:
		return string(e.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return longestLiteral(e.Sub[0])
	case syntax.OpRepeat:
		if e.Min > 0 {
			return longestLiteral(e.Sub[0])
		}
	case syntax.OpConcat:
		longest := ""
		for _, sub := range e.Sub {
			if s := longestLiteral(sub); len(s) > len(longest) {
				longest = s
			}
		}
		return longest
	}
	return ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
