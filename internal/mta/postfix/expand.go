package postfix

import "strings"

// mostReferences bounds how many names are replaced in one value: a value may name itself, twice.
const mostReferences = 1000

// expander replaces names as a service has them.
type expander struct {
	*Postfix
	service *Service
	left    int // references that may still be replaced
}

// expand replaces $name, ${name}, $(name), ${name?text}, ${name:text} and ${name?{text}:{text}}
// (postconf(5)) as a service has it. What is none of these stays as it stands, as comparisons do:
// postconf itself expands what is in main.cf, and few services override such a value.
func (p *Postfix) expand(s *Service, text string) string {
	e := &expander{p, s, mostReferences}
	return e.text(text)
}

func (e *expander) text(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || i == len(text)-1 || e.left == 0 {
			b.WriteString(text)
			return b.String()
		}
		e.left--
		b.WriteString(text[:i])
		value, length := e.reference(text[i:])
		b.WriteString(value)
		text = text[i+length:]
	}
}

// reference returns what the reference at the start of text stands for, and how long it is.
func (e *expander) reference(text string) (value string, length int) {
	if text[1] == '$' {
		return "$", 2
	}
	if text[1] != '{' && text[1] != '(' {
		n := nameLength(text[1:])
		if n == 0 {
			return "$", 1
		}
		return e.named(text[1 : 1+n]), 1 + n
	}
	end := closing(text[1:])
	if end < 0 {
		return text, len(text)
	}
	inner, length := text[2:1+end], end+2
	n := nameLength(inner)
	name, rest := inner[:n], inner[n:]
	switch {
	case n == 0:
		return text[:length], length
	case rest == "":
		return e.named(name), length
	case rest[0] == '?' || rest[0] == ':':
		return e.text(choose(e.named(name) != "", rest)), length
	}
	return text[:length], length
}

// choose returns the text of "?text", ":text" or "?{text}:{text}".
func choose(set bool, rest string) string {
	first, other := rest[1:], ""
	if end := closing(first); end >= 0 && strings.HasPrefix(first, "{") {
		other = strings.TrimLeft(first[end+1:], " \t\r\n")
		first = first[1:end]
		other = strings.TrimLeft(strings.TrimPrefix(other, ":"), " \t\r\n")
		if end := closing(other); end >= 0 {
			other = other[1:end]
		}
	}
	if set == (rest[0] == '?') {
		return strings.TrimSpace(first)
	}
	return strings.TrimSpace(other)
}

// named is the value of a parameter as a service has it.
func (e *expander) named(name string) string {
	if name == "service_name" {
		return e.service.Name
	}
	if raw, ok := e.service.Overrides[name]; ok {
		return e.text(raw)
	}
	if raw, ok := e.Set[name]; ok {
		return e.text(raw)
	}
	return e.Parameters[name]
}

// nameLength is how many octets at the start of text are of a parameter's name.
func nameLength(text string) int {
	for i := range len(text) {
		c := text[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return i
		}
	}
	return len(text)
}

// closing is the place of the bracket that closes the one at the start of text, -1 without.
func closing(text string) int {
	if text == "" || text[0] != '{' && text[0] != '(' {
		return -1
	}
	open, shut := text[0], byte('}')
	if open == '(' {
		shut = ')'
	}
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
