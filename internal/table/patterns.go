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
	r, err := ParseRule(text)
	rule := patternRule{negate: r.Negate, line: line}
	if r.Verb == "endif" {
		return p.endif(r.Value)
	}
	if err == nil {
		rule.compiled, err = compile(r.Pattern, r.Flags, p.posix)
	}
	if r.Verb == "if" {
		if err == nil && r.Value != "" {
			err = fmt.Errorf("text after the pattern of an if: %q (rules inside are not indented: that continues the line)", r.Value)
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
	case r.Value == "":
		return errNoValue
	}
	if rule.value, err = parseTemplate(r.Value, rule.expression.NumSubexp()); err != nil {
		return err
	}
	if rule.negate && !rule.value.isLiteral() {
		return errors.New("a pattern that must not match has nothing to fill in for $1")
	}
	if said := withoutComment(r.Value); said != r.Value {
		if rule.said, err = parseTemplate(said, rule.expression.NumSubexp()); err != nil {
			return err
		}
	}
	p.hide(rule, fmt.Sprintf("%t %q %s", r.Negate, r.Pattern, r.Flags))
	p.rules = append(p.rules, rule)
	return nil
}

func (p *patternReader) endif(rest string) error {
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

// Rule is a line of a regexp or pcre table as it stands, nothing of it compiled.
type Rule struct {
	// Verb is "if" or "endif", "" for a pattern with its value.
	Verb string
	// Negate says that the rule is for what does not match.
	Negate bool
	// Pattern stands between the delimiters, Flags behind the second of them.
	Pattern, Flags string
	// Value is what stands behind, of an if or endif what should not.
	Value string
}

// ParseRule parts a logical line: [if] [!]/PATTERN/FLAGS, white space, value; "/" may be any
// character that is neither letter nor digit. The error says what is missing.
func ParseRule(text string) (r Rule, err error) {
	r.Verb, text = statement(text)
	if r.Verb == "endif" {
		r.Value = text
		return r, nil
	}
	for text != "" && strings.IndexByte("!"+whiteSpace, text[0]) >= 0 {
		r.Negate = r.Negate != (text[0] == '!')
		text = text[1:]
	}
	if text == "" || isAlnum(text[0]) {
		return r, errors.New("no pattern; a line is: /pattern/flags, white space, value")
	}
	end := 1
	for end < len(text) && text[end] != text[0] {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(text) {
		return r, fmt.Errorf("no closing %q of the pattern", text[:1])
	}
	r.Pattern, r.Flags = text[1:end], text[end+1:]
	if i := strings.IndexAny(r.Flags, whiteSpace); i >= 0 {
		r.Flags, r.Value = r.Flags[:i], strings.Trim(r.Flags[i:], whiteSpace)
	}
	return r, nil
}
