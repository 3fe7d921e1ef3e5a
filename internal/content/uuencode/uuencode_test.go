package uuencode

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func TestBegin(t *testing.T) {
	for line, want := range map[string]string{
		"begin 644 a.txt\r\n":      "a.txt",
		"begin 0755 two words.exe": "two words.exe",
		"begin 64 a":               "",
		"begin 00644 a":            "",
		"begin 649 a":              "",
		"begin 644":                "",
		"Begin 644 a":              "",
		"begin with 644 pieces":    "",
	} {
		if name, ok := Begin([]byte(line)); name != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", line, name, ok)
		}
	}
}

func TestReader(t *testing.T) {
	for _, c := range []struct{ name, in, out, rest string }{
		{"a file", ",<V5C<F5T(&]F9F5R\n`\nend\nbye", "secret offer", "bye"},
		{"two lines", "#<V5C\n#<F5T\n`\nend\n", "secret", ""},
		{"blanks for zeros, lost at the end", "#<V5\n`\nend\n", "se@", ""},
		{"a check character", "#<V5CX\n`\nend\n", "sec", ""},
		{"no end", "#<V5C\nbye\n", "sec", "bye\n"},
		{"no file", "bye\n", "", "bye\n"},
		{"a line that says more than it has", "M<V5C\n`\nend\n", "sec", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(c.in))
			got, err := io.ReadAll(NewReader(in))
			rest, _ := io.ReadAll(in)
			if !strings.HasPrefix(string(got), c.out) || strings.Trim(string(got[len(c.out):]), "\x00") != "" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if string(rest) != c.rest {
				t.Errorf("left %q, want %q", rest, c.rest)
			}
		})
	}
}
