package wire

import "strings"

// Letter is a message as an MTA hands it over.
type Letter struct {
	Fields []string // of the header, each "Name: text", folded by "\n" alone
	Body   string   // with CRLF
}

// ParseLetter reads a message with plain line ends, and perhaps an mbox line in front. What is no
// header field is left out.
func ParseLetter(text string) Letter {
	header, body, _ := strings.Cut(text, "\n\n")
	l := Letter{Body: strings.ReplaceAll(body, "\n", "\r\n")}
	for line := range strings.SplitSeq(header, "\n") {
		last := len(l.Fields) - 1
		name, _, isField := strings.Cut(line, ":")
		switch {
		case line != "" && strings.ContainsAny(line[:1], " \t") && last >= 0:
			l.Fields[last] += "\n" + line
		case isField && !strings.Contains(name, " "):
			l.Fields = append(l.Fields, line)
		}
	}
	return l
}

// String is the whole message with CRLF.
func (l Letter) String() string {
	var b strings.Builder
	for _, field := range l.Fields {
		b.WriteString(strings.ReplaceAll(field, "\n", "\r\n") + "\r\n")
	}
	return b.String() + "\r\n" + l.Body
}

// Header returns the text of the first field of that name, without the blanks around it.
func (l Letter) Header(name string) string {
	for _, field := range l.Fields {
		if found, text, _ := strings.Cut(field, ":"); strings.EqualFold(found, name) {
			return strings.TrimSpace(text)
		}
	}
	return ""
}
