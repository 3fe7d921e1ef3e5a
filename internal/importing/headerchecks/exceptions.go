package headerchecks

import (
	"errors"
	"slices"

	"mailweir/internal/importing"
)

// exceptions are the rules that answer before one for lines that both match.
func (m *meetings) exceptions(pattern []*node, sequence []*rule) (all []*rule) {
	p, names := prepare(pattern), parseField(pattern).names
	for _, s := range sequence {
		if s.shields() && s.answersBefore(p, names, m) {
			all = append(all, s)
		}
	}
	return all
}

// errException is for a rule that cannot be written because of one before it.
type errException struct {
	err        error
	by, target *rule
}

func (e errException) Error() string {
	return "line " + e.by.where(e.target) + " (" + e.by.action + ") answers before it for lines that both match, and cannot be written as an exception: " + e.err.Error()
}

var (
	errOrder     = errors.New("it is about other fields")
	errAddresses = errors.New("it is about no addresses")
)

// exclusion is a rule as an exception in a kind of definition, or why it cannot be one.
type exclusion struct {
	text string
	err  error
}

// exclusion is the entry of a rule that answers before others, for a kind of definition.
func (r *rule) exclusion(kind string) (string, error) {
	e, known := r.excluded[kind]
	if !known {
		pattern, err := r.excludedPattern(kind)
		if err == nil {
			e.text, err = expression(pattern)
		}
		e.err = err
		if r.excluded == nil {
			r.excluded = map[string]exclusion{}
		}
		r.excluded[kind] = e
	}
	return "0\tregex,exclude " + e.text, e.err
}

// excludedPattern is the pattern of such an entry.
func (r *rule) excludedPattern(kind string) ([]*node, error) {
	pattern, err := r.joined()
	if err != nil {
		return nil, err
	}
	if kind == "body" {
		return withoutGaps(pattern), nil
	}
	f := parseField(pattern)
	value, ok := pattern, true
	switch {
	case kind == "subject" && !f.only("subject"):
		return nil, errOrder
	case kind == "subject":
		value, ok = f.behindBlank()
	case len(f.names) > 0:
		value, ok = f.asLine()
	}
	if !ok {
		return nil, errNoBlank
	}
	return withoutGaps(value), nil
}

// exempts notes that a rule of Postfix that lets lines pass is written as an exception.
func (r *rule) exempts(file string) {
	if slices.Contains(exempting, r.action) && (r.fate == importing.Left || r.open()) {
		r.carried("is written as an exception in %s", file)
	}
}

// exempting are the actions that do nothing but let a line pass.
var exempting = []string{"DUNNO", "OK"}
