package content

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mailweir/internal/encodedword"
)

const fuzzDefinition = "!activation 1\n!scan subject body html headers attachments filenames\n1 secret offer\n1 a\n1 regex s.{0,9}t\n1 regex [0-9]+x\n"

// FuzzExamine sends any message at once and in pieces: the result must be the same, and nothing may
// stay behind.
func FuzzExamine(f *testing.F) {
	for _, trick := range hidingTricks {
		if len(trick.hidden) < 1000 {
			f.Add(trick.hidden, uint8(1))
			f.Add(trick.innocent, uint8(5))
		}
	}
	for seed := range uint64(30) {
		f.Add(generateMessage(seed), uint8(seed))
	}
	f.Add("Subject: x\n\nbegin 644 a.txt\n,<V5C<F5T(&]F9F5R\n`\nend\nbye", uint8(3))
	f.Add("Content-Type: multipart; boundary=a\n\n--a\nContent-Type: multipart; boundary=0\n--a\n\x00", uint8(0))
	for mediaType, text := range map[string]string{
		"text/calendar": "DESCRIPTION;ALTREP=\"data:text/html,<b>a\":x\\n<i>sec</i>ret\n  offer", "text/enriched": "<bold>sec<<x<param>y</param>",
		"text/vcard": "VERSION:2.1\nNOTE;QUOTED-PRINTABLE;CHARSET=utf-7:a=\n=20b\nX;ENCODING=b:YQ==", "text/xml": "<?xml encoding='utf-16'?><!DOCTYPE a [<!ENTITY b '<c>'>]><p>&b;</p>",
	} {
		f.Add(mimePart("Content-Type: "+mediaType, text), uint8(2))
	}
	e := mustExaminer(f, Options{Limits: Limits{Depth: 5, Parts: 50, Header: 200, Expanded: 1 << 20}}, fuzzDefinition)
	f.Fuzz(func(t *testing.T, msg string, cut uint8) {
		whole := examine(t, e, msg, 1<<20)
		pieces := examine(t, e, msg, int(cut)+1)
		// Readings go on side by side, piece by piece: which is the first at a file depends on the
		// cut.
		for _, r := range []*Result{whole, pieces} {
			slices.SortFunc(r.Parts, func(a, b Part) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		if !reflect.DeepEqual(whole, pieces) {
			t.Errorf("at once %+v\nin pieces of %d %+v", whole, int(cut)+1, pieces)
		}
	})
}

// FuzzFile sends any file as attachment.
func FuzzFile(f *testing.F) {
	for _, seed := range [][]byte{
		zipWith(zipped{data: []byte("secret offer"), local: zipSays{name: "a.txt", size: 9, extra: unicodePath("i.exe", "a.txt")}}),
		zipOf(f, "a.txt", "secret offer", "word/document.xml", "<w:p><w:t>secret offer"), storedZip(f, "a", "secret offer"),
		gzipOf(tarOf("a", "secret offer")), tarOf("a", "secret offer"), rarOf("a.txt", "secret offer"), rar5Of("a.txt", "secret offer"), bzipped,
		[]byte(`{\rtf1{\*\x y}\uc2 secret\u111?? \'6fffer\bin3 abc}`), []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + string(oleMacros)),
		[]byte("junk\n\nMIME-Version: 1.0\nContent-Type: text/xml\n\n<p/>"),
		zipOf(f, "[Content_Types].xml", "<Types/>", "a/b.xml", `<x:p xmlns:x="`+wordSpace+`"><x:r><x:rPr><x:vanish/></x:rPr><x:t>a</x:t><x:sym x:char="F061"/></x:r><x:del>b</x:del></x:p>`),
		zipOf(f, "xl/sharedStrings.xml", `<si xmlns="`+sheetSpace+`"><t>se_x0063_ret_xD83D__xDE00_ of</t><rPh><t>x</t></rPh></si>`),
		zipOf(f, "mimetype", "x", "content.xml", `<t:p xmlns:t="`+oasisSpace+`">a<t:s/><t:note>b</t:note></t:p>`),
		[]byte("<svg xmlns='http://www.w3.org/2000/svg'><text>a<tspan x='1' style='opacity:0'>b</tspan></text></svg>"),
		[]byte("<html><style>.a{display:none}</style><p class=a>x<div>secret"), []byte("<?xml version='1.0'?><a><![CDATA[secret]]> offer"),
	} {
		f.Add("a.bin", seed)
	}
	e := mustExaminer(f, Options{Limits: Limits{Depth: 5, Parts: 50, Expanded: 1 << 20}}, fuzzDefinition)
	f.Fuzz(func(t *testing.T, name string, octets []byte) {
		if strings.ContainsAny(name, "\r\n") {
			t.Skip()
		}
		for _, p := range examine(t, e, attach(name, "application/octet-stream", octets), 4096).Parts {
			if len(p.Name) > 255 || p.Size < 0 {
				t.Errorf("part %+v", p)
			}
		}
	})
}

// FuzzCloserLook reads a file at once and in pieces: what is found in it must be the same.
func FuzzCloserLook(f *testing.F) {
	f.Add([]byte(boundSheet(1, "Macro1")+"\x09\x08\x10\x00\x00\x06\x05\x00"), uint8(7))
	f.Add([]byte("<x>qwn0 axzltwl&#x74;"+"conectix"), uint8(1))
	f.Add([]byte("<a>"+strings.Repeat("x", 60)+"vnd.ms-excel. intlMacroSheet"), uint8(1))
	f.Add([]byte("\nMain-Class: a&amp;b &#; &#x;"), uint8(3))
	f.Fuzz(func(t *testing.T, octets []byte, cut uint8) {
		if len(octets) > 64<<10 {
			t.Skip()
		}
		pieces := func() io.Reader { return &shortReader{octets, int(cut) + 1} }
		var at, by found
		at.ole(strings.NewReader(string(octets)))
		by.ole(pieces())
		if at != by {
			t.Errorf("storage: at once %+v, in pieces %+v", at, by)
		}
		for _, make := range []func() *closerLook{
			func() *closerLook { return newCloserLook(kind{real: "text/xml"}) },
			func() *closerLook { return &closerLook{macros: memberSearch("META-INF/MANIFEST.MF")} },
		} {
			whole, parts := make(), make()
			whole.take(octets)
			for r, b := pieces(), [300]byte{}; ; {
				n, err := r.Read(b[:])
				parts.take(b[:n])
				if err != nil {
					break
				}
			}
			if whole.marks != parts.marks || whole.macros.found != parts.macros.found {
				t.Errorf("marks %q and %q, macros %v and %v", whole.marks.Real(), parts.marks.Real(), whole.macros.found, parts.macros.found)
			}
		}
	})
}

// shortReader gives its octets in pieces.
type shortReader struct {
	octets []byte
	size   int
}

func (r *shortReader) Read(p []byte) (int, error) {
	n := copy(p, r.octets[:min(r.size, len(r.octets))])
	r.octets = r.octets[n:]
	if len(r.octets) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// FuzzHeader reads any field as parameters and as encoded-words.
func FuzzHeader(f *testing.F) {
	f.Add(`text/plain; charset="utf-8"; name*0*=utf-8''a%20b; name*1=c (x \) y); boundary="a;b\"c"`)
	f.Add("=?utf-8?q?a_=C3=A4?= =?iso-8859-1*en?B?5A==?= x =?x")
	f.Fuzz(func(t *testing.T, value string) {
		var h partHeader
		for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} {
			h.set(name, value)
		}
		if n := len(h.readings()); n == 0 || n > maxReadings || len(h.filenames()) > maxNames || !utf8.ValidString(encodedword.Decode(value)) {
			t.Errorf("%d readings, %d names, %q", n, len(h.filenames()), encodedword.Decode(value))
		}
		for _, name := range h.filenames() {
			if name == "" || !utf8.ValidString(name) {
				t.Errorf("name %q", name)
			}
		}
	})
}
