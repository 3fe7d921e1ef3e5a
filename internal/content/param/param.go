// Package param reads the fields Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC
// 2183) in every way in which mail readers take them: whatever is faulty, doubled or written in
// sections has several values, the likeliest first.
package param

import (
	"maps"
	"slices"
	"strings"
)

// Params are the parameters of a field that say something to us, as mail readers find them: those
// that split the field at its semicolons, and those that look for a name and take what follows,
// whatever stands before it.
type Params struct {
	lists [][]param // each of one way to split the field, the likeliest first
	// More tells that there are more than [Most] of them, which were not read.
	More bool
}

// param is one of them, or a section of one (RFC 2231 section 3).
type param struct {
	name     string // lower case
	exact    bool   // it is called so and nothing else, such as x-name
	number   int    // of the section, -1 for none
	extended bool   // its value is percent-encoded
	values   []string
}

// isRead tells the parameters that are read; others cost nothing, however many there are.
func isRead(name string) bool {
	switch name {
	case "boundary", "charset", "format", "delsp":
		return true
	}
	return strings.HasSuffix(name, "name") // some readers find that of x-name, too
}

// usual is the name of a parameter as it is known.
func usual(name string) string {
	switch {
	case strings.HasSuffix(name, "filename"):
		return "filename"
	case strings.HasSuffix(name, "name"):
		return "name"
	}
	return name
}

// Read reads the parameters of a field.
func Read(field string) Params {
	stripped := StripComments(field)
	p := Params{}
	strict := p.split(stripped)
	p.lists = append(p.lists, strict)
	if countParams(stripped) != len(strict) || strings.Count(stripped, `"`)%2 != 0 {
		p.lists = append(p.lists, p.scan(stripped))
	}
	if stripped != field {
		p.lists = append(p.lists, p.scan(field))
	}
	return p
}

// Most bounds the parameters that are read of one field. Other names than those that count are
// passed over and not counted.
const Most = 256

// split reads `value; name=value; …`: faults cost the one parameter that has them.
func (p *Params) split(field string) (list []param) {
	_, rest := cutUnquoted(field)
	for rest != "" {
		var one string
		one, rest = cutUnquoted(rest)
		if name, value, ok := strings.Cut(one, "="); ok {
			list = p.append(list, name, value)
		}
	}
	return list
}

// scan finds every name with an equals sign behind it.
func (p *Params) scan(field string) (list []param) {
	for at, name := range eachParam(field) {
		list = p.append(list, name, field[at:])
	}
	return list
}

func (p *Params) append(list []param, name, value string) []param {
	token := nameBefore(name)
	base, number, extended := name2231(token)
	exact := base == usual(base) && strings.EqualFold(strings.TrimSpace(name), token)
	switch {
	case !isRead(base):
		return list
	case len(list) == Most:
		p.More = true
		return list
	}
	return append(list, param{usual(base), exact, number, extended, paramValues(value)})
}

// countParams counts what eachParam finds.
func countParams(field string) (n int) {
	for range eachParam(field) {
		n++
	}
	return n
}

// eachParam gives the names of parameters that count, and where their values begin.
func eachParam(field string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for at := 0; ; {
			i := strings.IndexByte(field[at:], '=')
			if i < 0 {
				return
			}
			at += i + 1
			name := nameBefore(field[:at-1])
			if base, _, _ := name2231(name); isRead(base) && !yield(at, name) {
				return
			}
		}
	}
}

// nameBefore is the token at the end of s, in lower case.
func nameBefore(s string) string {
	const longest = 32 // filename*1234*
	s = strings.TrimRight(s, " \t\"'")
	s = s[max(0, len(s)-longest):]
	i := strings.LastIndexFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '*' || r == '-' || r == '_')
	})
	token := strings.ToLower(s[i+1:])
	if strings.HasPrefix(token, "*") && i > 0 { // blanks before it
		return nameBefore(s[:i+1]) + token
	}
	return token
}

// Values are those of one parameter, the likeliest first. A name of the kind x-name counts as name,
// one of the kind x-filename as filename.
func (p Params) Values(name string) (values []string) {
	for i := range p.lists {
		values = addValues(values, p.lists[i], name)
	}
	return values
}

// addValues appends what a list says of a parameter. What is written in sections, or extended,
// comes first (RFC 5987 section 4.2).
func addValues(values []string, list []param, name string) []string {
	var pieces []param
	for _, one := range list {
		if one.name == name && (one.number >= 0 || one.extended) {
			pieces = append(pieces, one)
		}
	}
	for _, value := range join2231(pieces) {
		values = addValue(values, value)
	}
	for _, one := range list {
		if one.name == name && one.number < 0 && !one.extended {
			for _, value := range one.values {
				values = addValue(values, value)
			}
		}
	}
	return values
}

func addValue(values []string, value string) []string {
	if value == "" || slices.Contains(values, value) {
		return values
	}
	return append(values, value)
}

// Strictly says whether the parameter stands where it should.
func (p Params) Strictly(name string) bool {
	return slices.ContainsFunc(p.lists[0], func(one param) bool { return one.name == name && one.exact })
}

// Choices are the readings of the parameters of a media type, the likeliest first: one for each
// boundary of a multipart, of others one for each charset; never none.
func (p Params) Choices(multipart bool) (choices []map[string]string) {
	first := p.First()
	key := "charset"
	if multipart {
		key = "boundary"
	}
	for _, value := range p.Values(key) {
		choice := maps.Clone(first)
		// A boundary may not end in white space (RFC 2046 section 5.1.1); a reader trims the line
		// too.
		choice[key] = strings.TrimRight(value, " \t\r\n")
		choices = append(choices, choice)
	}
	if choices == nil {
		choices = append(choices, first)
	}
	return choices
}

// First are the likeliest values of what describes text: charset, format, delsp.
func (p Params) First() map[string]string {
	first := map[string]string{}
	for _, name := range []string{"charset", "format", "delsp"} {
		if values := p.Values(name); len(values) > 0 {
			first[name] = values[0]
		}
	}
	return first
}
