package xml

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// shape writes a document as its tokens: <{namespace}name attribute=value> and </name>.
func shape(r *Reader) string {
	var b strings.Builder
	for t := r.Next(); t != nil; t = r.Next() {
		switch t.Kind {
		case Text:
			b.Write(t.Text)
		case Start:
			b.WriteString("<")
			if t.Space != "" {
				b.WriteString("{" + t.Space + "}")
			}
			b.WriteString(t.Local)
			for _, a := range t.Attrs {
				fmt.Fprintf(&b, " %s=%s", a.Local, a.Value)
			}
			b.WriteString(">")
		case End:
			b.WriteString("</" + t.Local + ">")
		}
	}
	return b.String()
}

func TestReader(t *testing.T) {
	for _, c := range []struct{ name, in, out string }{
		{"nothing", "", ""},
		{"elements", `<a><b c="d" e = 'f'/>g</a>`, `<a><b c=d e=f></b>g</a>`},
		{"names in upper case", `<w:delText xml:Space="a">x</w:delText>`, `<delText Space=a>x</delText>`},
		{"namespaces", `<a xmlns="u" xmlns:p="v"><p:b xmlns:p="w"><p:c/></p:b><p:d/></a><e/>`, `<{u}a xmlns=u p=v><{w}b p=w><{w}c></c></b><{v}d></d></a><e></e>`},
		{"declared in the same tag", `<p:a p:b="c" xmlns:p="u"/>`, `<{u}a b=c p=u></a>`},
		{"references", `a&lt;b&#62;&#x26;&nbsp;&amp;lt; & &;&quot`, "a<b>&\u00a0&lt; & &;&quot"},
		{"references in attributes", `<a b="x&quot;&#62;"/>`, `<a b=x">></a>`},
		{"sections", `a<![CDATA[<b>]]]]>c<![CDATA[]]>d`, `a<b>]]cd`},
		{"what is no text", "<?a b > c?>d<!-- > - -- <x> -->e<!DOCTYPE a>f", "def"},
		{"larger than in quotes", `<a b=">" c='"'>x</a>`, `<a b=> c=">x</a>`},
		{"no tags", "1 < 2 <3 <> a<b and <c>d</c>", "1 < 2 <3 <> a<b and <c>d</c>"},
		{"attributes without quotes", `<a b=c d e=f g/>`, `<a b=c d= e=f g=></a>`},
		{"faulty attributes", `<a ="x" "y" 'z b="c">`, "<a =" + `"x" "y" 'z b="c">`},
		{"ends that do not fit", `</a><b></c></d>e`, `</a><b></c></d>e`},
		{"cut in a tag", `a<b c="d`, `a<b c="d`},
		{"cut in a section", `a<![CDATA[b]]`, `ab]]`},
		{"cut in a comment", `a<!--b`, `a`},
		{"entities", `<!DOCTYPE a [<!ENTITY b "secret"><!ENTITY c 'x&b;y'> <!-- don't --> <!ENTITY % d "e">]>&b; &c; &d;`, `secret xsecrety &d;`},
		{"entities with tags", `<!DOCTYPE a [<!ENTITY b "<c>d</c>"><!ENTITY e "&#60;f/>"><!ENTITY g "&lt;h">]>&b;&e;&g;`, `<c>d</c><f></f><h`},
		{"the first of two entities", `<!DOCTYPE a [<!ENTITY b "1"><!ENTITY b "2">]>&b;<c d="&b;&lt;"/>`, `1<c d=1<></c>`},
		{"entities from elsewhere", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>&b;`, `&b;`},
		{"an entity of HTML by another name", `<!DOCTYPE a [<!ENTITY nbsp "-">]>&nbsp;`, `-`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"at once": strings.NewReader(c.in), "octet by octet": iotest.OneByteReader(strings.NewReader(c.in)),
				"with its end": iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				if got := shape(New(r)); got != c.out {
					t.Errorf("%s: %q, want %q", name, got, c.out)
				}
			}
		})
	}
}

// TestBounds: what is beyond a bound is text or is left out, told in either case.
func TestBounds(t *testing.T) {
	long := strings.Repeat("x", maxMarkup)
	const laughs = `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">` +
		`<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]>`
	declared := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "<!ENTITY e%d 'x'>", i)
		}
		return "<!DOCTYPE a [" + b.String() + "]>&e0;"
	}
	for _, c := range []struct {
		name, in     string
		cut, swollen bool
		most         int
	}{
		{"a tag of the most", `<a b="` + long[:maxMarkup-9] + `"/>y`, false, false, maxMarkup + 2},
		{"a longer tag", `<a b="` + long[:maxMarkup-8] + `"/>y`, true, false, maxMarkup + 2},
		{"a long text", long + long, false, false, 2 * maxMarkup},
		{"a long comment", "<!--" + long + "-->", false, false, 0},
		{"a comment without its end", "<!--" + long, true, false, 0},
		{"the most entities", declared(maxEntities), false, false, 1},
		{"more entities", declared(maxEntities + 1), true, false, 1},
		{"a million laughs", laughs + strings.Repeat("&d;", 3), false, false, 40_000},
		{"a billion laughs", laughs + strings.Repeat("&e;", 1000), false, true, 2 << 20},
		{"an entity of itself", `<!DOCTYPE a [<!ENTITY a "&b;"><!ENTITY b "&a;">]>&a;`, false, true, 20},
		{"an entity of itself in an attribute", `<!DOCTYPE a [<!ENTITY a "&b;"><!ENTITY b "&a;">]><x y="&a;"/>`, false, true, 40},
		{"many namespaces", "<a" + strings.Repeat(` xmlns:b="c"`, maxScopes+1) + ">", true, false, maxScopes * 20},
		{"tags that never end", strings.Repeat("<a", 1<<20), false, false, 2 << 20},
		{"tags in quotes that never end", `<a "` + strings.Repeat("<a ", 1<<18), true, false, 2 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(strings.NewReader(c.in))
			got := shape(r)
			if r.Cut() != c.cut || r.Swollen() != c.swollen || len(got) > c.most {
				t.Errorf("cut %v, swollen %v, %d octets: %.80q", r.Cut(), r.Swollen(), len(got), got)
			}
		})
	}
}

func TestEncoding(t *testing.T) {
	for _, c := range []struct {
		head, encoding string
		looks          bool
	}{
		{"", "", false},
		{"<?xml version='1.0' encoding='Windows-1251' ?>", "windows-1251", true},
		{" \n<?xml version=\"1.0\" encoding = \"ISO-8859-1\"?>", "iso-8859-1", true},
		{"<?xml version='1.0'?><a encoding='x'>", "", true},
		{"\ufeff<?xml version='1.0' encoding='x'?>", "utf-8", true},
		{"<\x00?\x00x\x00m\x00l\x00", "utf-16le", true},
		{"\x00<\x00?\x00x\x00m\x00l", "utf-16be", true},
		{"\xff\xfe<\x00a\x00 \x00x\x00m\x00l\x00n\x00s\x00", "utf-16le", true},
		{"\x4c\x6f\xa7\x94\x93\x40\x85\x95\x83\x96\x84\x89\x95\x87\x7e\x7d\x89\x82\x94\x81\xf7\x7d\x6f\x6e", "", true},
		{"<a xmlns='u'>", "", true},
		{"<!-- > --><!DOCTYPE a><p:a b='c' xmlns:p='u'>", "", true},
		{"<html xmlns='http://www.w3.org/1999/xhtml'>", "", false},
		{"<a>xmlns", "", false},
		{"see xmlns", "", false},
		{"< xmlns", "", false},
	} {
		if e := Encoding([]byte(c.head)); e != c.encoding && c.head[0] != '\x4c' || Looks([]byte(c.head)) != c.looks {
			t.Errorf("%q: %q, looks %v", c.head, e, Looks([]byte(c.head)))
		}
	}
}

// FuzzReader reads any document at once and octet by octet: the same comes out.
func FuzzReader(f *testing.F) {
	f.Add(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "<c>">]><a xmlns:p='u' d="&b;"><p:e/>&b;&#65;<![CDATA[x]]></a>`)
	f.Add(`<!DOCTYPE a [<!ENTITY a "&b;"><!ENTITY b "&a;&#x">]>&a;<`)
	f.Fuzz(func(t *testing.T, text string) {
		a, b := New(strings.NewReader(text)), New(iotest.OneByteReader(strings.NewReader(text)))
		if x, y := shape(a), shape(b); x != y || a.Cut() != b.Cut() || a.Swollen() != b.Swollen() {
			t.Errorf("%q and %q", x, y)
		}
	})
}
