package headerchecks

import (
	"fmt"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/table"
)

// rule is a logical line of a table of patterns, and what becomes of it.
type rule struct {
	*logical
	table.Rule
	file  string // as Postfix names it
	posix bool
	ifs   []*rule // that it stands within, the outermost first

	action, text string // of the value: the word, in capitals, and what stands behind

	prepared *prepared            // its pattern, to hold others against
	excluded map[string]exclusion // what it is as an exception, by the kind of definition

	nodes []*node // the pattern taken apart, nil with an error
	err   error   // why it cannot be

	fate   importing.Fate
	reason string
	inside []*rule // of an if: the rules in its block, and its endif
}

// parseRules reads a table of patterns. What stands in no rule is left already.
func parseRules(file, text string, posix bool) (rules []*rule) {
	var open []*rule
	for _, l := range logicalLines(text) {
		r := &rule{logical: l, file: file, posix: posix, ifs: open}
		rules = append(rules, r)
		if l.fault != "" {
			r.left("%s", l.fault)
			continue
		}
		var err error
		r.Rule, err = table.ParseRule(l.text)
		if r.Verb != "endif" {
			for _, outer := range open {
				outer.inside = append(outer.inside, r)
			}
		}
		switch {
		case r.Verb == "endif" && len(open) == 0:
			r.left("there is no if before it, and Postfix skips it")
			continue
		case r.Verb == "endif":
			last := open[len(open)-1]
			last.inside = append(last.inside, r)
			open = open[: len(open)-1 : len(open)-1]
			continue
		case err != nil:
			r.left("Postfix skips it: %s", err)
			continue
		}
		r.action, r.text = cutAction(r.Value)
		r.nodes, r.err = parsePattern(r.Rule, posix)
		if r.Verb == "if" {
			open = append(open[:len(open):len(open)], r)
		}
	}
	for _, r := range open {
		r.reason = "it has no endif"
	}
	return rules
}

// cutAction parts a value into its word and what stands behind.
func cutAction(value string) (action, text string) {
	i := strings.IndexAny(value, whiteSpace)
	if i < 0 {
		return strings.ToUpper(value), ""
	}
	return strings.ToUpper(value[:i]), strings.Trim(value[i:], whiteSpace)
}

func (r *rule) place() importing.Place { return importing.Place{File: r.file, Line: r.lines[0].number} }

// open reports whether nothing has become of the rule yet.
func (r *rule) open() bool { return r.fate == "" }

// report accounts for each line of the rule.
func (r *rule) report(result *importing.Result) {
	for i, line := range r.lines {
		reason := r.reason
		if i > 0 {
			reason = fmt.Sprintf("belongs to line %d", r.lines[0].number)
		}
		result.Items = append(result.Items, importing.Item{
			Fate: r.fate, Place: importing.Place{File: r.file, Line: line.number}, Text: strings.TrimSpace(line.text), Reason: reason,
		})
	}
}
