package policy

import (
	"regexp"
	"strings"
)

// Lift is one way to let mail past an objection, for whoever looks at it afterwards: an operation,
// a line for a table, or a flag. With none of them it says honestly that nothing does. Each reply
// declares its own; what permits do follows from [Check.Exempt].
//
// Texts have placeholders that the event fills: {client}, {sender} (not the null sender),
// {envelope} (<> for it), {sender_domain}, {to}, {to_domain}, {login}, {from} (the address in
// header From), {check}, {place} (FILE:LINE of the cause), and the named groups of Cause.
type Lift struct {
	// Operation is one that people use, GROUP/NAME as in [admin.Path], and Words are what its
	// command is given.
	Operation string
	Words     []string
	// Table is the flag of a list, without hyphens, and Entry a line for it.
	Table, Entry string
	// Setting is a flag that is to be given in another way, as "size-max".
	Setting string
	// Says is one sentence or two: what that does, and for whom.
	Says string
	// Vouched: it counts only while SPF or DKIM vouches for the sender.
	Vouched bool
	// Cause restricts it to events whose cause matches; nil is every one.
	Cause *regexp.Regexp
}

// Fill puts values into the texts. It reports false where one that is needed is not known, or the
// cause is another one.
func (l Lift) Fill(values map[string]string, cause string) (Lift, bool) {
	known := values
	if l.Cause != nil {
		m := l.Cause.FindStringSubmatch(cause)
		if m == nil {
			return Lift{}, false
		}
		known = map[string]string{}
		for name, value := range values {
			known[name] = value
		}
		for i, name := range l.Cause.SubexpNames() {
			if name != "" {
				known[name] = m[i]
			}
		}
	}
	whole := true
	fill := func(text string) string {
		filled, ok := fillPlaceholders(text, known)
		whole = whole && ok
		return filled
	}
	words := make([]string, len(l.Words))
	for i, word := range l.Words {
		words[i] = fill(word)
	}
	l.Words, l.Entry, l.Setting, l.Says = words, fill(l.Entry), fill(l.Setting), fill(l.Says)
	return l, whole
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// FillAdvice puts values into the advice of a reply; "" where one is not known.
func (r *Reply) FillAdvice(values map[string]string) string {
	text, ok := fillPlaceholders(r.Advice, values)
	if !ok {
		return ""
	}
	return text
}

func fillPlaceholders(text string, values map[string]string) (string, bool) {
	if !strings.Contains(text, "{") {
		return text, true
	}
	whole := true
	text = placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value := values[name[1:len(name)-1]]
		whole = whole && value != ""
		return value
	})
	return text, whole
}
