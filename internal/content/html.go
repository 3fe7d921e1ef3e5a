package content

import (
	"bytes"
	"io"
	"strings"

	"mailweir/internal/content/htmltext"
)

// htmlReading is one HTML text while it is read.
type htmlReading struct {
	w      *walk
	shown  *sink
	source *sink // tags and all, with entities undone; nil when no one asks for it
	second *secondText
}

// html examines HTML in two readings. The first is what shows; patterns, card numbers and what
// keeps a definition from firing read that alone. Since a guess at what shows may be wrong, words
// and phrases are looked for once more with every element in the line, nothing hidden and no break.
// An entry counts by the reading that has it most often, as in alternatives.
func (w *walk) html(r io.Reader, shown *sink) {
	p := &htmlReading{w: w, shown: shown, source: w.x.sink(HTML)}
	choice := w.x.choose()
	defer choice.end()
	p.second = w.x.secondText(shown)
	defer p.second.release()
	page, whole := w.holdHTML(r)
	if doc := *page; !whole {
		p.stream(io.MultiReader(bytes.NewReader(doc), r))
	} else {
		p.whole(doc)
	}
	w.giveBack(cap(*page))
	w.x.examiner.pages.Put(page)
	w.x.sink(HTML).end()
	shown.end()
	choice.next()
	w.x.hits = p.second.end()
}

// holdHTML reads as much as a tree is made of; whole tells that this is all. The buffer must be
// given back.
func (w *walk) holdHTML(r io.Reader) (page *[]byte, whole bool) {
	page, _ = w.x.examiner.pages.Get().(*[]byte)
	if page == nil || !w.takeSpare(cap(*page)) {
		page = new([]byte)
	}
	doc := (*page)[:0]
	defer func() { *page = doc }()
	for {
		if len(doc) == cap(doc) {
			size := min(max(8<<10, 2*cap(doc)), htmltext.MaxTree+1) // one more, to see the end
			if size == cap(doc) || !w.takeSpare(size) {
				return page, false
			}
			w.giveBack(cap(doc))
			doc = append(make([]byte, 0, size), doc...)
		}
		n, err := r.Read(doc[len(doc):cap(doc)])
		doc = doc[:len(doc)+n]
		if err != nil {
			return page, true
		}
	}
}

// whole reads a document that is held.
func (p *htmlReading) whole(doc []byte) {
	if p.source != nil {
		htmltext.Source(doc, p.source.put)
		p.source = nil
	}
	doc, weight := htmltext.Weigh(doc)
	if weight > htmltext.Heaviest || !p.w.takeSpare(weight) {
		p.stream(bytes.NewReader(doc))
		return
	}
	t, err := htmltext.Parse(doc)
	if err == nil {
		took := min(weight, t.Weight()+htmltext.Besides(doc))
		p.w.giveBack(weight - took)
		weight = took
		p.tree(t)
	}
	p.w.giveBack(weight)
	if err != nil {
		p.stream(bytes.NewReader(doc))
	}
}

// tree reads a document as a browser does.
func (p *htmlReading) tree(t *htmltext.Tree) {
	steps := 0
	more := func() bool { // asked for every element
		steps++
		return steps%64 != 0 || !p.w.x.halted()
	}
	apart := t.Shown(p.shown.put, more)
	p.apart(apart)
	if apart.Glued {
		t.Inline(p.second.put, more)
	}
}

// stream reads HTML that no tree is made of.
func (p *htmlReading) stream(r io.Reader) {
	w := p.w
	if !w.borrow(htmltext.StreamMemory) {
		return
	}
	defer w.giveBack(htmltext.StreamMemory)
	w.x.reach(LimitTree)
	out := htmltext.Output{
		Shown: p.shown.put, Inline: p.second.put,
		Long: func() { w.x.reach(LimitMarkup) },
	}
	if p.source != nil {
		out.Source = p.source.put
	}
	p.apart(htmltext.Stream(r, out))
}

// apart examines what does not stand in the line. Hidden text is read for words only, because mail
// readers differ in what they hide and lists of messages show it as a preview.
func (p *htmlReading) apart(a htmltext.Apart) {
	x := p.w.x
	x.result.Hidden += a.Stretches
	if a.Cut {
		x.reach(LimitHidden)
	}
	if a.Unstyled {
		x.reach(LimitStyle)
	}
	if len(a.Aside) > 0 {
		p.shown.end()
		p.shown.put(a.Aside)
	}
	if len(a.Hidden) > 0 {
		p.shown.wordsOnly(a.Hidden)
	}
}

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}
