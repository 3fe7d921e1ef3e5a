package content

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html"
)

// maxToken bounds one HTML token; a longer text is cut, a longer tag or comment is a limit reached.
const maxToken = 64 << 10

// htmlMemory is what a tokenizer and the hidden text may take.
const htmlMemory = 2*maxToken + maxHidden

// htmlText reduces HTML to what it shows. It sees tokens, not a tree: a tree of hostile HTML can
// take memory and time out of proportion.
type htmlText struct {
	w       *walk
	z       *html.Tokenizer
	rest    *pushback
	shown   *sink
	source  *sink // tags and all, with entities undone; nil when no one asks for it
	hide    hiding
	inline  inlineBlocks
	raw     string // "script" or "style" while its content comes
	css     styleSheet
	hidden  []byte // hidden text, examined after the text that shows
	comment bool   // the last token was a comment: if an error follows, it was cut
	silent  bool   // the hidden stretch has had no text yet
}

// html examines an HTML part. Hidden text is kept out of the text that shows, because it serves to
// split words, and is examined apart, because mail readers differ in what they hide and lists of
// messages show it as a preview.
func (w *walk) html(r io.Reader, shown *sink) {
	if !w.borrow(htmlMemory) {
		return
	}
	defer w.giveBack(htmlMemory)
	t := &htmlText{w: w, shown: shown, source: w.x.sink(HTML), rest: &pushback{r: r}}
	t.begin()
	for t.token() {
	}
	if len(t.hidden) > 0 {
		shown.end()
		_, _ = shown.Write(t.hidden)
	}
	t.source.end()
}

func (t *htmlText) begin() {
	t.z = html.NewTokenizer(t.rest)
	t.z.SetMaxBuf(maxToken)
}

// token handles the next token; false at the end.
func (t *htmlText) token() bool {
	kind := t.z.Next()
	if kind == html.ErrorToken {
		return t.restart()
	}
	t.comment = kind == html.CommentToken
	switch kind {
	case html.TextToken:
		t.text(t.z.Text())
	case html.StartTagToken, html.SelfClosingTagToken:
		t.startTag()
	case html.EndTagToken:
		name, _ := t.z.TagName()
		t.endTag(string(name))
	case html.CommentToken, html.DoctypeToken:
		if t.source != nil {
			t.source.WriteString("<!--")
			_, _ = t.source.Write(t.z.Text())
			t.source.WriteString("-->")
		}
	}
	return true
}

// restart goes on after a token that was too long; the tokenizer itself can't.
func (t *htmlText) restart() bool {
	if t.z.Err() != html.ErrBufferExceeded {
		return false
	}
	if len(t.z.Raw()) > 0 || t.comment {
		t.w.x.reach(LimitMarkup)
	}
	next := append([]byte(nil), t.z.Buffered()...)
	if t.raw != "" {
		next = append([]byte("<"+t.raw+">"), next...)
	}
	t.rest.pre = append(next, t.rest.pre...)
	t.begin()
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

func (t *htmlText) text(text []byte) {
	switch {
	case t.raw == "style":
		t.css.read(text)
	case t.raw == "":
		t.show(text)
	}
	_, _ = t.source.Write(text)
}

func (t *htmlText) show(text []byte) {
	if t.hide.active() {
		t.hiddenText(text)
		return
	}
	_, _ = t.shown.Write(text)
}

// maxHidden is the most hidden text of a part that is examined.
const maxHidden = 64 << 10

func (t *htmlText) hiddenText(text []byte) {
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	if t.silent {
		t.silent = false
		t.w.x.result.Hidden++
		t.hidden = append(t.hidden, '\n')
	}
	if len(t.hidden)+len(text) > maxHidden {
		t.w.x.reach(LimitHidden)
		return
	}
	t.hidden = append(t.hidden, text...)
}

func (t *htmlText) startTag() {
	octets, more := t.z.TagName()
	name := string(octets)
	t.raw = ""
	switch name {
	case "script", "style":
		t.raw = name
	case "noscript", "noembed", "noframes", "iframe":
		t.z.NextIsNotRawText() // a mail reader runs no scripts and shows no frames, so it shows this
	}
	looks := t.attributes(name, more)
	inline := t.inline.open(name, looks.inline)
	switch {
	case looks.hides && voids[name]: // it separates nothing, and its text is that of another hidden element
		if !t.hide.active() {
			t.silent = true
		}
		t.hiddenText(looks.text)
		return
	case t.hide.open(name, looks.hides):
		t.silent = true
	case !inline:
		t.separate(name)
	}
	t.show(looks.text)
}

// looks is what attributes say about what a reader sees of an element.
type looks struct {
	hides  bool
	inline bool   // a block that is shown as if it were none
	text   []byte // shown in place of the element, or in it
}

func (t *htmlText) attributes(name string, more bool) (l looks) {
	if t.source != nil {
		t.source.WriteString("<" + name)
		defer t.source.WriteString(">")
	}
	for more {
		var key, value []byte
		key, value, more = t.z.TagAttr()
		if t.source != nil {
			t.source.WriteString(" ")
			_, _ = t.source.Write(key)
			t.source.WriteString(`="`)
			_, _ = t.source.Write(value)
			t.source.WriteString(`"`)
		}
		switch string(key) {
		case "style":
			style := declarations(value)
			l.hides, l.inline = l.hides || hidingStyle(style), inlineStyle(style)
		case "hidden":
			l.hides = true
		case "class":
			l.hides = l.hides || t.css.hides(strings.Fields(string(value)), ".")
		case "id":
			l.hides = l.hides || t.css.hides([]string{string(value)}, "#")
		case "alt", "placeholder":
			l.text = append(l.text, value...)
		case "value":
			if name == "input" {
				l.text = append(l.text, value...)
			}
		}
	}
	return l
}

func (t *htmlText) endTag(name string) {
	t.raw = ""
	hidden, inline := t.hide.close(name), t.inline.close(name)
	if !hidden && !inline {
		t.separate(name)
	}
	if t.source != nil {
		t.source.WriteString("</" + name + ">")
	}
}

// separate keeps the words of two blocks apart. Inline elements don't: `vi<b>ag</b>ra` is one word.
func (t *htmlText) separate(name string) {
	var gap string
	switch {
	case blocks[name]:
		gap = "\n"
	case name == "td" || name == "th" || name == "button":
		gap = " "
	default:
		return
	}
	if t.hide.active() {
		t.hiddenGap()
		return
	}
	t.shown.WriteString(gap)
}

func (t *htmlText) hiddenGap() {
	if n := len(t.hidden); n > 0 && n < maxHidden && t.hidden[n-1] != '\n' {
		t.hidden = append(t.hidden, '\n')
	}
}

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

var (
	blocks = nameSet(`address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption
		figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav ol optgroup option
		p plaintext pre section select summary table tbody textarea tfoot thead title tr ul xmp`)
	voids = nameSet(`area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr`)
)
