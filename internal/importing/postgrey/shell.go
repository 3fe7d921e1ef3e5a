package postgrey

import "strings"

// assignment is a variable of a file that a start script reads as a shell does.
type assignment struct {
	name, value string
	// text is the line as it stands, or the first of several.
	text string
	line int
	// odd is why the value is not known: it takes a shell to tell.
	odd string
}

// assignments reads NAME=VALUE, with quotes, escapes and lines that continue, and $NAME of
// variables that were set before. Other lines of a script have no name.
func assignments(text string) (all []assignment) {
	vars := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		first := i
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		s := shell{vars: vars}
		name, rest, isAssignment := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !isAssignment || !isVariable(name) {
			all = append(all, assignment{line: first + 1, text: line, odd: "it is a command of the shell"})
			continue
		}
		for !s.word(rest) && i+1 < len(lines) {
			i++
			rest = lines[i]
		}
		a := assignment{name: name, value: s.value.String(), text: line, line: first + 1, odd: s.odd}
		vars[name] = a.value
		all = append(all, a)
	}
	return all
}

func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// shell reads one value.
type shell struct {
	vars  map[string]string
	value strings.Builder
	quote byte // within which the line has ended
	odd   string
}

// word reads a line of the value; false where it goes on in the next one.
func (s *shell) word(line string) (ended bool) {
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case s.quote == 0 && (c == ' ' || c == '\t' || c == '#' && i == 0):
			if rest := strings.TrimSpace(line[i:]); rest != "" && rest[0] != '#' && rest[0] != ';' {
				s.odd = "it is a command of the shell"
			}
			return true
		case s.quote == 0 && c == ';':
			return true
		case s.quote != '\'' && c == '\\':
			if i+1 == len(line) {
				return false
			}
			i++
			s.value.WriteByte(line[i])
		case s.quote == 0 && (c == '"' || c == '\''):
			s.quote = c
		case s.quote == c && c != 0:
			s.quote = 0
		case s.quote != '\'' && c == '$':
			i += s.variable(line[i+1:])
		case s.quote != '\'' && c == '`':
			s.odd = "it has a command of the shell in it"
		default:
			s.value.WriteByte(c)
		}
	}
	if s.quote != 0 {
		s.value.WriteByte('\n')
	}
	return s.quote == 0
}

// variable writes what stands for $NAME or ${NAME}, and returns how long that is without the $.
func (s *shell) variable(text string) int {
	n, braces := 0, strings.HasPrefix(text, "{")
	if braces {
		n = strings.IndexByte(text, '}')
	} else {
		for n < len(text) && isVariable(text[:n+1]) {
			n++
		}
	}
	name := strings.Trim(text[:max(n, 0)], "{")
	if !isVariable(name) {
		s.odd = "it has an expression of the shell in it"
		return 0
	}
	s.value.WriteString(s.vars[name])
	if braces {
		n++
	}
	return n
}
