package postfix

import (
	"path/filepath"
	"strings"

	"mailweir/internal/textfile"
)

// Where is the file and the line in which a word of a parameter stands, or several that follow each
// other: of master.cf where the service overrides the parameter, else of main.cf; there also in a
// parameter that a $name of the value stands for. Where there are no such words it is the line in
// which the parameter begins, 0 where the file does not set it. Service nil is for main.cf.
func (p *Postfix) Where(s *Service, parameter string, words ...string) (file string, line int) {
	main, master := filepath.Join(p.Config, "main.cf"), filepath.Join(p.Config, "master.cf")
	file, raw := main, p.Set[parameter]
	var exact bool
	if s != nil && s.Overrides[parameter] != "" {
		file, raw = master, s.Overrides[parameter]
		line, exact = inMaster(readText(master), s.Key(), parameter, words)
	} else {
		line, exact = inMain(readText(main), parameter, words)
	}
	if exact || len(words) == 0 {
		return file, line
	}
	for _, name := range references(raw) {
		if at, found := inMain(readText(main), name, words); found {
			return main, at
		}
	}
	return file, line
}

// references are the names of a value: $name, ${name} and $(name).
func references(raw string) (names []string) {
	for _, part := range strings.Split(raw, "$")[1:] {
		part = strings.TrimLeft(part, "{(")
		names = append(names, part[:nameLength(part)])
	}
	return names
}

// readText is a file's text, "" where it cannot be read: then nobody knows a line.
func readText(file string) string {
	data, err := textfile.Read(file)
	if err != nil {
		return ""
	}
	return string(data)
}

// placedWord is a word and the line in which it stands.
type placedWord struct {
	text string
	line int
}

// inMain looks at the last definition of a parameter, which is the one that counts.
func inMain(text, parameter string, words []string) (line int, exact bool) {
	var value []placedWord
	begins, number, within := 0, 0, false
	for line := range strings.Lines(text) {
		number++
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, rest, _ := strings.Cut(trimmed, "=")
			if within = strings.TrimSpace(name) == parameter; within {
				value, begins, trimmed = nil, number, rest
			}
		}
		if within {
			value = append(value, placedWords(trimmed, number)...)
		}
	}
	return lineOf(value, words, begins)
}

// inMaster looks at the last -o of a parameter in a service.
func inMaster(text, key, parameter string, words []string) (line int, exact bool) {
	for _, e := range masterEntries(text, key) {
		for _, o := range e.options(parameter) {
			begins := 1 + strings.Count(text[:o.start], "\n")
			var value []placedWord
			number := 1 + strings.Count(text[:o.value], "\n")
			end := o.end
			if n := closing(text[o.value:]); n >= 0 { // its braces may end on a later line
				end = o.value + n
			}
			_, setting, _ := strings.Cut(text[o.value:end], "=")
			for line := range strings.Lines(setting) {
				value = append(value, placedWords(line, number)...)
				number++
			}
			line, exact = lineOf(value, words, begins)
		}
	}
	return line, exact
}

// placedWords are the words of a line. Braces only group them.
func placedWords(text string, line int) (words []placedWord) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n{}", r) }) {
		words = append(words, placedWord{word, line})
	}
	return words
}

// lineOf finds words that follow each other.
func lineOf(value []placedWord, words []string, otherwise int) (line int, exact bool) {
	var sought []placedWord
	for _, w := range words {
		sought = append(sought, placedWords(w, 0)...)
	}
	for i := range value {
		n := 0
		for n < len(sought) && i+n < len(value) && value[i+n].text == sought[n].text {
			n++
		}
		if n == len(sought) && n > 0 {
			return value[i].line, true
		}
	}
	return otherwise, false
}
