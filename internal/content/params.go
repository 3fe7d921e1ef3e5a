package content

import (
	"maps"
	"slices"
	"strings"
)

// params are the parameters of a Content-Type or Content-Disposition field (RFC 2045 section 5.1)
// that say something to us, as mail readers find them: those that split the field at its
// semicolons, and those that look for a name and take what follows, whatever stands before it.
type params struct {
	lists [][]param // each of one way to split the field, the likeliest first
	cut   []Limit
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

func readParams(field string) params {
	stripped := stripComments(field)
	p := params{}
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

// maxParams bounds the parameters that are read of one field. Other names than those that count are
// passed over and not counted.
const maxParams = 256

// split reads `value; name=value; …`: faults cost the one parameter that has them.
func (p *params) split(field string) (list []param) {
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
func (p *params) scan(field string) (list []param) {
	for at, name := range eachParam(field) {
		list = p.append(list, name, field[at:])
	}
	return list
}

func (p *params) append(list []param, name, value string) []param {
	token := nameBefore(name)
	base, number, extended := name2231(token)
	exact := base == usual(base) && strings.EqualFold(strings.TrimSpace(name), token)
	switch {
	case !isRead(base):
		return list
	case len(list) == maxParams:
		p.reach(LimitNames)
		return list
	}
	return append(list, param{usual(base), exact, number, extended, paramValues(value)})
}

func (p *params) reach(limit Limit) {
	if !slices.Contains(p.cut, limit) {
		p.cut = append(p.cut, limit)
	}
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

// values are those of one parameter, the likeliest first.
func (p params) values(name string) (values []string) {
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

// strictly says whether the parameter stands where it should.
func (p params) strictly(name string) bool {
	return slices.ContainsFunc(p.lists[0], func(one param) bool { return one.name == name && one.exact })
}

// choices are the readings of the parameters of a media type, the likeliest first.
func (p params) choices(multipart bool) (choices []map[string]string) {
	first := p.first()
	key := "charset"
	if multipart {
		key = "boundary"
	}
	for _, value := range p.values(key) {
		choice := maps.Clone(first)
		// A boundary may not end in white space (RFC 2046 section 5.1.1); a reader trims the line too.
		choice[key] = strings.TrimRight(value, " \t\r\n")
		choices = append(choices, choice)
	}
	if choices == nil {
		choices = append(choices, first)
	}
	return choices
}

// first are the likeliest values of what describes text.
func (p params) first() map[string]string {
	first := map[string]string{}
	for _, name := range []string{"charset", "format", "delsp"} {
		if values := p.values(name); len(values) > 0 {
			first[name] = values[0]
		}
	}
	return first
}
