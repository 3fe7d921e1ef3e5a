package encodedword

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"none", "hello", "hello"},
		{"octets outside ASCII", "J\xfcrgen", "Jürgen"},
		{"base64", "=?utf-8?B?YmFkQGV4YW1wbGUubmV0?=", "bad@example.net"},
		{"Q", "=?iso-8859-1?Q?J=FCrgen_B.?=", "Jürgen B."},
		{"lower case letters", "=?UTF-8?b?YmFk?= =?utf-8?q?_offer?=", "bad offer"},
		{"without padding", "=?utf-8?B?YmFkQGV4YW1wbGUubmV0Cg?=", "bad@example.net\n"},
		{"a blank inside base64", "=?utf-8?B?YmFk QGV4YW1wbGUubmV0?=", "bad@example.net"},
		{"a line end inside base64", "=?utf-8?B?YmFk\r\n QGV4YW1wbGUubmV0?=", "bad@example.net"},
		{"foreign signs inside base64", "=?utf-8?B?YmF!k*QGV4-YW1wb_GUubmV0?=", "bad@example.net"},
		{"a blank inside Q", "=?utf-8?Q?bad offer?=", "bad offer"},
		{"an equals sign at the end", "=?utf-8?Q?bad=40example.net=?=", "bad@example.net="},
		{"no hexadecimal digits", "=?utf-8?Q?bad=zz=40example.net?=", "bad=zz@example.net"},
		{"lower case digits", "=?utf-8?Q?bad=c3=a4?=", "badä"},
		{"an unknown charset", "=?x-none?Q?bad=40example.net?=", "bad@example.net"},
		{"an empty charset", "=??Q?bad=40example.net?=", "bad@example.net"},
		{"blanks around the charset", "=? utf-8 ? B ?YmFk?=", "bad"},
		{"a language", "=?utf-8*en?Q?b=C3=A4d?=", "bäd"},
		{"a language in one of two", "=?utf-8*en?Q?b=C3?= =?UTF-8?Q?=A4d?=", "bäd"},
		{"a character split over two words", "=?utf-8?B?w?= =?utf-8?Q?b=C3?= =?utf-8?B?pGQ=?=", "bäd"},
		{"words without a blank between", "=?utf-8?Q?ba?==?utf-8?B?ZA==?=", "bad"},
		{"white space between words", "=?utf-8?Q?ba?= \r\n\t =?koi8-r?Q?d?=", "bad"},
		{"text between words", "=?utf-8?Q?ba?= d =?utf-8?Q?of?=", "ba d of"},
		{"white space behind the last word", "=?utf-8?Q?ba?= ", "ba "},
		{"in quotes", `"=?utf-8?Q?bad?=" <x@y>`, `"bad" <x@y>`},
		{"in the middle of an atom", "b=?utf-8?Q?a?=d", "bad"},
		{"a question mark inside Q", "=?utf-8?Q?bad??=", "bad?"},
		{"a Q that begins with an escape", "=?utf-8?Q?=62ad?=", "bad"},
		{"a false beginning", "=?=?utf-8?Q?bad?=", "=?bad"},
		{"an unknown encoding", "=?utf-8?X?bad?= =?utf-8?Q?b=40d?=", "=?utf-8?X?bad?= b@d"},
		{"no end", "x =?utf-8?Q?b=40d", "x =?utf-8?Q?b=40d"},
		{"an empty word", "a =?utf-8?Q??= b", "a  b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Decode(c.in); got != c.want {
				t.Errorf("%q: %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// TestReadings: what programs make more than one text of.
func TestReadings(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"plain", "hello", []string{"hello"}},
		{"one word", "=?utf-8?B?YmFk?= =?utf-8?Q?=20x?=", []string{"bad x"}},
		{"text behind padding", "=?utf-8?B?YmE=ZCBvZmZlcg==?=", []string{"bad offer", "ba", "ba\x19\b\x1b\u0659\u2122\\"}},
		{"padding inside a group", "=?utf-8?B?Ym=FkIG9mZmVy?=", []string{"b\x16B\x06öffW", "b", "bad offer"}},
		{"signs of URLs", "=?iso-8859-1?B?-_-_?=", []string{"", "ûÿ¿"}},
		{"words that are not whole characters", "=?big5?Q?=A4?= =?big5?Q?bad?=", []string{"刃ad", "\ufffdbad"}},
		{"a charset that hides ASCII", "=?utf-16?Q?bad=40example.net=20now?=", []string{"bad@example.net now", "慢䁤硥浡汰\u2e65敮\u2074潮\ufffd", "扡摀數慭灬攮湥琠湯\ufffd"}},
		{"UTF-8 under another name", "=?euc-kr?Q?b=C3=A4d?=", []string{"b채d", "bäd"}},
		{"a word in a word", "=?utf-8?B?AAAA =?utf-8?B?YmFk?=", []string{"=?utf-8?B?AAAA bad", "\x00\x00\x00º×ü\x05‰…", "AAAA =?utf-8?B?YmFk", "\x00\x00\x00", "\x00\x00\x00º×þð\x16&\x16", "\x00\x00\x00bad"}},
		{"no end", "a =?utf-8?B?YmFk", []string{"a =?utf-8?B?YmFk", "a bad"}},
		{"an end without its sign", "=?utf-8?Q?bad=40x? b", []string{"=?utf-8?Q?bad=40x? b", "bad@x b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Readings(c.in); !slices.Equal(got, c.want) {
				t.Errorf("%q: %+q, want %+q", c.in, got, c.want)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	for in, want := range map[string]bool{
		"<a@b>":                          false,
		"=?utf-8?Q?bad?= <a@b>":          false,
		"=?utf-8?Q?bad=3C?=":             false,
		"=?utf-8?Q?<bad>?=":              true,
		"=?utf-8?B?YmFk?= =?x?B?Ym<Fk?=": true,
	} {
		if Holds(in, "<,") != want {
			t.Errorf("%q: not %v", in, want)
		}
	}
}

func FuzzReadings(f *testing.F) {
	f.Add("=?utf-8?q?a_=C3=A4?= =?iso-8859-1*en?B?5A==?= x =?x")
	f.Add("=?utf-16?B?YmE=ZCB-?= =?utf-16?Q?=?utf-8?Q?x")
	f.Fuzz(func(t *testing.T, s string) {
		all := Readings(s)
		if all[0] != Decode(s) {
			t.Errorf("%q and %q", all[0], Decode(s))
		}
		for _, text := range all {
			if len(text) > 4*len(s)+4 || !utf8.ValidString(text) {
				t.Errorf("%q", text)
			}
		}
	})
}

// BenchmarkWorst: texts full of beginnings cost no more than others of their length.
func BenchmarkWorst(b *testing.B) {
	for _, piece := range []string{"words of a text ", "=?", "=?a?q?", "=?a?q?=", "=?a?q??=", "?=", "=?a?b?=-?= ", "=?big5?q?=A4?= "} {
		b.Run(piece, func(b *testing.B) {
			value := strings.Repeat(piece, 100_000/len(piece))
			b.SetBytes(int64(len(value)))
			for b.Loop() {
				Readings(value)
			}
		})
	}
}
