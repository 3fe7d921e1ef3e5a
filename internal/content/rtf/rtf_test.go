package rtf

import (
	"bufio"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, out string }{
		{"plain", `{\rtf1 hello}`, "hello"},
		{"a word in pieces", `{\rtf1 sec{\b ret}}`, "secret"},
		{"no text", `{\rtf1{\fonttbl{\f0 Arial;}}a{\*\x junk}b{\pict 00ff}}`, "ab"},
		{"breaks", "{\\rtf1 a\\par b\\line c\\\nd}", "a\nb\nc\nd"},
		{"line ends mean nothing", "{\\rtf1 a\r\nb}", "ab"},
		{"signs", `{\rtf1 a\~b\_c\{d\}e\\f}`, `a b-c{d}e\f`},
		{"octets", `{\rtf1\ansicpg1251 \'e0}{\rtf1\ansicpg1252 \'e4\'zz}`, "аä"},
		{"unicode", `{\rtf1\uc2 \u111??x\u-10179?? }`, "ox\ufffd "},
		{"binary data", `{\rtf1 a\bin3 x{yb}`, "ab"},
		{"cut", `{\rtf1 a\'6`, "a"},
		{"not closed", `{\rtf1{{{a`, "a"},
		{"closed too often", `{\rtf1}}}a`, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			Text(bufio.NewReader(strings.NewReader(c.in)), &out)
			if out.String() != c.out {
				t.Errorf("%q, want %q", out.String(), c.out)
			}
		})
	}
}
