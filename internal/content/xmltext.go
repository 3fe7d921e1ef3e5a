package content

import (
	"bytes"
	"io"

	"mailweir/internal/content/xml"
)

// xmlText gives the text of an XML file as programs show it: of an office document above all, which
// cuts words into runs. The parts of a paragraph join unless they are known to separate; elsewhere
// every tag separates.
type xmlText struct {
	w     *walk
	shown *sink
	aside *aside
	names bool // local names count under any namespace: the document's own is not known

	space  string // of the last element
	spoken dialect

	depth      int  // of the element that is open
	paragraphs int  // that are open: a text box in one holds others
	mixed      bool // white space between two tags of this paragraph is text
	beside     int  // depth of the outermost element that shows elsewhere, 0 for none
	unshown    int  // depth of the outermost one that does not show, 0 for none
	drop       int  // depth of one that holds no text, 0 for none
	plain      bool // the last tag began an element that holds text alone

	run, properties int    // depth of the run of a paragraph, and of the properties of anything
	unmarked        int    // how many paragraphs are open, the last with a hidden mark at its end
	joined          bool   // that of the last one was: the next goes on with it
	style           string // that is being declared
	styles          *styles
	kept            styledText // of the paragraph that is open
	trimmed         omission   // paragraphs as Word shows them
	preserve        bool       // no blanks are dropped
	word            int        // where the text of a w:t begins in kept, -1 where blanks are kept
	escapes         xEscapes
}

// xml examines an XML file. If it is a part of an office document, which has styles, it is one
// whatever its namespaces.
func (w *walk) xml(r io.Reader, s *sink, of *styles) {
	if !w.borrow(xmlMemory) {
		return
	}
	defer w.giveBack(xmlMemory)
	in := xml.New(r)
	d := &xmlText{w: w, shown: s, aside: newAside(w, s), mixed: true, styles: of, word: -1}
	d.trimmed = omission{w: w, shown: s}
	if of == nil {
		d.styles = &styles{w: w}
		defer func() { d.styles.end(s) }()
	}
	for t := in.Next(); t != nil; t = in.Next() {
		switch t.Kind {
		case xml.Text:
			d.text(t.Text)
		case xml.Start:
			if d.depth == 0 {
				d.names = of != nil && dialectOf(t.Space) == unknown
			}
			d.start(t)
		case xml.End:
			d.end(t)
		}
	}
	d.aside.flush()
	if d.trimmed.text != nil {
		d.trimmed.end()
	}
	if in.Cut() {
		w.x.reach(LimitMarkup)
	}
	if in.Swollen() {
		w.x.reach(LimitExpanded)
	}
}

// xmlMemory is what a tag, a document type and the text apart may take.
const xmlMemory = 4 * maxAside

// dialect is that of an element, and whether its name counts.
func (d *xmlText) dialect(t *xml.Token) (dialect, bool) {
	if t.Space != d.space {
		d.space, d.spoken = t.Space, dialectOf(t.Space)
	}
	return d.spoken, d.spoken != unknown || d.names
}

func (d *xmlText) start(t *xml.Token) {
	d.depth++
	d.escapes.end(d)
	v, known := d.dialect(t)
	r := roles[t.Local]
	d.plain = known && (t.Local == "t" || r&unshown != 0)
	d.escapes.on = v == sheets || d.names
	switch {
	case !known:
	case d.properties == 0 && v.hides(t.Local, r) || d.styled(v, t):
		d.hide(d.depth)
	case d.paragraphs > 0 && r&elsewhere != 0 && !d.apart():
		d.beside = d.depth
		d.aside.next(false)
	}
	if known && (t.Local == "style" || t.Local == "script") && (v == svg || v == xhtml) && d.drop == 0 {
		d.drop = d.depth
	}
	d.separate(t, v, r, known)
	if !known {
		return
	}
	d.trims(t)
	if v.isParagraph(t.Local) {
		d.paragraphs++
		d.mixed = v.mixed()
		d.run, d.joined = 0, false
		if d.unmarked >= d.paragraphs {
			d.unmarked = 0
		}
	}
	if r&talks != 0 {
		for _, name := range attributeTexts[t.Local] {
			d.note(name, t.Attr(name))
		}
	}
	d.element(v, t)
}

// apart tells that text does not stand in its paragraph.
func (d *xmlText) apart() bool { return d.beside > 0 || d.unshown > 0 }

// hide tells that the text of the element at a depth does not show.
func (d *xmlText) hide(depth int) {
	if d.unshown == 0 {
		d.unshown = depth
		d.aside.next(true)
	}
}

// show ends what stands apart with the element that is open.
func (d *xmlText) show() {
	if d.unshown == d.depth {
		d.unshown = 0
		d.aside.hidden.once()
		d.aside.to = &d.aside.beside
	}
	if d.beside == d.depth {
		d.beside = 0
		d.aside.beside.once()
	}
}

func (d *xmlText) end(t *xml.Token) {
	d.escapes.end(d)
	d.plain = false
	d.trim()
	v, known := d.dialect(t)
	paragraph := known && v.isParagraph(t.Local) && d.paragraphs > 0
	if paragraph && d.unmarked == d.paragraphs && !d.apart() {
		d.joined, d.unmarked = true, 0
	}
	d.separate(t, v, roles[t.Local], known)
	if paragraph {
		d.paragraphs--
		d.run = 0
	}
	d.show()
	if d.drop == d.depth {
		d.drop = 0
	}
	d.kept.close(d.depth)
	if d.run == d.depth {
		d.run = 0
	}
	if d.properties == d.depth {
		d.properties = 0
	}
	d.depth = max(d.depth-1, 0)
	if d.paragraphs == 0 && !d.apart() {
		d.keep()
		d.aside.paragraph()
	}
}

// separate keeps the words apart that an element parts.
func (d *xmlText) separate(t *xml.Token, v dialect, r role, known bool) {
	switch {
	case d.paragraphs == 0, known && (r&separatesByLine != 0 || v.isParagraph(t.Local)), v == svg && moved(t):
		d.gap("\n")
	case known && r&separatesByBlank != 0:
		d.gap(" ")
	}
}

func (d *xmlText) gap(gap string) {
	switch {
	case d.drop > 0:
	case d.apart():
		d.aside.to.gap()
	case !d.joined:
		d.write([]byte(gap))
	}
}

func (d *xmlText) text(text []byte) {
	if !d.mixed && !d.plain && d.paragraphs > 0 && len(bytes.TrimSpace(text)) == 0 {
		return // the lines of a document that is written for people
	}
	d.escapes.write(d, text)
}

// put gives text without escapes.
func (d *xmlText) put(text []byte) {
	switch {
	case d.drop > 0:
	case d.apart():
		_, _ = d.aside.to.Write(text)
	default:
		d.write(text)
	}
}

// write gives text that shows.
func (d *xmlText) write(text []byte) {
	_, _ = d.shown.Write(text)
	if d.paragraphs > 0 {
		d.kept.write(text)
	}
}

// note gives the text of an attribute, apart.
func (d *xmlText) note(name string, text []byte) {
	switch {
	case len(text) == 0 || d.drop > 0:
	case d.apart():
		d.aside.to.gap()
		_, _ = d.aside.to.Write(text)
		d.aside.to.gap()
	case d.paragraphs > 0 || d.joined:
		d.aside.next(name == "instr")
		_, _ = d.aside.to.Write(text)
	default:
		d.shown.WriteString("\n")
		_, _ = d.shown.Write(text)
		d.shown.WriteString("\n")
	}
}
