package content

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	wordSpace   = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
	strictSpace = "http://purl.oclc.org/ooxml/wordprocessingml/main"
	sheetSpace  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	oasisSpace  = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
)

func utf16le(text string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(c))
		b.WriteByte(byte(c >> 8))
	}
	return b.String()
}

// TestDocuments hides the words "secret offer" in documents, and beside each in a twin that does
// not show them.
func TestDocuments(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	const octets = "application/octet-stream"
	types := []string{"[Content_Types].xml", "<Types/>"}
	packed := func(members ...string) string {
		return attach("a.docx", octets, zipOf(t, append(types, members...)...))
	}
	word := func(body string) string {
		return packed("word/document.xml", `<?xml version="1.0"?><w:document xmlns:w="`+wordSpace+`"><w:body><w:p>`+body+`</w:p></w:body></w:document>`)
	}
	under := func(prefix, space, body string) string {
		if prefix != "" {
			space = ":" + prefix + `="` + space
			body = strings.ReplaceAll(strings.ReplaceAll(body, "</", "</"+prefix+":"), "<", "<"+prefix+":")
			body = strings.ReplaceAll(body, "<"+prefix+":/", "</")
			return packed("word/document.xml", "<"+prefix+":document xmlns"+space+`">`+body+"</"+prefix+":document>")
		}
		return packed("word/document.xml", `<document xmlns="`+space+`">`+body+"</document>")
	}
	run := func(text string) string { return "<w:r><w:t>" + text + "</w:t></w:r>" }
	split := "<p><r><t>sec</t></r><proofErr/><r><t>ret offer</t></r></p>"
	apart := "<p><r><t>sec</t></r></p><p><r><t>ret offer</t></r></p>"
	sheet := func(strings string) string {
		return packed("xl/sharedStrings.xml", `<x:sst xmlns:x="`+sheetSpace+`"><x:si>`+strings+`</x:si></x:sst>`)
	}
	odt := func(head, body string) string {
		return attach("a.odt", octets, zipOf(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml",
			`<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:s="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:d="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:t="`+oasisSpace+`">`+
				head+"<o:body><o:text>"+body+"</o:text></o:body></o:document-content>"))
	}
	hiddenSpan := `<o:automatic-styles><s:style s:name="T1"><s:text-properties t:display="none"/></s:style></o:automatic-styles>`
	picture := func(body string) string {
		return attach("a.svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg">`+body+`</svg>`))
	}
	styled := func(before, run, behind string) string {
		return `<w:document xmlns:w="` + wordSpace + `"><w:p>` + "<w:r><w:t>" + before + "</w:t></w:r><w:r><w:rPr><w:rStyle w:val='H'/></w:rPr><w:t>" + run + "</w:t></w:r><w:r><w:t>" + behind + "</w:t></w:r></w:p></w:document>"
	}
	hiding := func(name, derived string) string {
		return `<w:styles xmlns:w="` + wordSpace + `"><w:style w:styleId="` + derived + `"><w:basedOn w:val="I"/></w:style><w:style w:styleId="` + name + `"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`
	}
	const oasisHiding = `<s:style s:name="H" xmlns:s="urn:oasis:names:tc:opendocument:xmlns:style:1.0"><s:text-properties s:display="none"/></s:style>`
	rich := func(text string) string { return attach("a.rtf", octets, []byte(`{\rtf1\ansi `+text+`}`)) }
	file := func(text string) string { return attach("a.xml", "application/xml", []byte(text)) }
	xmlPart := func(mediaType, text string) string {
		return mimePart("Content-Type: "+mediaType+"\nContent-Transfer-Encoding: base64", b64(text))
	}
	for _, c := range []struct{ name, hidden, innocent string }{
		{"free prefix", under("x", wordSpace, split), under("x", wordSpace, apart)},
		{"no prefix", under("", wordSpace, split), under("", wordSpace, apart)},
		{"strict namespace", under("q", strictSpace, split), under("q", strictSpace, apart)},
		{"prefix of another", under("text", wordSpace, split), under("text", wordSpace, apart)},
		{"unknown namespace", under("w", "u", split), under("w", "u", apart)},
		{"ignored element with the name of a break", word("<w:r><w:t>sec</w:t><x:br xmlns:x='u'/><w:t>ret offer</w:t></w:r>"), word("<w:r><w:t>sec</w:t><w:br/><w:t>ret offer</w:t></w:r>")},
		{"inserted, in a link", word(`<w:ins>` + run("sec") + `</w:ins><w:hyperlink>` + run("ret") + `</w:hyperlink><w:bookmarkStart/>` + run(" offer")), word(run("sec") + "<w:r><w:tab/></w:r>" + run("ret offer"))},
		{"written for people", word("\n <w:r>\n  <w:t>sec</w:t>\n </w:r>\n <w:r>\n  <w:t>ret</w:t>\n <w:t> </w:t><w:t>offer</w:t>\n </w:r>\n"), word("<w:r><w:t>sec</w:t><w:t xml:space='preserve'>\n</w:t><w:t>ret offer</w:t></w:r>")},
		{"deleted text in a word", word(run("sec") + "<w:del><w:r><w:delText>xyz</w:delText></w:r></w:del>" + run("ret offer")), word(run("secret") + "<w:del><w:r><w:delText> or </w:delText></w:r></w:del>" + run("offer"))},
		{"deleted text itself", word("<w:r><w:delText>secret offer</w:delText></w:r>"), word("<w:r><w:delText>secret</w:delText></w:r>" + run("offer") + "<w:r><w:delText>.</w:delText></w:r>")},
		{"moved text in a word", word(run("sec") + "<w:moveFrom>" + run("xyz") + "</w:moveFrom>" + run("ret offer")), word(run("sec") + "<w:moveTo>" + run("xyz") + "</w:moveTo>" + run("ret offer"))},
		{"hidden run in a word", word(run("sec") + "<w:r><w:rPr><w:vanish/></w:rPr><w:t>xyz</w:t><w:br/></w:r>" + run("ret offer")), word(run("sec") + "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>xyz</w:t></w:r>" + run("ret offer"))},
		{"hidden run itself", word("<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret offer</w:t></w:r>"), word("<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>" + run(".offer"))},
		{"tiny run in a word", word(run("sec") + "<w:r><w:rPr><w:sz w:val='2'/></w:rPr><w:t>xyz</w:t></w:r>" + run("ret offer")), word(run("sec") + "<w:r><w:rPr><w:sz w:val='20'/></w:rPr><w:t>xyz</w:t></w:r>" + run("ret offer"))},
		{"hidden by a style declared behind", packed("word/document.xml", styled("sec", "xyz", "ret offer"), "word/styles.xml", hiding("H", "")), packed("word/document.xml", styled("sec", "xyz", "ret offer"), "word/styles.xml", hiding("I", ""))},
		{"hidden by a style declared before", packed("word/styles.xml", hiding("H", ""), "word/document.xml", styled("sec", "xyz", "ret offer")), packed("word/styles.xml", hiding("I", ""), "word/document.xml", styled("sec", "xyz", "ret offer"))},
		{"hidden by a style based on another", packed("word/document.xml", styled("sec", "xyz", "ret offer"), "word/styles.xml", hiding("I", "H")), packed("word/document.xml", styled("sec", "xyz", "ret offer"), "word/styles.xml", hiding("I", "J"))},
		{"a style that hides nothing", packed("word/document.xml", styled("sec", "ret", " offer"), "word/styles.xml", hiding("H", "")), packed("word/document.xml", styled("secret", " big ", "offer"), "word/styles.xml", hiding("I", ""))},
		{"OpenDocument hidden by a style declared behind", attach("a.odt", octets, zipOf(t, "content.xml", "<t:p xmlns:t='"+oasisSpace+"'>sec<t:span t:style-name='H'>xyz</t:span>ret offer</t:p>", "styles.xml", oasisHiding)), attach("a.odt", octets, zipOf(t, "content.xml", "<t:p xmlns:t='"+oasisSpace+"'>sec<t:span t:style-name='I'>xyz</t:span>ret offer</t:p>", "styles.xml", oasisHiding))},
		{"blanks that Word drops", word("<w:r><w:t> sec </w:t></w:r><w:r><w:t>\n ret</w:t></w:r><w:r><w:t xml:space='preserve'> </w:t></w:r><w:r><w:t>offer</w:t></w:r>"), word("<w:r><w:t xml:space='preserve'>sec </w:t></w:r><w:r><w:t>ret offer</w:t></w:r>")},
		{"blanks that others show", word("<w:r><w:t>secret </w:t></w:r><w:r><w:t>offer</w:t></w:r>"), word("<w:r><w:t>secret</w:t></w:r><w:r><w:t>offer</w:t></w:r>")},
		{"hidden mark of a paragraph", word("<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>" + run("sec") + "</w:p><w:p>" + run("ret offer")), word("<w:pPr><w:rPr><w:b/></w:rPr></w:pPr>" + run("sec") + "</w:p><w:p>" + run("ret offer"))},
		{"deleted mark of a paragraph", word("<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>" + run("sec") + "</w:p><w:bookmarkEnd/><w:p>" + run("ret offer")), word("<w:pPr><w:rPr><w:ins/></w:rPr></w:pPr>" + run("sec") + "</w:p><w:p>" + run("ret offer"))},
		{"field in a word", word(run("sec") + "<w:r><w:fldChar/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r>" + run("ret offer")), word(run("sec") + "<w:r><w:instrText>x</w:instrText><w:cr/></w:r>" + run("ret offer"))},
		{"instruction of a field", word("<w:r><w:instrText>QUOTE secret offer</w:instrText></w:r>"), word("<w:r><w:instrText>QUOTE secret, offer</w:instrText></w:r>")},
		{"instruction of a simple field", word(`<w:fldSimple w:instr="QUOTE secret offer"/>`), word(`<w:fldSimple w:other="QUOTE secret offer"/>`)},
		{"text box in a word", word(run("sec") + "<w:r><w:pict><w:txbxContent><w:p>" + run("x y") + "</w:p></w:txbxContent></w:pict></w:r>" + run("ret offer")), word(run("secret") + "<w:r><w:pict><w:txbxContent><w:p>" + run("offer") + "</w:p></w:txbxContent></w:pict></w:r>" + run("."))},
		{"text box itself", word(run("x") + "<w:r><w:txbxContent><w:p>" + run("sec") + run("ret") + "</w:p><w:p>" + run("offer") + "</w:p></w:txbxContent></w:r>" + run("y")), word("<w:r><w:txbxContent><w:p>" + run("sec") + "</w:p><w:p>" + run("ret offer") + "</w:p></w:txbxContent></w:r>")},
		{"signs", word("<w:r><w:t>se</w:t><w:sym w:char='0063'/><w:sym w:char='F072'/><w:softHyphen/><w:t>et offer</w:t></w:r>"), word("<w:r><w:t>sec</w:t><w:noBreakHyphen/><w:t>ret offer</w:t></w:r>")},
		{"picture with a description", word("<w:r><w:drawing><w:docPr descr='secret offer'/></w:drawing></w:r>"), word("<w:r><w:drawing><w:docPr name='secret offer'/></w:drawing></w:r>")},
		{"any folder", packed("foo/bar.xml", `<x:document xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:document>`), packed("foo/bar.xml", `<x:document xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t></x:p><x:p><x:t>ret offer</x:t></x:p></x:document>`)},
		{"any name", packed("foo/bar.bin", `<x:document xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:document>`), packed("foo/bar.bin", `<x:document xmlns:x="u"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:document>`)},
		{"before the types", attach("a.docx", octets, zipOf(t, append([]string{"bar.xml", `<x:document xmlns:x="` + wordSpace + `"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:document>`}, types...)...)), attach("a.docx", octets, zipOf(t, append([]string{"bar.xml", `<x:document xmlns:x="u"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:document>`}, types...)...))},
		{"in UTF-16", packed("foo/bar.xml", "\xff\xfe"+utf16le(`<x:document xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:document>`)), packed("foo/bar.xml", "\xff\xfe"+utf16le(`<x:document xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t><x:br/><x:t>ret offer</x:t></x:p></x:document>`))},
		{"in UTF-16 without its mark", packed("word/document.xml", utf16le(`<w:p><w:t>sec</w:t><w:t>ret offer</w:t></w:p>`)), packed("word/document.xml", utf16le(`<w:p><w:t>sec</w:t></w:p><w:p><w:t>ret offer</w:t></w:p>`))},
		{"header", packed("word/header1.xml", `<x:hdr xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t><x:t>ret offer</x:t></x:p></x:hdr>`), packed("word/header1.xml", `<x:hdr xmlns:x="`+wordSpace+`"><x:p><x:t>sec</x:t></x:p><x:p><x:t>ret offer</x:t></x:p></x:hdr>`)},

		{"spreadsheet", sheet("<x:r><x:t>sec</x:t></x:r><x:r><x:rPr><x:b/></x:rPr><x:t>ret offer</x:t></x:r>"), sheet("<x:t>sec</x:t></x:si><x:si><x:t>ret offer</x:t>")},
		{"pronunciation in a word", sheet("<x:r><x:t>sec</x:t></x:r><x:rPh><x:t>xyz</x:t></x:rPh><x:r><x:t>ret offer</x:t></x:r>"), sheet("<x:r><x:t>secret</x:t></x:r><x:rPh><x:t> </x:t></x:rPh><x:r><x:t>offer</x:t></x:r>")},
		{"escapes", sheet("<x:t>se_x0063_ret_x0020_offer _</x:t>"), sheet("<x:t>se_x005F_x0063_ret offer</x:t>")},
		{"escapes cut", sheet("<x:t>secret off_x00</x:t><x:t>er</x:t></x:si><x:si><x:t>_x0073_ecret offer</x:t>"), sheet("<x:t>se_x00</x:t><x:t>63_ret offer</x:t>")},
		{"no escapes in text", word(run("secret offer _x0041_")), word(run("se_x0063_ret offer"))},
		{"string in its cell", packed("xl/worksheets/sheet1.xml", `<worksheet xmlns="`+sheetSpace+`"><c t="inlineStr"><is><r><t>sec</t></r><r><t>ret offer</t></r></is></c></worksheet>`), packed("xl/worksheets/sheet1.xml", `<worksheet xmlns="`+sheetSpace+`"><c><is><t>sec</t></is></c><c><is><t>ret offer</t></is></c></worksheet>`)},
		{"comment", packed("xl/comments1.xml", `<comments xmlns="`+sheetSpace+`"><comment><text><r><t>sec</t></r><r><t>ret offer</t></r></text></comment></comments>`), packed("xl/comments1.xml", `<comments xmlns="`+sheetSpace+`"><comment><text><t>sec</t></text></comment><comment><text><t>ret offer</t></text></comment></comments>`)},
		{"name of a sheet", packed("xl/workbook.xml", `<workbook xmlns="`+sheetSpace+`"><sheets><sheet name="secret offer"/></sheets></workbook>`), packed("xl/workbook.xml", `<workbook xmlns="`+sheetSpace+`"><sheets><sheet id="secret offer"/></sheets></workbook>`)},
		{"notes of a slide", packed("ppt/notesSlides/notesSlide1.xml", `<p:notes xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:z="http://schemas.openxmlformats.org/drawingml/2006/main"><z:p><z:r><z:t>sec</z:t></z:r><z:fld><z:t>ret offer</z:t></z:fld></z:p></p:notes>`), packed("ppt/notesSlides/notesSlide1.xml", `<p:notes xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:z="http://schemas.openxmlformats.org/drawingml/2006/main"><z:p><z:t>sec</z:t><z:br/><z:t>ret offer</z:t></z:p></p:notes>`)},

		{"OpenDocument", odt("", "<t:p>sec<t:span>r<t:bookmark/>et</t:span><t:s t:c='2'/>of<t:change-start/>fer</t:p>"), odt("", "<t:p>sec<t:tab/>ret offer</t:p>")},
		{"OpenDocument lines", odt("", "<t:p>secret\n  offer</t:p>"), odt("", "<t:p>sec<t:line-break/>ret offer</t:p>")},
		{"OpenDocument hidden span", odt(hiddenSpan, "<t:p>sec<t:span t:style-name='T1'>xyz</t:span>ret offer</t:p>"), odt(hiddenSpan, "<t:p>sec<t:span t:style-name='T2'>xyz</t:span>ret offer</t:p>")},
		{"OpenDocument footnote in a word", odt("", "<t:p>sec<t:note><t:note-body><t:p>x y</t:p></t:note-body></t:note>ret offer</t:p>"), odt("", "<t:p>secret<t:note><t:p>offer</t:p></t:note>.</t:p>")},
		{"OpenDocument footnote itself", odt("", "<t:p>x<t:note><t:p>sec<t:span>ret</t:span> offer</t:p></t:note>y</t:p>"), odt("", "<t:p>x<t:note><t:p>sec</t:p><t:p>ret offer</t:p></t:note>y</t:p>")},
		{"OpenDocument deletion", odt("", "<t:tracked-changes><t:deletion><t:p>secret offer</t:p></t:deletion></t:tracked-changes><t:p>x</t:p>"), odt("", "<t:tracked-changes><t:deletion><t:p>secret</t:p></t:deletion></t:tracked-changes><t:p>offer</t:p>")},
		{"OpenDocument hidden text", odt("", "<t:p>sec<t:hidden-text t:string-value='a b'>xyz</t:hidden-text>ret offer</t:p>"), odt("", "<t:p>sec<t:conditional-text>xyz</t:conditional-text>ret offer</t:p>")},
		{"OpenDocument ruby", odt("", "<t:p>sec<t:ruby><t:ruby-base>ret</t:ruby-base><t:ruby-text>x y</t:ruby-text></t:ruby> offer</t:p>"), odt("", "<t:p>secret<t:ruby-text> offer</t:ruby-text></t:p>")},

		{"SVG", picture("<text>sec<tspan fill='red'>ret</tspan> offer</text>"), picture("<text>sec<tspan x='0' dy='1em'>ret</tspan> offer</text>")},
		{"SVG of two texts", picture("<text>secret</text><text>offer</text>"), picture("<text>sec</text><text>ret offer</text>")},
		{"SVG hidden text", picture("<text>sec<tspan display='none'>xyz</tspan><tspan style='fill:red; opacity: 0'>xyz</tspan>ret offer</text>"), picture("<text>sec<tspan display='inline'>xyz</tspan>ret offer</text>")},
		{"SVG title in a text", picture("<text>sec<title>xyz</title><desc>z</desc><style>x</style>ret offer</text>"), picture("<text>secret<title>offer</title></text>")},
		{"SVG entities", attach("a.svg", "image/svg+xml", []byte(`<!DOCTYPE svg [<!ENTITY a "sec"><!ENTITY b "&a;<tspan>ret</tspan>">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b; offer</text></svg>`)), attach("a.svg", "image/svg+xml", []byte(`<!DOCTYPE svg [<!ENTITY a "sec"><!ENTITY b "&a;<tspan x='1'>ret</tspan>">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b; offer</text></svg>`))},

		{"rtf font of its own charset", rich(`{\fonttbl{\f1\fcharset204 A;}}x \u115?ecre{\f1 t} offer`), rich(`{\fonttbl{\f1\fcharset204 A;}}secr{\f1\'e5}t offer`)},
		{"rtf hidden words", rich(`sec{\v xyz\par}ret offer`), rich(`sec{\v0 xyz}ret offer`)},
		{"rtf hidden words themselves", rich(`x{\v secret offer}y`), rich(`x{\v secret}y offer`)},
		{"rtf title", rich(`{\info{\title secret offer}}`), rich(`{\info{\title secret}{\subject .offer}}`)},
		{"rtf header", rich(`sec{\header x y\par}ret offer`), rich(`secret{\header x}.{\footer offer}`)},
		{"rtf header itself", rich(`x{\header sec{\b ret} offer\par}`), rich(`x{\header sec\par ret offer}`)},

		{"charset of its own", file("<?xml version='1.0' encoding='ibm037'?><a>x secret offer</a>"), file("<?xml version='1.0' encoding='koi8-r'?><a>secret \xcf\xc6fer</a>")},
		{"another charset of its own", file("<?xml version='1.0' encoding='koi7-x'?><a>secret offer</a>"), file("<?xml version='1.0' encoding='utf-16'?><a>secret; offer</a>")},
		{"latin by its own name", file("<?xml version='1.0' encoding='iso-8859-1'?><a>secret\xa0offer</a>"), file("<?xml version='1.0' encoding='iso-8859-5'?><a>se\xe1ret offer</a>")},
		{"wide, of no type", attach("a", octets, []byte(utf16le("<?xml version='1.0'?><a>secret offer</a>"))), attach("a", octets, []byte(utf16le("<?xml version='1.0'?><a>secret</a><b>.offer</b>")))},
		{"XML without its declaration", attach("a", octets, []byte("<d xmlns='u'>secret<b/>offer</d>")), attach("a", octets, []byte("<d xmlns='u'>sec<b/>ret offer</d>"))},
		{"XML in the message", xmlPart("text/xml", "<a>secret<b/>offer</a>"), xmlPart("text/xml", "<a>sec<b/>ret offer</a>")},
		{"XML in the message, as plain text", xmlPart("text/xml", "<a b='secret offer'/>"), xmlPart("text/xml", "<a b='secret, offer'/>")},
		{"application XML in the message", xmlPart("application/xml", "<d>secret<b/>offer</d>"), xmlPart("application/xml", "<d>sec<b/>r<b/>et offer</d>")},
		{"XML that looks like HTML", file("<a>secret<b/>offer<p>x</p></a>"), file("<a>sec<b/>.r<p/>et offer</a>")},
		{"HTML that is called XML", file("<body><p>sec<b>ret</b> offer</p></body>"), file("<body><p>sec<p>.ret offer</p></body>")},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{3, 65535} {
				if !examine(t, e, c.hidden, size).Outcomes[0].Fired {
					t.Errorf("in pieces of %d: not found", size)
				}
				if examine(t, e, c.innocent, size).Outcomes[0].Fired {
					t.Errorf("in pieces of %d: found in the innocent twin", size)
				}
			}
		})
	}
}

// TestDocumentBounds: text apart is bounded in one paragraph, and told where it is more.
func TestDocumentBounds(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	hidden := func(n int) string {
		return "<w:r><w:delText>" + strings.Repeat("x ", n/2) + "</w:delText></w:r>"
	}
	word := func(body string) string {
		return attach("a.docx", "x/y", storedZip(t, "word/document.xml", `<w:document xmlns:w="`+wordSpace+`"><w:p><w:t xml:space="preserve">x </w:t>`+body+`<w:t>secret offer</w:t></w:p></w:document>`))
	}
	styles := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `<s:style s:name="T%d"><s:text-properties t:display="none"/></s:style>`, i)
		}
		return attach("a.odt", "x/y", storedZip(t, "content.xml", `<o:x xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:s="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:t="`+
			oasisSpace+`">`+b.String()+`<t:p>sec<t:span t:style-name="T0">xyz</t:span>ret offer</t:p></o:x>`))
	}
	rich := func(body string) string { return attach("a.rtf", "x/y", []byte(`{\rtf1 a`+body+` secret offer}`)) }
	manyStyled := func(n int, hidden string) string {
		long := "<w:p><w:r><w:rPr><w:rStyle w:val='H'/></w:rPr><w:t>" + strings.Repeat("x", 1000) + "</w:t></w:r></w:p>"
		style := `<w:styles xmlns:w="` + wordSpace + `"><w:style w:styleId="I"/>`
		if hidden == "H" {
			style += `<w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>`
		}
		return attach("a.docx", "x/y", zipOf(t, "word/document.xml", `<w:document xmlns:w="`+wordSpace+`"><w:p><w:t>secret offer</w:t></w:p>`+strings.Repeat(long, n)+"</w:document>", "word/styles.xml", style+"</w:styles>"))
	}
	for _, c := range []struct {
		name, msg string
		want      []Limit
	}{
		{"the most text apart", word(hidden(maxAside)), nil},
		{"more text apart", word(hidden(maxAside + 2)), []Limit{LimitHidden}},
		{"more text apart in two paragraphs", word(hidden(maxAside*3/4) + "</w:p><w:p>" + hidden(maxAside*3/4)), nil},
		{"much text in a paragraph", word("<w:t>" + strings.Repeat("x ", maxStyledText) + "</w:t>"), []Limit{LimitHidden}},
		{"as much whose blanks stay", word("<w:t xml:space='preserve'>" + strings.Repeat("x ", maxStyledText) + "</w:t>"), nil},
		{"the most hidden styles", styles(maxStyles), nil},
		{"more hidden styles", styles(maxStyles + 1), []Limit{LimitHidden}},
		{"styled paragraphs behind the most that are kept", manyStyled(400, "H"), []Limit{LimitHidden}},
		{"as many without a style that hides", manyStyled(400, "I"), nil},
		{"fewer styled paragraphs", manyStyled(40, "H"), nil},
		{"more hidden words of RTF", rich(`{\v ` + strings.Repeat("x ", maxAside/2) + `}`), []Limit{LimitHidden}},
		{"more hidden words in two paragraphs of RTF", rich(`{\v ` + strings.Repeat("x ", maxAside*3/8) + `}\par{\v ` + strings.Repeat("x ", maxAside*3/8) + `}`), nil},
		{"a tag of more than there may be", word(`<w:t a="` + strings.Repeat("x", 64<<10) + `"/>`), []Limit{LimitMarkup}},
		{"entities of more than there may be", attach("a.svg", "image/svg+xml", []byte(`<!DOCTYPE a [<!ENTITY a "&b;&b;"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text><text>secret offer</text></svg>`)), []Limit{LimitExpanded}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := examine(t, e, c.msg, 65535)
			if diff := cmp.Diff(c.want, r.Limits, cmpopts.EquateEmpty()); diff != "" || !r.Outcomes[0].Fired {
				t.Errorf("found %v, limits: %s", r.Outcomes[0].Fired, diff)
			}
		})
	}
}

// TestDocumentCounts: what is read twice counts once.
func TestDocumentCounts(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 100\n1 gold\n1 goldmine\n1 regex gol[d]\n")
	styles := `<w:styles xmlns:w="` + wordSpace + `"><w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"blanks that Word drops", "<w:t>gold </w:t><w:t>gold</w:t>", 4},
		{"a word that only Word shows", "<w:t>gold </w:t><w:t>mine</w:t>", 3},
		{"hidden by a style", "<w:t>gold</w:t><w:r><w:rPr><w:rStyle w:val='H'/></w:rPr><w:t> silver</w:t></w:r>", 2},
		{"a word that is hidden by a style", "<w:t>gold</w:t><w:r><w:rPr><w:rStyle w:val='H'/></w:rPr><w:t>en</w:t></w:r><w:t> x</w:t>", 2},
	} {
		r := examine(t, e, attach("a.docx", "x/y", zipOf(t, "word/document.xml", `<w:document xmlns:w="`+wordSpace+`"><w:p>`+c.body+"</w:p></w:document>", "word/styles.xml", styles)), 1000)
		if got := r.Outcomes[0].Score; got != c.want || len(r.Limits) > 0 {
			t.Errorf("%s: %d, want %d; %v", c.name, got, c.want, r.Limits)
		}
	}
}

// TestDocumentReadings: in text that does not show nothing excludes; in text that shows elsewhere,
// and in patterns, all counts.
func TestDocumentReadings(t *testing.T) {
	word := func(body string) string {
		return attach("a.docx", "x/y", zipOf(t, "word/document.xml", `<w:document xmlns:w="`+wordSpace+`"><w:p><w:t>x </w:t>`+body+`</w:p></w:document>`))
	}
	rich := func(body string) string { return attach("a.rtf", "x/y", []byte(`{\rtf1 x `+body+`}`)) }
	for _, c := range []struct {
		name, msg         string
		excludes, matches bool
	}{
		{"shown", word("<w:t>gold</w:t>"), true, true},
		{"deleted", word("<w:delText>gold</w:delText>"), false, true},
		{"hidden", word("<w:r><w:rPr><w:vanish/></w:rPr><w:t>gold</w:t></w:r>"), false, true},
		{"instruction", word("<w:fldSimple w:instr='gold'/>"), false, true},
		{"text box", word("<w:txbxContent><w:p><w:t>gold</w:t></w:p></w:txbxContent>"), true, true},
		{"description", word("<w:docPr descr='gold'/>"), true, true},
		{"hidden in a text box", word("<w:txbxContent><w:p><w:delText>gold</w:delText></w:p></w:txbxContent>"), false, true},
		{"hidden in a word of a text box", word("<w:txbxContent><w:p><w:t>go</w:t><w:delText>xyz</w:delText><w:t>ld</w:t></w:p></w:txbxContent>"), true, true},
		{"rtf shown", rich("gold"), true, true},
		{"rtf hidden", rich(`{\v gold}`), false, true},
		{"rtf title", rich(`{\info{\title gold}}`), false, true},
		{"rtf header", rich(`{\header gold}`), true, true},
		{"rtf hidden in a header", rich(`{\header\v gold}`), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{}, "!activation 1\n1 x\n0 exclude gold\n", "!activation 1\n1 regex g.ld\n")
			r := examine(t, e, c.msg, 65535)
			if r.Outcomes[0].Fired == c.excludes || r.Outcomes[1].Fired != c.matches {
				t.Errorf("excluded %v, matched %v", !r.Outcomes[0].Fired, r.Outcomes[1].Fired)
			}
		})
	}
}
