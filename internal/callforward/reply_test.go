package callforward

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func readFrom(s string) (reply, error) {
	return readReply(bufio.NewReaderSize(strings.NewReader(s), maxLine))
}

func TestReadReply(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     string // String
		err      error
	}{
		{name: "one line", in: "250 2.1.5 Ok\r\n", want: "250 2.1.5 Ok"},
		{name: "several", in: "250-mx.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n", want: "250 mx.example PIPELINING 8BITMIME"},
		{name: "no text", in: "250\r\n", want: "250"},
		{name: "bare LF", in: "550-a\n550 b\n", want: "550 a b"},
		{name: "not UTF-8", in: "550 \xff\r\n", want: "550 ?"},
		{name: "a C1 control is not shown", in: "550 a\u009bb\r\n", want: "550 a b"},
		{name: "long text", in: "550 " + strings.Repeat("x", 1000) + "\r\n", want: "550 " + strings.Repeat("x", maxSaid-4) + "…"},
		{name: "the longest line", in: "550 " + strings.Repeat("x", maxLine-6) + "\r\n", want: "550 " + strings.Repeat("x", maxSaid-4) + "…"},
		{name: "a line too long", in: "550 " + strings.Repeat("x", maxLine-5) + "\r\n", err: errLine},
		{name: "a line without end", in: strings.Repeat("x", 1<<20), err: errLine},
		{name: "lines without end", in: strings.Repeat("250-x\r\n", 1000), err: errLines},
		{name: "NUL", in: "550 a\x00b\r\n", err: errControl},
		{name: "CR within", in: "550 a\rb\r\n", err: errControl},
		{name: "different codes", in: "250-x\r\n550 y\r\n", err: errMixed},
		{name: "no code", in: "hello\r\n", err: errCode},
		{name: "a code of six hundred", in: "650 x\r\n", err: errCode},
		{name: "a code of one hundred", in: "150 x\r\n", err: errCode},
		{name: "another separator", in: "250_x\r\n", err: errCode},
		{name: "empty line", in: "\r\n", err: errCode},
		{name: "end", in: "", err: io.EOF},
		{name: "end within a line", in: "250 x", err: io.EOF},
		{name: "end within a reply", in: "250-x\r\n", err: io.EOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := readFrom(test.in)
			if !errors.Is(err, test.err) || err == nil && r.String() != test.want {
				t.Errorf("read %q, %v; want %q, %v", r.String(), err, test.want, test.err)
			}
		})
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "550-5.1.1 a\r\n550 5.7.1 b\r\n", "550 x (#5.1.1)\r\n", "250-\n250\n", "421 \x00\r\n", "550 5.4.1 \u2028\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := readFrom(s)
		if err != nil {
			return
		}
		said := r.String()
		if !utf8.ValidString(said) || strings.ContainsAny(said, "\r\n\x00\x1b") || len(said) > maxSaid+4 {
			t.Errorf("shown as %q", said)
		}
		v := r.judge()
		if v == missing && (r.code < 500 || !strings.Contains(s, "5.")) {
			t.Errorf("%q is taken for a refusal of the recipient", s)
		}
		if v == exists && r.code/100 != 2 {
			t.Errorf("%q is taken for a yes", s)
		}
	})
}
