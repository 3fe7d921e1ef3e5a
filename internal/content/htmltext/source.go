package htmltext

import (
	"bytes"

	"golang.org/x/net/html"
)

// Source writes a document with its markup, entities undone: tags, attributes, comments and all
// text.
func Source(doc []byte, out func([]byte)) {
	for z := html.NewTokenizer(bytes.NewReader(doc)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			out(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			writeTag(out, name)
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				writeAttribute(out, key, value)
			}
			out([]byte(">"))
		case html.EndTagToken:
			name, _ := z.TagName()
			out([]byte("</" + string(name) + ">"))
		case html.CommentToken, html.DoctypeToken:
			writeRemark(out, z.Text())
		}
	}
}

func writeTag(out func([]byte), name []byte) {
	out([]byte("<"))
	out(name)
}

func writeAttribute(out func([]byte), key, value []byte) {
	out([]byte(" "))
	out(key)
	out([]byte(`="`))
	out(value)
	out([]byte(`"`))
}

func writeRemark(out func([]byte), text []byte) {
	out([]byte("<!--"))
	out(text)
	out([]byte("-->"))
}
