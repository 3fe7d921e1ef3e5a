package address

import (
	"encoding/base64"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func keys(list []Address) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.Key())
	}
	return out
}

func TestHeaderFrom(t *testing.T) {
	for _, tc := range []struct {
		name           string
		in             []string
		authors, shown string // separated by spaces
	}{
		{"bare", []string{"b@y.example"}, "b@y.example", ""},
		{"brackets", []string{" Foo Bar <b@y>"}, "b@y", ""},
		{"quoted name", []string{`"Foo, Bar" <b@y>`}, "b@y", ""},
		{"address in quoted name", []string{`"a@x" <b@y>`}, "b@y", "a@x"},
		{"address in plain name", []string{`a@x <b@y>`}, "b@y", "a@x"},
		{"address in encoded name", []string{`=?utf-8?B?YUB4?= <b@y>`}, "b@y", "a@x"},
		{"address in quoted encoded name", []string{`"=?utf-8?Q?a=40x?=" <b@y>`}, "b@y", "a@x"},
		{"same address in name", []string{`"b@y" <B@Y>`}, "b@y", ""},
		{"comment", []string{"b@y (Foo)"}, "b@y", ""},
		{"address in comment", []string{"b@y (a@x (c@z))"}, "b@y", "a@x c@z"},
		{"comments inside", []string{"b(one)@(two)y.example (three)"}, "b@y.example", ""},
		{"garbage after", []string{"<b@y>garbage"}, "b@y", ""},
		{"address after", []string{"<b@y> a@x"}, "b@y", "a@x"},
		{"two brackets", []string{"<b@y> <c@z>"}, "b@y c@z", ""},
		{"unclosed bracket", []string{"Foo <b@y"}, "b@y", ""},
		{"unclosed bracket and list", []string{"Foo <b@y, Bar <c@z>"}, "b@y c@z", ""},
		{"only closing bracket", []string{"b@y>"}, "b@y", ""},
		{"double brackets", []string{"<<b@y>>"}, "b@y", ""},
		{"unclosed quote", []string{`"Foo <b@y>`}, "b@y", ""},
		{"unclosed quote, list", []string{`"Foo <b@y>, Bar <c@z>`}, "b@y c@z", ""},
		{"unclosed comment", []string{"(Foo <b@y>"}, "b@y", ""},
		{"list", []string{"b@y, Foo <c@z>,, d@w"}, "b@y c@z d@w", ""},
		{"several fields", []string{"b@y", `"b@y" <c@z>`}, "b@y c@z", ""},
		{"group", []string{"Friends: b@y, Foo <c@z>; d@w"}, "b@y c@z d@w", ""},
		{"empty group", []string{"undisclosed: ;"}, "", ""},
		{"route", []string{"<@a.example,@b.example:b@y>"}, "b@y", ""},
		{"scheme", []string{"mailto:b@y"}, "b@y", ""},
		{"scheme in brackets", []string{"<mailto:b@y>"}, "b@y", ""},
		{"folded", []string{"Foo\r\n\t<b@y>"}, "b@y", ""},
		{"bare LF and TAB", []string{"\n\tb@y\n"}, "b@y", ""},
		{"spaces around at", []string{"b @ y.example"}, "b@y.example", ""},
		{"obsolete dots", []string{"<john . doe @ y .example>"}, "john.doe@y.example", ""},
		{"initial before bare address", []string{"John Q. b@y"}, "b@y", ""},
		{"quoted local", []string{`"b c"@y`}, "b c@y", ""},
		{"quoted local in brackets", []string{`Foo <"b c" @y>`}, "b c@y", ""},
		{"quoted local with address", []string{`"a@x"@y`}, "a@x@y", ""},
		{"quoted bracket content", []string{`<"b@y">`}, "b@y", ""},
		{"only a quoted string", []string{`"b@y"`}, "b@y", ""},
		{"quoted string and empty brackets", []string{`"b@y" <>`}, "b@y", ""},
		{"quoted string and no address", []string{`"b@y" <root>`}, "root b@y", ""},
		{"apostrophes", []string{"'b@y'"}, "b@y", ""},
		{"encoded address", []string{"=?utf-8?Q?b=40y?="}, "b@y", ""},
		{"all encoded", []string{"=?utf-8?Q?Foo_=3Cb=40y=3E?="}, "b@y", ""},
		{"encoded in brackets", []string{"<=?utf-8?Q?b=40y?=>"}, "b@y", ""},
		{"encoded local", []string{"=?utf-8?Q?b?=@y"}, "b@y", ""},
		{"encoded in pieces", []string{"=?utf-8?Q?b=40?=\r\n =?utf-8?Q?y.example?="}, "b@y.example", ""},
		{"Latin-1", []string{"=?iso-8859-1?Q?J=FCrgen_b=40y?="}, "b@y", ""},
		{"koi8-r", []string{"=?koi8-r?Q?=C1_b=40y?="}, "b@y", ""},
		{"unknown charset", []string{"=?x-none?Q?b=40y?="}, "b@y", ""},
		{"encoded without padding", []string{"=?utf-8?B?YmFkQGV4YW1wbGUubmV0Cg?="}, "bad@example.net", ""},
		{"encoded with foreign signs", []string{"=?utf-8?B?YmFk QGV4-YW1w*bGUubmV0?="}, "bad@example.net bad@exù…µá±”¹¹• bad@xn--ex-pka...xn--11-hea5qj9kr99ccba", ""},
		{"encoded with an equals sign", []string{"=?utf-8?Q?a=zz_=3Cb=40y=3E=?="}, "b@y", ""},
		{"encoded with a language", []string{"=?utf-8*en?Q?b?==?UTF-8?b?QHk?="}, "b@y", ""},
		{"encoded with brackets inside", []string{"=?utf-8?Q?a <b=40y>?="}, "b=40y b@y", ""},
		{"encoded with a comma inside", []string{"=?utf-8?Q?Doe,_John?= <b@y>, c@z"}, "=?utf-8?q?doe b@y c@z", ""},
		{"encoded base64 with a bracket inside", []string{"=?utf-8?B?YkB<5?="}, "5?= b@y", ""},
		{"padding inside", []string{"=?utf-8?B?YkB5=IHg=?="}, "b@y", ""},
		{"behind padding", []string{"=?utf-8?B?eCA=YkB5?="}, "b@y", ""},
		{"in signs of URLs", []string{"=?utf-8?B?w7_Dv0B5?="}, "ðïð ÿÿ@y", ""},
		{"neighbours that are half a character", []string{"=?big5?Q?x=20=A4?= =?big5?Q?_b=40y?="}, "b@y", ""},
		{"in UTF-16", []string{"=?utf-16be?B?AGIAQAB5?="}, "b@y", ""},
		{"in UTF-7", []string{"=?utf-7?Q?b+AEA-y?="}, "b@y", ""},
		{"ASCII as UTF-16", []string{"=?utf-16?Q?b=40y.example.net.?="}, "b@y.example.net", ""},
		{"ASCII as EBCDIC", []string{"=?cp500?Q?b=40y.example.net.?="}, "b@y.example.net", ""},
		{"without an end", []string{"=?utf-8?Q?b=40y"}, "=?utf-8?q?b=40y b@y", ""},
		{"broken encoded word", []string{"=?utf-8?Q?Foo b@y?="}, "b@y", ""},
		{"U-label", []string{"b@Bücher.example, c@XN--bcher-kva.example"}, "b@xn--bcher-kva.example c@xn--bcher-kva.example", ""},
		{"literal", []string{"b@[192.0.2.1], <c@[IPv6:2001:db8::1]>"}, "b@[192.0.2.1] c@[ipv6:2001:db8::1]", ""},
		{"literal, unclosed", []string{"b@[192.0.2.1, c@z"}, "c@z", ""},
		{"no domain", []string{"root"}, "root", ""},
		{"no domain in brackets", []string{"Root <root>"}, "root", ""},
		{"a name is not an address", []string{"John Doe"}, "", ""},
		{"three parts", []string{"a@b@c"}, "a@b b@c", ""},
		{"no-break space", []string{"Foo\u00a0b@y"}, "b@y", ""},
		{"zero width", []string{"b\u200b@y"}, "b@y", ""},
		{"Latin-1 octets", []string{"J\xfcrgen <b@y>"}, "b@y", ""},
		{"dots at the end", []string{"b@y.example."}, "b@y.example", ""},
		{"empty", []string{"", "<>", "@", "b@"}, "", ""},
		{"no local part", []string{"@x", "<@y.example>", "'@z'"}, "@x @y.example @z", ""},
		{"no local part of any grammar", []string{`b:;@y.example`, `Foo <b]@z.example>`}, "@y.example @z.example", ""},
		{"no local part, and a name", []string{`"a@x" <@y>`, "Foo @handle <b@y>"}, "@y a@x b@y", "foo@handle"},
		{"blank behind a dot of the domain", []string{"b@y. example", "<b;@y. example>", "<b@y.\r\n z.\texample>"}, "b@y b@y.example @y @y.example b@y.z.example", ""},
		{"end of a sentence", []string{"b@y. (Foo)"}, "b@y", ""},
		{"quoted local and comment", []string{`"b"(c (d)) @y`, `"b"(c@y`}, "b@y c@y", ""},
		{"brackets without a partner", []string{"b@y>x", "c@z<>x", "d@w>e@v", "f@u>.example", "root>"}, "b@y c@z d@w e@v f@u root", ""},
		{"quoted pairs outside of quotes", []string{`b@y\.example, c\@z, d@\w`}, "b@y b@y.example @z c@z d@w", ""},
		{"quoted domain", []string{`b@"y.example"`, `b@(c) "z.example"`}, "b@y.example b@z.example", ""},
		{"nothing", nil, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := HeaderFrom(tc.in)
			if authors := strings.Join(keys(slices.Collect(got.Authors())), " "); authors != tc.authors {
				t.Errorf("HeaderFrom(%q).Authors() = %q, want %q", tc.in, authors, tc.authors)
			}
			if shown := strings.Join(keys(slices.Collect(got.Display())), " "); shown != tc.shown {
				t.Errorf("HeaderFrom(%q).Display() = %q, want %q", tc.in, shown, tc.shown)
			}
		})
	}
}

// Long fields are read whole, and say the same as short ones.
func TestHeaderFromLong(t *testing.T) {
	front := strings.Repeat("a@x,", usualFrom)
	for _, tc := range []struct {
		name           string
		in             []string
		authors, shown string
	}{
		{"behind many addresses", []string{front + "b@y"}, "a@x b@y", ""},
		{"behind fields of 60 KB", slices.Concat(slices.Repeat([]string{strings.Repeat("x ", 30<<10)}, 3), []string{"b@y"}), "b@y", ""},
		{"behind many fields", append(slices.Repeat([]string{"a@x"}, usualFrom), "b@y"), "a@x b@y", ""},
		{"behind white space", []string{strings.Repeat(" ", 1<<20) + "b@y"}, "b@y", ""},
		{"shown", []string{front + `"b@y" <c@z>`}, "a@x c@z", "b@y"},
		{"shown, and no author", []string{strings.Repeat("(x)", usualFrom) + `"b@y" root`}, "root b@y", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := HeaderFrom(tc.in)
			if got.known {
				t.Fatal("not long")
			}
			if authors := strings.Join(keys(distinct(got.Authors(), 1<<20)), " "); authors != tc.authors {
				t.Errorf("authors %q, want %q", authors, tc.authors)
			}
			if shown := strings.Join(keys(distinct(got.Display(), 1<<20)), " "); shown != tc.shown {
				t.Errorf("shown %q, want %q", shown, tc.shown)
			}
		})
	}
}

func TestFromFirst(t *testing.T) {
	var many []string
	for i := range 300 {
		many = append(many, strconv.Itoa(i)+"@x")
	}
	list := func(n int) string { return strings.Join(many[:n], ",") }
	long := strings.Repeat("0@x,", usualFrom)
	for _, tc := range []struct {
		name    string
		in      string
		display bool
		want    int
		more    bool
	}{
		{"none", "", false, 0, false},
		{"as many", list(200), false, 200, false},
		{"one more", list(201), false, 200, true},
		{"one more, behind others", long + list(201), false, 200, true},
		{"as many, behind others", long + list(200), false, 200, false},
		{"one more is shown", `"b@y" ` + "<a@y>," + list(199), true, 200, true},
		{"as many with those that are shown", `"b@y" ` + "<a@y>," + list(198), true, 200, false},
		{"not asked for those that are shown", `"b@y" ` + "<a@y>," + list(199), false, 200, false},
		{"shown and long", long + `"b@y" ` + "<a@y>," + list(199), true, 200, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, more := HeaderFrom([]string{tc.in}).First(200, tc.display)
			if len(got) != tc.want || more != tc.more {
				t.Errorf("%d, more %v, want %d, %v", len(got), more, tc.want, tc.more)
			}
		})
	}
}

// What looks like the plain address is one, in whatever width and style, and in whatever code.
func TestHeaderFromAsShown(t *testing.T) {
	for _, tc := range []struct{ name, in string }{
		{"full-width letters", "ｂａｄ@example.net"},
		{"full-width at", "bad＠example.net"},
		{"small at", "bad﹫example.net"},
		{"full-width domain", "bad@ｅｘａｍｐｌｅ．ｎｅｔ"},
		{"all of it", "ＢＡＤ＠ＥＸＡＭＰＬＥ．ＮＥＴ"},
		{"ideographic dots", "bad@example。net"},
		{"half-width dot", "bad＠example｡net"},
		{"brackets", "Bad ＜bad@example.net＞"},
		{"brackets and at", "Bad ＜bad＠example.net＞"},
		{"comma", "Bad，bad@example.net，x"},
		{"quotes", "＂Bad＂ <ｂad@example.net>"},
		{"mathematical letters", "𝐛𝐚𝐝@𝓮𝓍𝒶𝓂𝓅𝓁𝑒.net"},
		{"circled letters", "ⓑⓐⓓ@example.net"},
		{"spaces", "Bad　ｂａｄ　＠　example.net"},
		{"variation selector", "b\ufe0fad@example.net"},
		{"grapheme joiner", "ba\u034fd@example.net"},
		{"Hangul filler", "bad\u3164@example.net"},
		{"zero width and full width", "ｂ\u200bad＠example.net"},
		{"encoded, base64", "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte("ｂａｄ＠example．net")) + "?="},
		{"encoded, quoted", "=?utf-8?Q?b=EF=BD=81d=EF=BC=A0example.net?="},
		{"encoded in brackets", "<=?utf-8?Q?bad=EF=BC=A0?=example.net>"},
		{"encoded in a Japanese charset", "=?shift_jis?B?goKCgYKEgZeChYKYgoGCjYKQgoyChYFEgo6ChYKU?="},
		{"A-label of full-width letters", "bad@" + punycode(t, "ｅｘａｍｐｌｅ") + ".net"},
		{"A-label in capitals, encoded", "=?us-ascii?Q?bad=40" + strings.ToUpper(punycode(t, "ｅxample")) + ".net?="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := keys(slices.Collect(HeaderFrom([]string{tc.in}).Authors())); !slices.Contains(got, "bad@example.net") {
				t.Errorf("%q: %q", tc.in, got)
			}
		})
	}
	for _, tc := range []struct{ name, in, want string }{
		{"the raw reading counts, too", "ｂａｄ@example.net", "ｂａｄ@example.net bad@example.net"},
		{"accents stay", "andré@bücher.example", "andré@xn--bcher-kva.example"},
		{"an A-label as it should be", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"},
		{"an A-label that is none", "x@xn--.example, x@xn--a-.example", "x@xn--.example x@xn--a-.example"},
		{"another script is no other width", "ваd@example.net", "ваd@example.net"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := strings.Join(keys(slices.Collect(HeaderFrom([]string{tc.in}).Authors())), " "); got != tc.want {
				t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func punycode(t *testing.T, label string) string {
	t.Helper()
	ascii, err := idna.Punycode.ToASCII(label)
	if err != nil {
		t.Fatal(err)
	}
	return ascii
}

func FuzzHeaderFrom(f *testing.F) {
	for _, s := range []string{
		`"a@x" <b@y>, g: c@z;`, "<@a,@b:c@d>", `"unclosed <b@y>`, "(a(b)c", "=?utf-8?Q?b=40y?=", "a@[IPv6:::1]", "b @ y . z", `"\"\"\"@x`, "\xff@\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		from := HeaderFrom([]string{s})
		long := From{values: []string{s}}
		for name, both := range map[string][2]iter.Seq[Address]{"authors": {from.Authors(), long.Authors()}, "display": {from.Display(), long.Display()}} {
			list := distinct(both[0], 1<<20)
			for _, a := range list {
				if a.Local == "" && a.Domain == "" {
					t.Fatalf("%q: empty address from %q", s, a.Original)
				}
			}
			if again := distinct(both[1], 1<<20); name == "authors" && !slices.Equal(keys(list), keys(again)) {
				t.Fatalf("%q: %q, and as a long field %q", s, keys(list), keys(again))
			}
		}
	})
}

// The worst inputs known, at the limit of size: each must cost about the same as the first.
func BenchmarkHeaderFromWorst(b *testing.B) {
	for _, piece := range []string{"a@x,", `"`, `"\"`, `\"`, "<", `<">`, "(", "()", "[", "=?utf-8?Q?", "a@", "@", " . ", `""@`, "::", "a@[", "aé@x ", "ａ＠x,", "x@xn--a-ecp,", `""`, `"a"(`, "a@b. ", "b. ", "\\@b. ", "=?iso-2022-jp?B?", "ﷺ@", "\xff@a"} {
		b.Run(piece, func(b *testing.B) {
			value := "a@" + strings.Repeat(piece, (1<<20)/len(piece))
			b.SetBytes(int64(len(value)))
			for b.Loop() {
				from := HeaderFrom([]string{value})
				for range from.Authors() {
				}
				for range from.Display() {
				}
			}
		})
	}
}
