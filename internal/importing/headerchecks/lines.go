package headerchecks

import (
	"strings"
	"unicode/utf8"
)

// physical is a line of a file as it stands.
type physical struct {
	number int
	text   string
}

// logical is what Postfix takes for one line: a line and those that begin with white space behind
// it. Comments and empty lines may stand between them and are no part of it.
type logical struct {
	lines []physical
	text  string
	fault string // why it is no line of a table, "" where it may be one
}

// whiteSpace is isspace(3) of the C locale.
const whiteSpace = " \t\n\v\f\r"

// logicalLines reads a whole file as Postfix does. Unlike [table.ReadLines] it goes on behind what
// is wrong, since each line is to be accounted for.
func logicalLines(text string) (all []*logical) {
	var open *logical
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		trimmed := strings.TrimLeft(line, whiteSpace)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		one := physical{number, strings.TrimRight(line, whiteSpace)}
		if len(trimmed) < len(line) {
			if open == nil {
				all = append(all, &logical{lines: []physical{one}, fault: "it begins with white space, and there is no line before that it could continue"})
				continue
			}
			open.lines = append(open.lines, one)
			open.text += line
			continue
		}
		open = &logical{lines: []physical{one}, text: line}
		all = append(all, open)
	}
	for _, l := range all {
		l.text = strings.TrimRight(l.text, whiteSpace)
		switch {
		case l.fault != "":
		case strings.IndexByte(l.text, 0) >= 0:
			l.fault = "it has a NUL octet"
		case !utf8.ValidString(l.text):
			l.fault = "it is not UTF-8: mailweir looks for characters, not for octets; write it again in UTF-8"
		}
	}
	return all
}
