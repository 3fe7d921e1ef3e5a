package encodedword

import "testing"

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

func FuzzDecode(f *testing.F) {
	f.Add("=?utf-8?q?a_=C3=A4?= =?iso-8859-1*en?B?5A==?= x =?x")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Decode(s); len(got) > 4*len(s)+4 {
			t.Errorf("%d octets of %d", len(got), len(s))
		}
	})
}
