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
		"Begin  644 a":             "a",
		"begin with 644 pieces":    "",
	} {
		if name, ok := Begin([]byte(line)); name != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", line, name, ok)
		}
	}
}

func TestReader(t *testing.T) {
	for _, c := range []struct{ name, in, out, doubtful, rest string }{
		{"a file", ",<V5C<F5T(&]F9F5R\n`\nend\nbye", "secret offer", "", "bye"},
		{"two lines", "#<V5C\n#<F5T\n`\nend\n", "secret", "", ""},
		{"blanks for zeros, lost at the end", "#<V5\n`\nend\n", "se@", "", ""},
		{"a check character", "#<V5CX\n`\nend\n", "sec", "", ""},
		{"no end", "#<V5C\nbye\nBye\n", "sec", "bye\nBye\n", ""},
		{"no file", "bye\n", "", "bye\n", ""},
		{"a line that says more than it has", "M<V5C\n`\nend\n", "sec", "", ""},
		{"an empty line inside", "#<V5C\n\n#<F5T\n`\nend\n", "secret", "\n#<F5T\n`\n", ""},
		{"a damaged line inside", "#<V5C\n#<Fx5T~~~~\n#<F5T\nend\nbye", "secret", "#<Fx5T~~~~\n#<F5T\n", "bye"},
		{"a long line inside", "#<V5C\n" + strings.Repeat("x", 9000) + "\n#<F5T\nend\n", "secret", strings.Repeat("x", 9000) + "\n#<F5T\n", ""},
		{"no last line", "#<V5C\n#<F5T\nend", "secret", "", ""},
		{"another file", "#<V5C\nx\nbegin 644 b\n#<F5T\nend", "sec", "x\n", "begin 644 b\n#<F5T\nend"},
		{"no end of the last line", "#<V5C", "sec", "", ""},
		{"no end of the second line", "#<V5C\n#<F5T", "secret", "", ""},
		{"no file, without a line end", "bye", "", "bye", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(c.in))
			r, doubtful := NewReader(in), ""
			r.Doubtful = func(line []byte) { doubtful += string(line) }
			got, err := io.ReadAll(r)
			rest, _ := io.ReadAll(in)
			if !strings.HasPrefix(string(got), c.out) || strings.Trim(string(got[len(c.out):]), "\x00@") != "" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if doubtful != c.doubtful || string(rest) != c.rest {
				t.Errorf("%.40q in doubt, left %q", doubtful, rest)
			}
		})
	}
	damaged := bufio.NewReader(strings.NewReader("#<V5C\n#<F5~\n,<V5C<F5T(&]F9F5Rxxxxxxxxxxx\nend\n"))
	if got, err := io.ReadAll(NewReader(damaged)); err != nil || string(got) != "secre~secret offer"[:5]+string(got[5])+"secret offer" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add("begin 644 a\n#<V5C\n\nbye\n#<F5T\nend\nbegin 644 b\n#<V5C\n")
	f.Fuzz(func(t *testing.T, s string) {
		in := bufio.NewReaderSize(strings.NewReader(s), 128)
		r, lines := NewReader(in), 0
		r.Doubtful = func(line []byte) { lines += len(line) }
		got, err := io.ReadAll(r)
		rest, _ := io.ReadAll(in)
		if err != nil || len(got) > 63*len(s) || lines+len(rest) > len(s) {
			t.Errorf("%q, %v", got, err)
		}
	})
}
