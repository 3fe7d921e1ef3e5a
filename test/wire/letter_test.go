package wire

import (
	"strings"
	"testing"
)

func TestParseLetter(t *testing.T) {
	for _, c := range []struct{ name, text, fields, whole string }{
		{"plain", "Subject: one\nTo:two\n\nbody\n", "Subject: one|To:two", "Subject: one\r\nTo:two\r\n\r\nbody\r\n"},
		{"mbox line", "From a@b.example Mon Jan  5 10:00:00 2026\nSubject: one\n\n", "Subject: one", "Subject: one\r\n\r\n"},
		{"folded", "Subject: one\n two\n\nx", "Subject: one\n two", "Subject: one\r\n two\r\n\r\nx"},
		{"continuation of nothing", " one\nTo: two\n\n", "To: two", "To: two\r\n\r\n"},
		{"no body", "To: two", "To: two", "To: two\r\n\r\n"},
		{"nothing", "", "", "\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := ParseLetter(c.text)
			if got := strings.Join(l.Fields, "|"); got != c.fields {
				t.Errorf("fields %q, want %q", got, c.fields)
			}
			if got := l.String(); got != c.whole {
				t.Errorf("text %q, want %q", got, c.whole)
			}
		})
	}
}

func TestLetterHeader(t *testing.T) {
	l := ParseLetter("To: a\nFROM:  b \nFrom: c\n\n")
	if l.Header("from") != "b" || l.Header("Subject") != "" {
		t.Errorf("from %q, subject %q", l.Header("from"), l.Header("Subject"))
	}
}
