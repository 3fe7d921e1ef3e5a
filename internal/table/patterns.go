package table

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// patterns is a regexp or pcre table, regexp_table(5) and pcre_table(5): the first rule in file
// order that matches answers. Its expressions are compiled by Go's regexp, whose time is linear in
// the key whatever the pattern; see compile for what that leaves out.
type patterns struct {
	rules  []patternRule
	hidden hidden // rules that others answer before
}

// patternRule is a rule, or an if that jumps over its block when it does not match.
type patternRule struct {
	*compiled
	negate bool
	value  template
	said   template // value without the comment behind it, nil where there is none
	line   int
	skipTo int // of an if: the rule after its endif; else 0
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
			group := func(group int) string {
				if at[2*group] < 0 {
					return ""
				}
				return fromOctetRunes(octets[at[2*group]:at[2*group+1]])
			}
			m := Match{Value: r.value.expand(group), Key: key, Line: r.line, fixed: r.value.fixed(), filled: true}
			if r.said != nil {
				m.comment = len(m.Value) - len(r.said.expand(group))
			}
			return m, true
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

// patternReader reads a regexp table when posix, else a pcre table.
type patternReader struct {
	patterns
	posix bool
	open  []int          // rules that are an if without its endif so far
	same  map[string]int // rules by their source, within one block: the first of each
	plain []int          // rules that match all, or a literal text, wherever it stands
}

func readPatterns(r io.Reader, posix bool) (*patterns, error) {
	p := &patternReader{posix: posix, same: map[string]int{}}
	err := readEntries(r, p.line)
	for _, i := range p.open {
		err = withError(err, &Error{Line: p.rules[i].line, Err: errIf})
	}
	return &p.patterns, err
}

func (p *patternReader) line(line int, text string) error {
	verb, rest := statement(text)
	if verb == "endif" {
		switch {
		case rest != "":
			return errors.New("text after endif")
		case len(p.open) == 0:
			return errEndif
		}
		p.rules[p.open[len(p.open)-1]].skipTo = len(p.rules)
		p.open = p.open[:len(p.open)-1]
		return nil
	}
	rule, source, value, err := parsePattern(rest, p.posix)
	rule.line = line
	if verb == "if" {
		if err == nil && value != "" {
			err = fmt.Errorf("text after the pattern of an if: %q (rules inside are not indented: that continues the line)", value)
		}
		if err != nil {
			rule.compiled = new(compiled) // even a wrong one has its endif
		}
		p.open = append(p.open, len(p.rules))
		p.rules = append(p.rules, rule)
		return err
	}
	switch {
	case err != nil:
		return err
	case value == "":
		return errNoValue
	}
	if rule.value, err = parseTemplate(value, rule.expression.NumSubexp()); err != nil {
		return err
	}
	if rule.negate && !rule.value.isLiteral() {
		return errors.New("a pattern that must not match has nothing to fill in for $1")
	}
	if said := withoutComment(value); said != value {
		if rule.said, err = parseTemplate(said, rule.expression.NumSubexp()); err != nil {
			return err
		}
	}
	p.hide(rule, source)
	p.rules = append(p.rules, rule)
	return nil
}

// hide notes the rule if an earlier one answers whatever it could answer.
func (p *patternReader) hide(rule patternRule, source string) {
	scope := fmt.Sprint(p.open)
	by, found := p.same[scope+source]
	for _, i := range p.plain {
		if found {
			break
		}
		t := &p.rules[i].traits
		found = t.all || !rule.negate && t.literal != "" && strings.Contains(rule.needs, t.literal)
		by = i
	}
	if found {
		p.hidden.add(rule.line, p.rules[by].line, !slices.Equal(p.rules[by].value, rule.value))
		return
	}
	p.same[scope+source] = len(p.rules)
	if len(p.open) == 0 && !rule.negate && (rule.traits.all || rule.traits.literal != "") && len(p.plain) < mostPlain {
		p.plain = append(p.plain, len(p.rules))
	}
}

// mostPlain bounds the rules that each later one is held against.
const mostPlain = 1000

// parsePattern reads [!]/PATTERN/FLAGS and returns that and the rest of the line; "/" may be any
// character that is neither letter nor digit.
func parsePattern(text string, posix bool) (rule patternRule, source, rest string, err error) {
	whole := text
	for text != "" && strings.IndexByte("!"+whiteSpace, text[0]) >= 0 {
		rule.negate = rule.negate != (text[0] == '!')
		text = text[1:]
	}
	if text == "" || isAlnum(text[0]) {
		return rule, "", "", errors.New("no pattern; a line is: /pattern/flags, white space, value")
	}
	end := 1
	for end < len(text) && text[end] != text[0] {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(text) {
		return rule, "", "", fmt.Errorf("no closing %q of the pattern", text[:1])
	}
	pattern, text := text[1:end], text[end+1:]
	flags := text
	if i := strings.IndexAny(text, whiteSpace); i >= 0 {
		flags, rest = text[:i], strings.Trim(text[i:], whiteSpace)
	}
	rule.compiled, err = compile(pattern, flags, posix)
	return rule, whole[:len(whole)-len(text)+len(flags)], rest, err
}
