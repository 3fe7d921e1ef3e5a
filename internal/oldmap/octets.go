package oldmap

import (
	"strings"
	"unicode/utf8"
)

// No table of mailweir has such octets, and to write others in their place would be another key.
const (
	nul     = "it has a NUL in it; take it out and import again"
	notUTF8 = "it has octets that are not UTF-8; save it as UTF-8 and import again"
)

// OddOctets says what octets a line has that no table of mailweir may have, "" for none.
func OddOctets(text string) string {
	switch {
	case strings.Contains(text, "\x00"):
		return nul
	case !utf8.ValidString(text):
		return notUTF8
	}
	return ""
}

// cleaned is a text with ? in place of such octets.
func cleaned(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "?"), "?")
}

// checked is an entry without such octets, and with what is to be said of them.
func (m *Map) checked(e Entry) Entry {
	if e.Odd = OddOctets(e.Raw); e.Odd == "" {
		return e
	}
	e.Raw, e.Key, e.Value = cleaned(e.Raw), cleaned(e.Key), cleaned(e.Value)
	if m.Kind == "texthash" {
		e.Dead = e.Odd
	}
	return e
}

// oddLines finds the entries of a text, which have been read from the cleaned one.
func (m *Map) oddLines(text string) {
	number, i := 0, -1
	for line := range strings.Lines(text) {
		number++
		for i+1 < len(m.Entries) && m.Entries[i+1].At.Line <= number {
			i++
		}
		trimmed := strings.TrimLeft(line, " \t\n\v\f\r")
		odd := OddOctets(line)
		if odd == "" || i < 0 || trimmed[0] == '#' {
			continue
		}
		e := &m.Entries[i]
		if e.At.Line != number && trimmed == line {
			return // the reader ended before it
		}
		if e.Odd = odd; m.Kind == "texthash" {
			e.Dead = odd
		}
	}
}
