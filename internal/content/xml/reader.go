// Package xml reads XML (W3C XML 1.0, Namespaces in XML 1.0) as it comes.
//
// Documents in mail are of any size, faulty, and made to deceive. encoding/xml holds a whole text
// in memory and ends at the first fault, and a tokenizer for HTML takes a `>` in a document type or
// in a processing instruction for its end and knows no names in upper case. So this reader takes
// bounded memory, never ends before its input, and expands the entities that a document declares
// for itself within bounds. It loads nothing from elsewhere.
package xml

import (
	"bytes"
	"html"
	"io"
)

// Kind is what a Token is.
type Kind int

// The kinds of tokens. An empty element is a Start and an End.
const (
	Text Kind = iota
	Start
	End
)

// Token is a piece of a document. It is valid until the next one is read.
type Token struct {
	Kind  Kind
	Space string // namespace of a Start or End, "" for none or an undeclared prefix
	Local string // its name without the prefix
	Attrs []Attr
	Text  []byte // with its references undone; a long text comes in pieces
}

// Attr is an attribute, its name without the prefix.
type Attr struct{ Local, Value []byte }

// Attr is the value of an attribute by its local name, nil if there is none.
func (t *Token) Attr(local string) []byte {
	for _, a := range t.Attrs {
		if string(a.Local) == local {
			return a.Value
		}
	}
	return nil
}

// Reader reads a document. Use New.
type Reader struct {
	in       input
	token    Token
	text     []byte // memory of token.Text
	attrs    []Attr // memory of token.Attrs
	names    map[string]name
	scopes   []scope
	depth    int
	empty    bool // the last Start is an empty element: its End comes next
	cdata    bool
	entities map[string]string
	expanded int
	cut      bool
	swollen  bool
}

// name is a qualified name, cut in two.
type name struct{ prefix, local string }

// scope is a namespace prefix while it is bound.
type scope struct {
	prefix, space string
	depth         int
}

// Bounds. Names that are not kept cost an allocation each.
const (
	maxNames  = 1024
	maxScopes = 256
	maxAttrs  = 256
)

// New reads a document in UTF-8.
func New(r io.Reader) *Reader {
	return &Reader{in: input{r: r}, names: map[string]name{}}
}

// Cut tells whether a bound or the end of the document kept something from being understood: a tag
// of more than 64 KiB, a comment that does not end, too many names.
func (r *Reader) Cut() bool { return r.cut }

// Swollen tells whether entities would have made the text longer than they may.
func (r *Reader) Swollen() bool { return r.swollen }

// Next reads a token; nil at the end.
func (r *Reader) Next() *Token {
	if r.empty {
		r.empty = false
		r.token.Kind, r.token.Attrs = End, nil
		r.leave()
		return &r.token
	}
	for {
		if len(r.in.rest()) == 0 && !r.in.more() {
			return nil
		}
		var ok bool
		switch {
		case r.cdata:
			ok = r.section()
		case r.in.rest()[0] == '<':
			ok = r.markup()
		default:
			ok = r.chars()
		}
		if ok {
			return &r.token
		}
	}
}

// section reads a piece of a CDATA section.
func (r *Reader) section() bool {
	const end = "]]>"
	for {
		rest := r.in.rest()
		if n := bytes.Index(rest, []byte(end)); n >= 0 {
			r.cdata = false
			r.in.at += n + len(end)
			return r.give(rest[:n])
		}
		if n := len(rest) - len(end) + 1; n > 0 {
			r.in.at += n
			return r.give(rest[:n])
		}
		if !r.in.more() {
			rest = r.in.rest()
			r.in.at, r.cut, r.cdata = len(r.in.buf), true, false
			return r.give(rest)
		}
	}
}

func (r *Reader) give(text []byte) bool {
	r.token = Token{Kind: Text, Text: text}
	return len(text) > 0
}

// markup reads what begins with `<`; false if it gives no token.
func (r *Reader) markup() bool {
	if !r.in.begins("<!") && !r.in.begins("<?") {
		return r.tag()
	}
	switch {
	case r.in.begins("<!--"):
		r.in.at += len("<!--")
		r.cut = !r.in.skipPast("-->") || r.cut
	case r.in.begins("<?"):
		r.cut = !r.in.skipPast("?>") || r.cut
	case r.in.begins("<![CDATA["):
		r.in.at += len("<![CDATA[")
		r.cdata = true
	default:
		if n := r.in.doctype(); n > 0 {
			r.declarations(r.in.rest()[:n])
			r.in.at += n
		} else {
			r.cut = true
			r.in.skipPast(">")
		}
	}
	return false
}

// tag reads a start or end tag. What can be none is text.
func (r *Reader) tag() bool {
	if len(r.in.rest()) < 2 {
		r.in.more()
	}
	rest := r.in.rest()
	if len(rest) < 2 || rest[1] != '/' && !nameStart(rest[1]) {
		r.in.at++
		return r.give(rest[:1])
	}
	n, ok := r.in.tag()
	tag := r.in.rest()[:n]
	r.in.at += n
	if !ok {
		r.cut = r.cut || n >= maxMarkup
		return r.give(tag)
	}
	tag = tag[1 : n-1]
	if tag[0] == '/' {
		qualified, _ := cutName(tag[1:])
		r.element(End, qualified)
		r.leave()
		return true
	}
	tag, r.empty = bytes.CutSuffix(tag, []byte("/"))
	qualified, attrs := cutName(tag)
	r.depth++
	r.attributes(attrs)
	r.element(Start, qualified)
	r.token.Attrs = r.attrs
	return true
}

func (r *Reader) element(kind Kind, qualified []byte) {
	n, known := r.names[string(qualified)]
	if !known {
		n.local = string(qualified)
		if i := bytes.IndexByte(qualified, ':'); i >= 0 {
			n = name{string(qualified[:i]), string(qualified[i+1:])}
		}
		if len(r.names) < maxNames {
			r.names[string(qualified)] = n
		}
	}
	r.token = Token{Kind: kind, Space: r.space(n.prefix), Local: n.local}
}

func (r *Reader) space(prefix string) string {
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if r.scopes[i].prefix == prefix {
			return r.scopes[i].space
		}
	}
	return ""
}

// leave ends an element.
func (r *Reader) leave() {
	for n := len(r.scopes); n > 0 && r.scopes[n-1].depth >= r.depth; n-- {
		r.scopes = r.scopes[:n-1]
	}
	r.depth = max(r.depth-1, 0)
}

// attributes reads those of a start tag, and binds the prefixes that they declare.
func (r *Reader) attributes(text []byte) {
	r.attrs = r.attrs[:0]
	for len(text) > 0 {
		var key, value []byte
		key, text = cutName(bytes.TrimLeft(text, " \t\r\n/"))
		value, text = r.value(text)
		switch {
		case len(key) == 0:
			if len(text) > 0 {
				text = text[1:]
			}
			continue
		case string(key) == "xmlns":
			r.bind("", value)
		case bytes.HasPrefix(key, []byte("xmlns:")):
			r.bind(string(key[len("xmlns:"):]), value)
		}
		if len(r.attrs) == maxAttrs {
			r.cut = true
			break
		}
		r.attrs = append(r.attrs, Attr{key[bytes.IndexByte(key, ':')+1:], value})
	}
}

// value reads `="value"`, if that comes next.
func (r *Reader) value(text []byte) (value, rest []byte) {
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) == 0 || text[0] != '=' {
		return nil, text
	}
	text = bytes.TrimLeft(text[1:], " \t\r\n")
	if len(text) == 0 {
		return nil, nil
	}
	if quote := text[0]; quote == '"' || quote == '\'' {
		value, rest, _ = bytes.Cut(text[1:], text[:1])
	} else if n := bytes.IndexAny(text, " \t\r\n"); n >= 0 {
		value, rest = text[:n], text[n:]
	} else {
		value = text
	}
	if bytes.IndexByte(value, '&') >= 0 {
		value = []byte(html.UnescapeString(r.expand(string(value))))
	}
	return value, rest
}

func (r *Reader) bind(prefix string, space []byte) {
	if len(r.scopes) == maxScopes {
		r.cut = true
		return
	}
	r.scopes = append(r.scopes, scope{prefix, string(space), r.depth})
}

func nameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= 0x80
}

// cutName splits behind a name.
func cutName(s []byte) (first, rest []byte) {
	for i, c := range s {
		if nameEnd[c] {
			return s[:i], s[i:]
		}
	}
	return s, nil
}

var nameEnd = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, '=': true, '/': true, '>': true, '"': true, '\'': true}
