package htmltext

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// measured is what a tree takes.
func measured(root *html.Node) int {
	octets := 0
	for n := range root.Descendants() {
		octets += nodeOctets + len(n.Attr)*attributeOctets
	}
	return octets
}

// TestWeight: documents that would make trees out of proportion are known before, and what honest
// ones look like is not taken for one.
func TestWeight(t *testing.T) {
	var bold strings.Builder
	for i := range 400 {
		fmt.Fprintf(&bold, "<b id=%d>", i)
	}
	page := "<html><body><table><tr><td><p><font face=x><b>Hello</b> <a href=y>there</a></font></p></td></tr></table>"
	for _, c := range []struct {
		name, doc string
		heavy     bool
	}{
		{"paragraphs", "<p>" + bold.String() + strings.Repeat("</p><p>x", 20000), true},
		{"blocks", "<div>" + bold.String() + strings.Repeat("</div><div>x", 20000), true},
		{"formatting elements in others", strings.Repeat(strings.Repeat("<b>", 2)+bold.String()+numberedTags(100)+strings.Repeat("</b>x", 400)+strings.Repeat("</i>", 100), 20), true},
		{"end tags in comments", "<p>" + bold.String() + "<!-- " + strings.Repeat("</b>", 400) + "-->" + strings.Repeat("</p><p>x", 20000), true},
		{"end tags in a style", "<p>" + bold.String() + "<style>" + strings.Repeat("</b>", 400) + "</style>" + strings.Repeat("</p><p>x", 20000), true},
		{"end tags in a table", "<p>" + bold.String() + "<table>" + strings.Repeat("</b>", 400) + "</table>" + strings.Repeat("</p><p>x", 20000), true},
		{"end tags in a select", "<p>" + bold.String() + "<select>" + strings.Repeat("<b>", 400) + strings.Repeat("</b>", 400) + "</select>" + strings.Repeat("</p><p>x", 20000), true},
		{"many attributes that decide nothing", "<p><b " + strings.Repeat("a=1 ", 1) + manyAttributes(2000) + ">" + strings.Repeat("</p><p>x", 20000), false},
		{"end tags of paragraphs that never began", strings.Repeat("<b>", 500) + strings.Repeat("</p>", 200000), true},
		{"end tags of nothing", strings.Repeat("<b>", 500) + strings.Repeat("</x>", 100000), true},
		{"end tags that a paragraph stops", strings.Repeat("<b>", 440) + "<p>" + strings.Repeat("</b>", 440) + strings.Repeat("</x>", 100000), true},
		{"end tags that a cell stops", strings.Repeat("<div>", 440) + "<table><td>" + strings.Repeat("</div>", 440) + strings.Repeat("</x>", 100000), true},
		{"cells without a table", "<td>" + strings.Repeat("<x>", 440) + "</td>" + strings.Repeat("</p>", 100000), true},
		{"end tags in a drawing", "<svg>" + strings.Repeat("<g>", 500) + strings.Repeat("</x>", 100000), true},
		{"rules in others", strings.Repeat("<div>", 500) + strings.Repeat("<hr>", 100000), true},
		{"items in lists", strings.Repeat("<ul><li>", 250) + strings.Repeat("<li>", 100000), true},
		{"definitions in lists", strings.Repeat("<dl><dd>", 250) + strings.Repeat("<dd>", 100000), true},
		{"ends of forms and bodies", strings.Repeat("<div>", 500) + strings.Repeat("</form></body>", 50000), true},
		{"tables in tables", strings.Repeat("<table><tr><td>", 100) + strings.Repeat("<br>", 100000), true},
		{"bold around paragraphs", strings.Repeat("<div>", 200) + strings.Repeat("<b><p></b>", 50000), true},
		{"behind many cells", strings.Repeat("<td>", 1100) + strings.Repeat("<div>", 440) + "<table><td>" + strings.Repeat("</div>", 440) + strings.Repeat("<br>", 100000), true},
		{"links in links", strings.Repeat("<a>", 200000), true},
		{"a long list", "<div><ul>" + strings.Repeat("<li><span>x</span>", 40000) + "</ul></div>", false},
		{"a long table", "<div><table>" + strings.Repeat("<tr><td><p>x</p></td></tr>", 30000) + "</table></div>", false},
		{"honest", strings.Repeat(page, 5000), false},
		{"fonts that never end", strings.Repeat("<td><font face=x>hello", 500), false},
		{"text", strings.Repeat("hello ", 100000), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, weight := Weigh([]byte(c.doc)); (weight > Heaviest) != c.heavy {
				t.Errorf("weight %d of %d octets, heavy should be %v", weight, len(c.doc), c.heavy)
			}
		})
	}
}

func numberedTags(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<i id=%d>", i)
	}
	return b.String()
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d", i)
	}
	return b.String()
}

// FuzzWeight holds the weight against the tree, of documents put together from tags that matter.
func FuzzWeight(f *testing.F) {
	pieces := strings.Fields(`<b> </b> <p> </p> <a> </a> <div> </div> <table> </table> <td> </td> <tr> <select> </select> <template>
		</template> <svg> </svg> <button> <nobr> <i> </i> <font> </font> <object> </object> x <li> <h1> <form> </form> <frameset>
		<!-- --> <style> </style> <math> <mi> <caption> <option> <textarea> </textarea> <body> <br> <b#> <u#> <applet> </applet> <!x>
		<foreignObject> <head> <colgroup> <noframes> </noframes> <title> </title> <input> <marquee> <em#> </em> <dd> <hr> <col> <img> <span> </span>
		<noscript> </noscript> <![CDATA[ ]]> " <p/title=" <script> </script> <plaintext> <frame> </u> <b`)
	f.Add([]byte{0, 2, 40, 41, 41, 41, 3, 2, 26, 3, 2, 26})
	f.Fuzz(func(t *testing.T, choice []byte) {
		var doc bytes.Buffer
		for i, c := range choice[:min(len(choice), 3000)] {
			doc.WriteString(strings.ReplaceAll(pieces[int(c)%len(pieces)], "#", fmt.Sprintf(" a%d=1", i%50)))
		}
		lean, weight := Weigh(bytes.Clone(doc.Bytes()))
		if weight > Heaviest {
			return
		}
		root, err := html.ParseWithOptions(bytes.NewReader(lean), html.ParseOptionEnableScripting(false))
		if err != nil {
			return
		}
		if got := measured(root); got > weight {
			t.Errorf("%d octets, taken for %d at most: %s", got, weight, doc.String())
		}
	})
}

// FuzzLean: what is left out of a document changes nothing of its text.
func FuzzLean(f *testing.F) {
	for _, trick := range tricks {
		f.Add(trick.doc)
	}
	f.Add("<style>i[lang=x]{display:none}</style><p lang=y dir=z>a<i lang='x' HREF=y/>b<!-- > c -->d<a href = x target=_top/ >e</a>")
	f.Fuzz(func(t *testing.T, doc string) {
		lean, weight := Weigh([]byte(doc))
		if weight > Heaviest {
			return
		}
		_, err := Parse([]byte(doc))
		if _, lost := Parse(lean); err != nil || lost != nil {
			if err == nil {
				t.Errorf("%q is %q, which makes no tree", doc, lean)
			}
			return
		}
		shown, apart, inline := read(t, doc)
		leanShown, leanApart, leanInline := read(t, string(lean))
		if diff := cmp.Diff([]any{shown, apart, inline}, []any{leanShown, leanApart, leanInline}); diff != "" {
			t.Errorf("%q is %q: %s", doc, lean, diff)
		}
	})
}

// FuzzScan holds the tags that the scanner finds against those of the tokenizer.
func FuzzScan(f *testing.F) {
	for _, trick := range tricks {
		f.Add(trick.doc)
	}
	f.Add("<p a=\"<b>\" c='>' d = e=f /=g/><!--> --!> --!-> --><a\v=b><!doctype x><?x><///><style></stylex></STYLE/><p")
	f.Fuzz(func(t *testing.T, doc string) {
		z := html.NewTokenizer(strings.NewReader(doc))
		for s := (scanner{doc: []byte(doc), sure: true}); ; {
			got, ok := s.next()
			if !s.sure {
				return
			}
			kind := z.Next()
			for kind == html.TextToken || kind == html.CommentToken || kind == html.DoctypeToken {
				kind = z.Next()
			}
			if kind == html.ErrorToken || !ok {
				if ok || kind != html.ErrorToken {
					t.Errorf("%q: a tag more or less: %v, %v", doc, ok, kind)
				}
				return
			}
			attributes := z.Token()
			if got.name != attributes.DataAtom || got.end != (kind == html.EndTagToken) || got.weight < nodeOctets+len(attributes.Attr)*attributeOctets {
				t.Errorf("%q: %v, want %v", doc, got, attributes)
			}
		}
	})
}
