package postfix

import (
	"os"
	"path/filepath"
	"strings"
)

// Where is the file and the line in which a word of a parameter stands: of master.cf where the
// service overrides the parameter, else of main.cf. Without such a word it is the line in which the
// parameter begins, 0 where the file does not set it. Service nil is for main.cf; word "" is for
// the parameter as a whole.
func (p *Postfix) Where(s *Service, parameter, word string) (file string, line int) {
	if s != nil {
		if _, overrides := s.Overrides[parameter]; overrides {
			file = filepath.Join(p.Config, "master.cf")
			return file, inMaster(readText(file), s.Key(), parameter, word)
		}
	}
	file = filepath.Join(p.Config, "main.cf")
	return file, inMain(readText(file), parameter, word)
}

// readText is a file's text, "" where it cannot be read: then nobody knows a line.
func readText(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(data)
}

// inMain finds the last definition of a parameter, which is the one that counts.
func inMain(text, parameter, word string) (found int) {
	number, within, exact := 0, false, false
	for line := range strings.Lines(text) {
		number++
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		rest := trimmed
		if line[0] != ' ' && line[0] != '\t' {
			name, value, _ := strings.Cut(trimmed, "=")
			if within = strings.TrimSpace(name) == parameter; within {
				found, exact, rest = number, false, value
			}
		}
		if within && !exact && word != "" && hasWord(rest, word) {
			found, exact = number, true
		}
	}
	return found
}

// inMaster finds the last -o of a parameter in a service.
func inMaster(text, key, parameter, word string) (found int) {
	for _, e := range masterEntries(text, key) {
		for _, o := range e.options(parameter) {
			at := o.start
			if i := indexWord(text[o.value:o.end], word); i >= 0 {
				at = o.value + i
			}
			found = 1 + strings.Count(text[:at], "\n")
		}
	}
	return found
}

func hasWord(text, word string) bool { return indexWord(text, word) >= 0 }

// indexWord finds a word that stands between separators, braces or signs of an assignment.
func indexWord(text, word string) int {
	if word == "" {
		return -1
	}
	edge := func(c byte) bool { return strings.IndexByte(", \t\r\n{}=", c) >= 0 }
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		if (i == 0 || edge(text[i-1]) || edge(word[0])) && (end == len(text) || edge(text[end]) || edge(word[len(word)-1])) {
			return i
		}
		from = i + 1
	}
}
