package rtf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	const fonts = `{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fcharset204 A{\*\falt B};}{\f2\fcharset128 C;}{\f3\fcharset0\cpg1253 D;}}`
	for _, c := range []struct{ name, in, shown, apart string }{
		{"plain", `{\rtf1 hello}`, "hello", ""},
		{"a word in pieces", `{\rtf1 sec{\b ret}}`, "secret", ""},
		{"no text", `{\rtf1{\fonttbl{\f0 Arial;}}a{\*\x junk}b{\pict 00ff}}`, "ab", ""},
		{"breaks", "{\\rtf1 a\\par b\\line c\\\nd}", "a\nb\nc\nd", ""},
		{"no break", `{\rtf1 sec\pard ret}`, "secret", ""},
		{"line ends mean nothing", "{\\rtf1 a\r\nb}", "ab", ""},
		{"signs", `{\rtf1 a\~b\_c\{d\}e\\f\-g\emdash h\tab i}`, "a b-c{d}e\\fg\u2014h\ti", ""},
		{"octets", `{\rtf1\ansicpg1251 \'e0}{\rtf1\ansicpg1252 \'e4\'zz}`, "аä", ""},
		{"unicode", `{\rtf1\uc2 \u111??x\u-10179?? }`, "ox\ufffd ", ""},
		{"binary data", `{\rtf1 a\bin3 x{yb}`, "ab", ""},
		{"cut", `{\rtf1 a\'6`, "a", ""},
		{"not closed", `{\rtf1{{{a`, "a", ""},
		{"closed too often", `{\rtf1}}}a`, "a", ""},

		{"unicode in a group", `{\rtf1{\uc0\u115 ecre{\uc2\u116??}} \u111?ffer}`, "secret offer", ""},
		{"unicode before signs of control", `{\rtf1\uc1 \u115\'73e\u99\~ret\u32{o}}`, "secret o", ""},
		{"unicode before a word of control", `{\rtf1\uc1 \u115\b ecret}`, "secret", ""},
		{"unicode before binary data", `{\rtf1\uc1 \u115\bin2 xyecret}`, "secret", ""},
		{"a pair", `{\rtf1\u-10179?\u-8694?x}`, "\U0001f60ax", ""},
		{"signs of a font", `{\rtf1\u-3981?\u61541?}`, "se", ""},
		{"a code page of several octets", `{\rtf1\ansicpg932 x\'93\'fa\'96{\b \'7b}\'83A\'8c\'ea y}`, "x日\ufffd{ア語 y", ""},
		{"cut in a character", `{\rtf1\ansicpg936 \'c4\'e3\'ba}`, "你\ufffd", ""},
		{"charsets of fonts", `{\rtf1\ansi\ansicpg1250\deff0` + fonts + `\f1\'f1\f2\'83A\f3\'e1\f0\'b9{\f1\'f1}\plain\'b9}`, "сアαąсą", ""},
		{"the font of the document", `{\rtf1\deff1` + fonts + `\'f1\f0\'e9}`, "сé", ""},
		{"UTF-8 as code page", `{\rtf1\ansicpg65001 \'c3\'a4\'d0\'b1}`, "äб", ""},
		{"of the Macintosh", `{\rtf1\mac \'8a}`, "ä", ""},

		{"hidden", `{\rtf1 sec\v xyz\par\v0 ret{\v1 a{\b b}}d}`, "secretd", "\nxyz\n\nab"},
		{"hidden no more", `{\rtf1 a\v b\plain c}`, "ac", "\nb"},
		{"deleted", `{\rtf1 a{\deleted b}{\revised c}{\mvf d}e}`, "ace", "\nb\nd"},
		{"tiny", `{\rtf1 a{\fs2 b\fs24 c}{\fs d}{\fs0 e}}`, "acd", "\nb\ne"},
		{"properties", `{\rtf1{\info{\title Secret}{\author\v Bob}{\*\company X}{\creatim\yr2024}}a}`, "a", "\nSecret\nBob\nX"},
		{"headers and notes", `{\rtf1{\header h\par}{\footerf f}a{\footnote n{\b o}}b{\*\annotation c}}`, "ab", "\nh\n\nf\nno\nc"},
		{"field", `{\rtf1 a{\field{\*\fldinst HYPERLINK "x"}{\fldrslt b}}c}`, "abc", "\nHYPERLINK \"x\""},
		{"twice, in Unicode", `{\rtf1 a{\upr{?}{\*\ud{\u225 ?}}}b}`, "aáb", "\n?"},
		{"shape", `{\rtf1 a{\shp{\*\shpinst\x1{\sp{\sn shapeType}{\sv 202}}{\sp{\sn gtextUNICODE}{\sv Art}}{\shptxt t}}}b}`, "ab", "\nArt\nt"},
		{"destinations in each other", `{\rtf1 a{\*\x b{\*\annotation c{\fldrslt d}}}{\*{e}}{\* f}g}`, "ag", ""},
		{"object", `{\rtf1 a{\object{\*\objdata 00}{\result b}}c}`, "abc", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var shown, apart strings.Builder
			paragraphs := 0
			Text(bufio.NewReader(strings.NewReader(c.in)), Output{&shown, &apart, &apart, func() { paragraphs++ }})
			if shown.String() != c.shown || apart.String() != c.apart {
				t.Errorf("%q and %q, want %q and %q", shown.String(), apart.String(), c.shown, c.apart)
			}
			if want := strings.Count(c.in, `\par `); paragraphs != want {
				t.Errorf("%d ends of paragraphs, want %d", paragraphs, want)
			}
		})
	}
}

// TestBounds: groups and fonts beyond the bounds cost no text.
func TestBounds(t *testing.T) {
	var fonts strings.Builder
	for i := range maxFonts + 1 {
		fmt.Fprintf(&fonts, `{\f%d\fcharset204 x;}`, i)
	}
	for _, c := range []struct{ name, in, out string }{
		{"groups", strings.Repeat("{", 2*maxGroups) + `\v a` + strings.Repeat("}", 2*maxGroups) + "b", "b"},
		{"fonts", `{\rtf1{\fonttbl` + fonts.String() + fmt.Sprintf(`}\f%d\'e0\f%d\'e0`, maxFonts-1, maxFonts), "аà"},
	} {
		var shown, apart strings.Builder
		Text(bufio.NewReader(strings.NewReader(c.in)), Output{&shown, &apart, &apart, func() {}})
		if shown.String() != c.out {
			t.Errorf("%s: %q, want %q", c.name, shown.String(), c.out)
		}
	}
}

// FuzzText reads any document at once and octet by octet.
func FuzzText(f *testing.F) {
	f.Add(`{\rtf1\ansicpg932{\fonttbl{\f1\fcharset128 x;}}\f1\'83A\u-10179?\uc2\bin3 abc{\*\annotation x}{\v y}\par}`)
	f.Fuzz(func(t *testing.T, in string) {
		read := func(r io.Reader) string {
			var shown, apart strings.Builder
			Text(bufio.NewReader(r), Output{&shown, &apart, &apart, func() {}})
			return shown.String() + "|" + apart.String()
		}
		if a, b := read(strings.NewReader(in)), read(iotest.OneByteReader(strings.NewReader(in))); a != b || !utf8.ValidString(a) {
			t.Errorf("%q and %q", a, b)
		}
	})
}
