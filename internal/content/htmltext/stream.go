package htmltext

import (
	"bytes"
	"io"
	"strings"

	"mailweir/internal/content/css"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Limits of what is read as it comes.
const (
	maxToken = 64 << 10 // a longer text is cut, a longer tag or comment is a limit reached
	maxDepth = 128      // elements that are open at once; deeper ones are taken for their parents
	maxKept  = 2 << 10  // octets of a tag whose attributes are all kept
)

// StreamMemory is what Stream takes at most, style sheets not counted.
const StreamMemory = 2*maxToken + 2*maxApart + maxDepth*maxKept

// Output is where Stream writes; what is nil is not written.
type Output struct {
	Shown  func([]byte) // the text that shows
	Inline func([]byte) // the text as Tree.Inline gives it
	Source func([]byte) // see Source
	Long   func()       // called for a tag or comment that is too long and read as text from there on
}

// Stream reads HTML of any length as it comes. It knows elements by their tags alone: an end tag
// ends what it names, with a few of the parser's rules for elements that end by themselves; style
// elements decide about what stands behind them.
func Stream(r io.Reader, out Output) Apart {
	s := &stream{out: out, rest: &pushback{r: r}, renderer: newRenderer(css.New(true), out.Shown)}
	s.root = html.Node{Type: html.ElementNode, DataAtom: atom.Html, Data: "html"}
	s.begin()
	for s.token() {
	}
	s.Unstyled = s.sheet.Cut()
	return s.Apart
}

type stream struct {
	*renderer
	out     Output
	z       *html.Tokenizer
	rest    *pushback
	root    html.Node
	open    []*html.Node // as in renderer.stack, but for its root
	raw     string       // element whose content is no markup, while it comes
	comment bool         // the last token was a comment: if an error follows, it was cut
	any     bool         // there was an element
}

func (s *stream) begin() {
	s.z = html.NewTokenizer(s.rest)
	s.z.SetMaxBuf(maxToken)
}

// token handles the next token; false at the end.
func (s *stream) token() bool {
	kind := s.z.Next()
	if kind == html.ErrorToken {
		return s.restart()
	}
	s.comment = kind == html.CommentToken
	switch kind {
	case html.TextToken:
		s.characters(s.z.Text())
	case html.StartTagToken, html.SelfClosingTagToken:
		s.startTag()
	case html.EndTagToken:
		name, _ := s.z.TagName()
		s.endTag(string(name))
	case html.DoctypeToken:
		text := strings.ToLower(string(s.z.Text()))
		if !s.any && (strings.TrimSpace(text) == "html" || strings.Contains(text, "xhtml") || strings.Contains(text, "strict")) {
			s.sheet = css.New(false)
		}
		s.remark([]byte(text))
	case html.CommentToken:
		s.remark(s.z.Text())
	}
	return true
}

func (s *stream) remark(text []byte) {
	if s.out.Source != nil {
		writeRemark(s.out.Source, text)
	}
}

// restart goes on after a token that was too long; the tokenizer itself can't.
func (s *stream) restart() bool {
	if s.z.Err() != html.ErrBufferExceeded {
		return false
	}
	if len(s.z.Raw()) > 0 || s.comment {
		s.out.Long()
	}
	next := bytes.Clone(s.z.Buffered())
	if s.raw != "" {
		next = append([]byte("<"+s.raw+">"), next...)
	}
	s.rest.pre = append(next, s.rest.pre...)
	s.begin()
	if s.raw != "" {
		s.z.Next() // the tag that was put in
	}
	return true
}

// pushback gives pre before the rest of r.
type pushback struct {
	pre []byte
	r   io.Reader
}

func (p *pushback) Read(b []byte) (int, error) {
	if len(p.pre) > 0 {
		n := copy(b, p.pre)
		p.pre = p.pre[n:]
		return n, nil
	}
	return p.r.Read(b)
}

func (s *stream) characters(text []byte) {
	if s.out.Source != nil {
		s.out.Source(text)
	}
	if n := len(s.open); n > 0 && s.raw == "style" {
		if styles(s.open[n-1]) && !inTemplate(s.open[n-1]) && !ampCurtain(s.open[n-1], string(text)) {
			s.sheet.Add(string(text))
		}
		return
	}
	if s.out.Inline != nil && s.raw != "script" && s.raw != "title" {
		s.out.Inline(text)
	}
	s.text(string(text))
}

var rawText = map[string]bool{"script": true, "style": true, "title": true, "textarea": true, "xmp": true, "plaintext": true}

func (s *stream) startTag() {
	n := s.node()
	s.any = true
	s.raw = ""
	switch n.DataAtom {
	case atom.Noscript, atom.Noembed, atom.Noframes, atom.Iframe:
		s.z.NextIsNotRawText()
	case atom.Html, atom.Head, atom.Body:
		return // their parser ignores them mostly, and they break nothing that other elements don't
	}
	if rawText[n.Data] {
		s.raw = n.Data
	}
	s.end(n)
	if len(s.open) >= maxDepth && !voids[n.DataAtom] {
		return
	}
	s.place(n)
	s.renderer.open(n)
	if voids[n.DataAtom] {
		s.close()
		return
	}
	s.open = append(s.open, n)
}

// place tells a node its parent and the sibling before it, but not those before: they are
// forgotten.
func (s *stream) place(n *html.Node) {
	n.Parent = &s.root
	if up := len(s.open); up > 0 {
		n.Parent = s.open[up-1]
	}
	if n.PrevSibling = n.Parent.LastChild; n.PrevSibling != nil {
		n.PrevSibling.PrevSibling, n.PrevSibling.LastChild = nil, nil
	}
	n.Parent.LastChild = n
}

// node makes a node of the tag, and writes its source.
func (s *stream) node() *html.Node {
	long := len(s.z.Raw()) > maxKept
	octets, more := s.z.TagName()
	n := &html.Node{Type: html.ElementNode, DataAtom: atom.Lookup(octets), Data: string(octets)}
	source := s.out.Source
	if source != nil {
		writeTag(source, octets)
	}
	for more {
		var key, value []byte
		key, value, more = s.z.TagAttr()
		if source != nil {
			writeAttribute(source, key, value)
		}
		if long {
			if !decides[string(key)] {
				continue
			}
			value = value[:min(len(value), maxKept/len(decides))]
		}
		n.Attr = append(n.Attr, html.Attribute{Key: string(key), Val: string(value)})
	}
	if source != nil {
		source([]byte(">"))
	}
	return n
}

// decides are the attributes that are kept of a very long tag.
var decides = names("style class id hidden popover open alt value placeholder type href size color")

// end ends what the parser ends by itself before an element begins.
func (s *stream) end(n *html.Node) {
	switch n.DataAtom {
	case atom.Li:
		s.pop(atom.Li, atom.Ul, atom.Ol)
	case atom.Dd, atom.Dt:
		s.pop(atom.Dd, atom.Dl)
		s.pop(atom.Dt, atom.Dl)
	case atom.Td, atom.Th:
		s.pop(atom.Td, atom.Tr)
		s.pop(atom.Th, atom.Tr)
	case atom.Tr:
		s.pop(atom.Tr, atom.Tbody)
	case atom.Option, atom.Optgroup:
		s.pop(atom.Option, atom.Select)
	case atom.A, atom.Button, atom.Nobr, atom.Form:
		s.pop(n.DataAtom, atom.Td)
	}
	if endsParagraph[n.DataAtom] {
		s.pop(atom.P, atom.Td)
	}
}

// pop ends the innermost element of a name with all in it, unless a table or one of others stands
// between.
func (s *stream) pop(name atom.Atom, others ...atom.Atom) bool {
	for i := len(s.open) - 1; i >= 0; i-- {
		a := s.open[i].DataAtom
		if a == name {
			s.shut(i)
			return true
		}
		if a == atom.Table {
			return false
		}
		for _, other := range others {
			if a == other {
				return false
			}
		}
	}
	return false
}

// shut ends all elements from number i on.
func (s *stream) shut(i int) {
	for len(s.open) > i {
		s.open = s.open[:len(s.open)-1]
		s.close()
	}
}

func (s *stream) endTag(name string) {
	s.raw = ""
	if s.out.Source != nil {
		s.out.Source([]byte("</" + name + ">"))
	}
	if name == "br" || name == "p" && len(s.open) == 0 {
		s.gap(s.top(), '\n')
		return
	}
	for i := len(s.open) - 1; i >= 0; i-- {
		a := s.open[i].DataAtom
		switch {
		case s.open[i].Data == name:
			s.shut(i)
			return
		case a == atom.Table, (a == atom.Td || a == atom.Th) && name != "tr" && name != "table" && name != "tbody":
			return // an element outside of the table is not ended in it
		}
	}
}

func names(list string) map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		all[name] = true
	}
	return all
}

func atoms(list string) map[atom.Atom]bool {
	all := map[atom.Atom]bool{}
	for name := range names(list) {
		all[atom.Lookup([]byte(name))] = true
	}
	return all
}

var (
	voids         = atoms("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
	endsParagraph = atoms(`address article aside blockquote center details dialog dir div dl fieldset figcaption figure
		footer form h1 h2 h3 h4 h5 h6 header hgroup hr li dd dt listing main menu nav ol p plaintext pre section summary
		table ul xmp td th tr`)
)
