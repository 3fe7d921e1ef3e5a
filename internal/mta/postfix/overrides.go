package postfix

import (
	"fmt"
	"strings"
)

// SetOverride returns the text of a master.cf in which a service has "-o name=value", in place of
// each that it has or behind its last argument. key is NAME/TYPE as the file spells it. All other
// lines stay as and where they are: "postconf -P" (3.7) moves the service away from its comments
// and takes no value with blanks.
func SetOverride(text, key, name, value string) (string, error) {
	entries := masterEntries(text, key)
	if len(entries) == 0 {
		return "", fmt.Errorf("master.cf has no service %s", key)
	}
	option := name + "=" + value
	if strings.ContainsAny(value, " \t,{}") {
		option = "{ " + name + " = " + value + " }"
	}
	// From the last to the first, so that places before stay what they are.
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		own := e.options(name)
		for j := len(own) - 1; j >= 0; j-- {
			text = text[:own[j].value] + option + text[own[j].end:]
		}
		if len(own) == 0 {
			line := "  -o " + option + "\n"
			if !strings.HasSuffix(text[:e.end], "\n") {
				line = "\n" + strings.TrimSuffix(line, "\n")
			}
			text = text[:e.end] + line + text[e.end:]
		}
	}
	return text, nil
}

// RemoveOverride returns the text without "-o name=…" of a service, and without the lines that held
// nothing else. A service that is not there has none.
func RemoveOverride(text, key, name string) string {
	entries := masterEntries(text, key)
	for i := len(entries) - 1; i >= 0; i-- {
		own := entries[i].options(name)
		for j := len(own) - 1; j >= 0; j-- {
			text = cutOption(text, own[j])
		}
	}
	return text
}

// cutOption takes an option out: with its line where it is alone there, else with the blanks
// before.
func cutOption(text string, o masterOption) string {
	start, end := o.start, o.end
	for start > 0 && (text[start-1] == ' ' || text[start-1] == '\t') {
		start--
	}
	rest := end
	for rest < len(text) && (text[rest] == ' ' || text[rest] == '\t' || text[rest] == '\r') {
		rest++
	}
	alone := start == 0 || text[start-1] == '\n'
	switch {
	case alone && rest == len(text):
		return text[:start]
	case alone && text[rest] == '\n':
		return text[:start] + text[rest+1:]
	case alone:
		return text[:o.start] + text[rest:]
	}
	return text[:start] + text[end:]
}

// masterEntry is a service of a master.cf: its words, and where its last line ends.
type masterEntry struct {
	words []masterWord
	end   int
}

type masterWord struct {
	start, end int
	text       string
}

// masterOption is "-o NAME=VALUE": where it begins, where what follows -o begins, where it ends.
type masterOption struct{ start, value, end int }

// masterEntries finds the services of that key. A line that begins with a blank belongs to the one
// before, over comments and empty lines (master(5)).
func masterEntries(text, key string) (found []masterEntry) {
	var e masterEntry
	done := func() {
		if len(e.words) >= 2 && e.words[0].text+"/"+e.words[1].text == key {
			found = append(found, e)
		}
		e = masterEntry{}
	}
	at := 0
	for line := range strings.Lines(text) {
		start := at
		at += len(line)
		trimmed := strings.TrimLeft(line, " \t\r\n")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			done()
		}
		e.words = append(e.words, masterWords(line, start)...)
		e.end = at
	}
	done()
	return found
}

// masterWords parts a line at blanks; what is within braces stays together.
func masterWords(line string, at int) (words []masterWord) {
	depth, start := 0, -1
	for i := 0; i <= len(line); i++ {
		if i == len(line) || depth == 0 && strings.IndexByte(" \t\r\n", line[i]) >= 0 {
			if start >= 0 {
				end := start + len(strings.TrimRight(line[start:i], " \t\r\n"))
				words = append(words, masterWord{at + start, at + end, line[start:end]})
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
		switch {
		case line[i] == '{':
			depth++
		case line[i] == '}' && depth > 0:
			depth--
		}
	}
	return words
}

// options finds each -o that sets a parameter, among the arguments behind the eight fields.
func (e masterEntry) options(name string) (found []masterOption) {
	for i := 8; i < len(e.words); i++ {
		w := e.words[i]
		o := masterOption{start: w.start, value: w.start + 2, end: w.end}
		setting, attached := strings.CutPrefix(w.text, "-o")
		if !attached {
			continue
		}
		if setting == "" {
			if i++; i == len(e.words) {
				break
			}
			o.value, o.end, setting = e.words[i].start, e.words[i].end, e.words[i].text
		}
		setting = strings.TrimPrefix(setting, "{")
		if set, _, ok := strings.Cut(setting, "="); ok && strings.TrimSpace(set) == name {
			found = append(found, o)
		}
	}
	return found
}
