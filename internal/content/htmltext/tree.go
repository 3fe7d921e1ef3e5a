package htmltext

import (
	"bytes"
	"errors"
	"strings"

	"mailweir/internal/content/css"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// MaxTree is the most octets of HTML that are made a tree of.
const MaxTree = 1 << 20

// ErrTree means that a document would make a tree out of proportion, or one that is nested too
// deep: it must be read by [Stream].
var ErrTree = errors.New("htmltext: no tree is made of this")

// Tree is a document as a browser understands it.
type Tree struct {
	doc   *html.Node
	sheet *css.Sheet
}

// Parse makes the tree of a document, by the rules of the HTML standard for where elements begin
// and end. Scripts do not run. The error is [ErrTree].
func Parse(doc []byte) (*Tree, error) {
	root, err := html.ParseWithOptions(bytes.NewReader(doc), html.ParseOptionEnableScripting(false))
	if err != nil {
		return nil, ErrTree
	}
	t := &Tree{doc: root, sheet: css.New(quirks(root))}
	if styleAt(doc) >= 0 {
		t.styles()
	}
	return t, nil
}

// styleAt is where the next style element may begin, -1 if there is none.
func styleAt(doc []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(doc[at:], '<')
		if i < 0 || len(doc)-at-i < 6 {
			return -1
		}
		if at += i + 1; doc[at]|0x20 == 's' && bytes.EqualFold(doc[at:at+5], []byte("style")) {
			return at
		}
	}
}

// Weight is what the tree takes in memory, in octets.
func (t *Tree) Weight() int { return weightOf(t.doc) }

func weightOf(n *html.Node) int {
	weight := nodeOctets + len(n.Data) + len(n.Attr)*attributeOctets
	for i := range n.Attr {
		weight += len(n.Attr[i].Val)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		weight += weightOf(c)
	}
	return weight
}

// styles collects the style elements: one that stands later decides about what stands before, too.
func (t *Tree) styles() {
	for n := range t.doc.Descendants() {
		if n.DataAtom == atom.Style && styles(n) && !inTemplate(n) {
			for c := range n.ChildNodes() {
				if !ampCurtain(n, c.Data) {
					t.sheet.Add(c.Data)
				}
			}
		}
	}
}

// inTemplate tells what stands in a template: it is no part of the document.
func inTemplate(n *html.Node) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.DataAtom == atom.Template {
			return true
		}
	}
	return false
}

// ampCurtain tells the style element that hides a page of AMP until AMP's own program runs, which
// it does in every program that shows AMP (amp.dev, "AMP for Email", "Required markup").
func ampCurtain(n *html.Node, text string) bool {
	for i := range n.Attr {
		if n.Attr[i].Key == "amp4email-boilerplate" {
			return strings.Join(strings.Fields(text), "") == "body{visibility:hidden}"
		}
	}
	return false
}

// styles tells whether the content of a style element is CSS for a screen.
func styles(n *html.Node) bool {
	if n.Namespace == "math" {
		return false
	}
	for i := range n.Attr {
		switch a := &n.Attr[i]; a.Key {
		case "type":
			if a.Val != "" && !strings.EqualFold(a.Val, "text/css") {
				return false
			}
		case "media":
			if !css.MediaHolds(a.Val) {
				return false
			}
		}
	}
	return true
}

// Shown writes the text that shows, and gives the rest. More is asked now and then, and ends the
// writing if it says no.
func (t *Tree) Shown(shown func([]byte), more func() bool) Apart {
	r := newRenderer(t.sheet, shown)
	r.walk(t.doc, more)
	r.Unstyled = t.sheet.Cut()
	return r.Apart
}

// walk goes over a tree. Its depth is bounded by the parser.
func (r *renderer) walk(n *html.Node, more func() bool) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			if raw(n) {
				for _, text := range stripped(c.Data) {
					r.text(text)
					r.gap(r.top(), '\n')
				}
				continue
			}
			r.text(c.Data)
		case html.ElementNode:
			if !more() {
				return false
			}
			r.open(c)
			if !r.walk(c, more) {
				return false
			}
			r.close()
		}
	}
	return true
}

// Inline writes the text once more with every element in the line, nothing hidden and no break:
// what a guess about these would have to be wrong for. Titles are left out, which no program shows.
func (t *Tree) Inline(out func([]byte), more func() bool) {
	(&inline{out: out, more: more}).walk(t.doc)
}

type inline struct {
	out  func([]byte)
	more func() bool
	buf  []byte
}

func (i *inline) walk(n *html.Node) bool {
	if unread(n) {
		return true
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.ElementNode:
			if !i.more() || !i.walk(c) {
				return false
			}
		case c.Type == html.TextNode && raw(n):
			for _, text := range stripped(c.Data) {
				i.out([]byte(text))
			}
		case c.Type == html.TextNode:
			i.buf = append(i.buf[:0], c.Data...)
			i.out(i.buf)
		}
	}
	return true
}

// unread tells elements that no reading takes for text.
func unread(n *html.Node) bool {
	return n.DataAtom == atom.Script || n.DataAtom == atom.Style || n.DataAtom == atom.Title
}

// raw tells elements whose content is markup that the parser leaves alone.
func raw(n *html.Node) bool {
	return n.DataAtom == atom.Noframes || n.DataAtom == atom.Noembed || n.DataAtom == atom.Iframe
}

// stripped gives the texts between the tags of markup.
func stripped(markup string) (texts []string) {
	for z := html.NewTokenizer(strings.NewReader(markup)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return texts
		case html.TextToken:
			if text := string(z.Text()); text != "" {
				texts = append(texts, text)
			}
		}
	}
}

// quirks tells documents that browsers read as in the last century: without a doctype, or with one
// of the old ones (HTML standard, "The initial insertion mode").
func quirks(doc *html.Node) bool {
	for n := range doc.ChildNodes() {
		if n.Type != html.DoctypeNode {
			continue
		}
		public, system := "", false
		for i := range n.Attr {
			switch n.Attr[i].Key {
			case "public":
				public = strings.ToLower(n.Attr[i].Val)
			case "system":
				system = true
			}
		}
		return n.Data != "html" || oldDoctype(public, system)
	}
	return true
}

func oldDoctype(public string, system bool) bool {
	switch {
	case public == "":
		return false
	case strings.HasPrefix(public, "-//w3c//dtd html 4.01 frameset//"), strings.HasPrefix(public, "-//w3c//dtd html 4.01 transitional//"):
		return !system
	case strings.HasPrefix(public, "-//w3c//dtd xhtml 1"), strings.HasPrefix(public, "-//w3c//dtd html 4.01//"):
		return false
	}
	return public != "-//w3c//dtd html 4.0//en" && public != "-//w3c//dtd xhtml 1.1//en"
}
