package content

import (
	"io"
	"strings"

	"golang.org/x/net/html"
)

// xml gives the text of an XML file. It is written for office documents, which cut words into runs:
// the elements of a run join, all others separate.
func (w *walk) xml(r io.Reader, s *sink) {
	rest := &pushback{r: r}
	z := newXMLTokenizer(rest)
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != html.ErrBufferExceeded {
				return
			}
			if len(z.Raw()) > 0 {
				w.x.reach(LimitMarkup)
			}
			rest.pre = append(append([]byte(nil), z.Buffered()...), rest.pre...)
			z = newXMLTokenizer(rest)
		case html.TextToken:
			_, _ = s.Write(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			z.NextIsNotRawText()
			separateXML(s, string(name))
			if string(name) == "relationship" {
				linkTarget(z, more, s)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			separateXML(s, string(name))
		}
	}
}

func newXMLTokenizer(r io.Reader) *html.Tokenizer {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(maxToken)
	z.AllowCDATA(true)
	return z
}

// linkTarget gives the address behind a link of an Office Open XML document.
func linkTarget(z *html.Tokenizer, more bool, s *sink) {
	var target []byte
	external := false
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "target":
			target = append(target, value...)
		case "targetmode":
			external = strings.EqualFold(string(value), "external")
		}
	}
	if external {
		_, _ = s.Write(target)
		s.WriteString("\n")
	}
}

// joining elements of spreadsheets have no prefix: a run, its text, its look.
var (
	joining    = nameSet("r t rpr sz color rfont family scheme b i u strike vertalign charset")
	separating = nameSet("p br cr h tab tc tr s line-break table-cell tbl txbxcontent ptab li list-item notes")
)

func separateXML(s *sink, name string) {
	prefix, local, prefixed := strings.Cut(name, ":")
	if !prefixed {
		local = name
	}
	office := prefix == "w" || prefix == "a" || prefix == "text" || prefix == "m"
	if office && !separating[local] || !prefixed && joining[local] {
		return
	}
	s.WriteString("\n")
}
