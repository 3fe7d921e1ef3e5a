package table

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// patterns is a regexp or pcre table, regexp_table(5) and pcre_table(5): the first rule in file
// order that matches answers. Its expressions are compiled by Go's regexp, whose time is linear in
// the key whatever the pattern; see compile for what that leaves out.
type patterns struct {
	rules []patternRule
}

// patternRule is a rule, or an if that jumps over its block when it does not match.
type patternRule struct {
	expression *regexp.Regexp
	needs      string // a lower-case text without which a key can't match: asked first because it is cheap
	negate     bool
	value      template
	line       int
	skipTo     int // of an if: the rule after its endif; else 0
}

func (p *patterns) find(key string) (Match, bool) {
	if !validKey(key) {
		return Match{}, false
	}
	octets := octetRunes(key)
	lower := strings.ToLower(octets) // returns its argument if nothing changes
	for i := 0; i < len(p.rules); i++ {
		r := &p.rules[i]
		if r.skipTo > 0 {
			if !r.matches(octets, lower) {
				i = r.skipTo - 1
			}
			continue
		}
		if r.value.isLiteral() {
			if r.matches(octets, lower) {
				return Match{Value: r.value.expand(nil), Key: key, Line: r.line, fixed: r.value.fixed()}, true
			}
			continue
		}
		if !strings.Contains(lower, r.needs) {
			continue
		}
		if at := r.expression.FindStringSubmatchIndex(octets); at != nil {
			value := r.value.expand(func(group int) string {
				if at[2*group] < 0 {
					return ""
				}
				return fromOctetRunes(octets[at[2*group]:at[2*group+1]])
			})
			return Match{Value: value, Key: key, Line: r.line, fixed: r.value.fixed()}, true
		}
	}
	return Match{}, false
}

func (r *patternRule) matches(octets, lower string) bool {
	return (strings.Contains(lower, r.needs) && r.expression.MatchString(octets)) != r.negate
}

func (p *patterns) each(f func(int, string, int) error) error {
	for i := range p.rules {
		r := &p.rules[i]
		if r.skipTo > 0 {
			continue
		}
		value := r.value.expand(func(group int) string { return fmt.Sprintf("$%d", group) })
		if err := f(r.line, value, r.value.fixed()); err != nil {
			return err
		}
	}
	return nil
}

// readPatterns reads a regexp table when posix, else a pcre table.
func readPatterns(r io.Reader, posix bool) (*patterns, error) {
	p := &patterns{}
	var open []int // rules that are an if without its endif so far
	err := ReadLines(r, func(line int, text string) error {
		verb, rest := statement(text)
		if verb == "endif" {
			switch {
			case rest != "":
				return errors.New("text after endif")
			case len(open) == 0:
				return errEndif
			}
			p.rules[open[len(open)-1]].skipTo = len(p.rules)
			open = open[:len(open)-1]
			return nil
		}
		rule, value, err := parsePattern(rest, posix)
		if err != nil {
			return err
		}
		rule.line = line
		if verb == "if" {
			if value != "" {
				return fmt.Errorf("text after the pattern of an if: %q (rules inside are not indented: that continues the line)", value)
			}
			open = append(open, len(p.rules))
			p.rules = append(p.rules, rule)
			return nil
		}
		if value == "" {
			return errNoValue
		}
		if rule.value, err = parseTemplate(value, rule.expression.NumSubexp()); err != nil {
			return err
		}
		if rule.negate && !rule.value.isLiteral() {
			return errors.New("a pattern that must not match has nothing to fill in for $1")
		}
		p.rules = append(p.rules, rule)
		return nil
	})
	if err == nil && len(open) > 0 {
		err = &Error{Line: p.rules[open[len(open)-1]].line, Err: errIf}
	}
	return p, err
}

// parsePattern reads [!]/PATTERN/FLAGS and returns the rest of the line; "/" may be any character
// that is neither letter nor digit.
func parsePattern(text string, posix bool) (rule patternRule, rest string, err error) {
	for text != "" && strings.IndexByte("!"+whiteSpace, text[0]) >= 0 {
		rule.negate = rule.negate != (text[0] == '!')
		text = text[1:]
	}
	if text == "" || isAlnum(text[0]) {
		return rule, "", errors.New("no pattern; a line is: /pattern/flags, white space, value")
	}
	end := 1
	for end < len(text) && text[end] != text[0] {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(text) {
		return rule, "", fmt.Errorf("no closing %q of the pattern", text[:1])
	}
	pattern, text := text[1:end], text[end+1:]
	flags := text
	if i := strings.IndexAny(text, whiteSpace); i >= 0 {
		flags, rest = text[:i], strings.Trim(text[i:], whiteSpace)
	}
	rule.expression, rule.needs, err = compile(pattern, flags, posix)
	return rule, rest, err
}
