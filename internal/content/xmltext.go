package content

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"mailweir/internal/content/xml"
)

// xmlText gives the text of an XML file as programs show it: of an office document above all, which
// cuts words into runs. The parts of a paragraph join unless they are known to separate; elsewhere
// every tag separates.
type xmlText struct {
	w     *walk
	shown *sink
	aside aside
	names bool // local names count under any namespace: the document's own is not known

	space  string // of the last element
	spoken dialect

	depth      int  // of the element that is open
	paragraphs int  // that are open: a text box in one holds others
	mixed      bool // white space between two tags of this paragraph is text
	apart      int  // depth of the outermost element whose text stands apart, 0 for none
	drop       int  // depth of one that holds no text, 0 for none
	plain      bool // the last tag began an element that holds text alone

	run, properties int    // depth of the run of a paragraph, and of the properties of anything
	unmarked        int    // how many paragraphs are open, the last with a hidden mark at its end
	joined          bool   // that of the last one was: the next goes on with it
	style           string // that is being declared
	styles          *styles
	kept            styledText // of the paragraph that is open
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
	d := &xmlText{w: w, shown: s, aside: aside{w: w, shown: s}, mixed: true, styles: of}
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
	d.plain = known && (t.Local == "t" || hiddenElements[t.Local])
	d.escapes.on = v == sheets || d.names
	if known && d.apart == 0 && (v.hides(t.Local, d.paragraphs > 0) && d.properties == 0 || d.styled(v, t)) {
		d.setApart(d.depth)
	}
	if known && (t.Local == "style" || t.Local == "script") && (v == svg || v == xhtml) && d.drop == 0 {
		d.drop = d.depth
	}
	d.separate(t, v, known)
	if !known {
		return
	}
	if v.isParagraph(t.Local) {
		d.paragraphs++
		d.mixed = v.mixed()
		d.run, d.joined = 0, false
		if d.unmarked >= d.paragraphs {
			d.unmarked = 0
		}
	}
	for _, name := range attributeTexts[t.Local] {
		d.note(t.Attr(name))
	}
	d.element(v, t)
}

// element looks at what some elements mean.
func (d *xmlText) element(v dialect, t *xml.Token) {
	switch t.Local {
	case "Relationship":
		if strings.EqualFold(string(t.Attr("TargetMode")), "external") {
			d.note(t.Attr("Target"))
		}
	case "r":
		d.run = d.depth
	case "rPr":
		if d.properties == 0 {
			d.properties = d.depth
		}
		d.small(t.Attr("sz"), 150) // hundredths of a point
	case "sz":
		if most := 3; d.properties > 0 { // half points, in spreadsheets points
			if v == sheets {
				most = 1
			}
			d.small(t.Attr("val"), most)
		}
	case "vanish", "specVanish", "del":
		if d.properties > 0 && !off(t.Attr("val")) {
			d.vanish(t.Local)
		}
	case "sym":
		if n, err := strconv.ParseUint(string(t.Attr("char")), 16, 16); err == nil && n != 0 {
			if n&0xff00 == 0xf000 {
				n &= 0xff // the area that fonts of signs use for the letters that they replace
			}
			d.text([]byte(string(rune(n))))
		}
	case "noBreakHyphen":
		d.text([]byte("-"))
	case "rStyle":
		if d.run > 0 && d.properties > 0 {
			d.runStyle(t.Attr("val"), d.run)
		}
	case "span":
		d.runStyle(t.Attr("style-name"), d.depth)
	default:
		d.declaration(v, t)
	}
}

// vanish hides a run by its properties, or the mark of a paragraph: then two of them show as one.
func (d *xmlText) vanish(by string) {
	switch {
	case d.run > 0 && by == "del": // the run stands in an element that says so
	case d.run > 0 && d.apart == 0:
		d.setApart(d.run)
	case d.run == 0 && d.apart == 0 && d.paragraphs > 0:
		d.unmarked = d.paragraphs
	case d.paragraphs == 0 && by != "del":
		d.styles.hide(d.style)
	}
}

// small hides a run whose letters are no larger than a point and a half.
func (d *xmlText) small(size []byte, most int) {
	n, err := strconv.ParseFloat(string(size), 64)
	switch {
	case err != nil || n > float64(most):
	case d.paragraphs == 0:
		d.styles.hide(d.style)
	case d.run > 0 && d.apart == 0:
		d.setApart(d.run)
	}
}

// declaration looks at what declares a style.
func (d *xmlText) declaration(v dialect, t *xml.Token) {
	switch t.Local {
	case "style", "default-style":
		if d.style = string(t.Attr("styleId")); d.style == "" {
			d.style = string(t.Attr("name"))
		}
		d.styles.declare(d.style, string(t.Attr("parent-style-name")))
	case "basedOn":
		d.styles.declare(d.style, string(t.Attr("val")))
	case "text-properties":
		if v == oasis && string(t.Attr("display")) == "none" {
			d.styles.hide(d.style)
		}
	}
}

// runStyle looks at the style of a run.
func (d *xmlText) runStyle(name []byte, depth int) {
	switch style := string(name); {
	case style == "" || d.apart > 0 || d.paragraphs == 0:
	case d.styles.hides(style):
		d.setApart(depth)
	case !d.styles.shows(style):
		d.kept.open(style, depth)
	}
}

// styled tells an element that is hidden by its look.
func (d *xmlText) styled(v dialect, t *xml.Token) bool {
	switch v {
	case oasis:
		return t.Local != "span" && d.styles.hiding > 0 && d.styles.hides(string(t.Attr("style-name")))
	case svg:
		return len(t.Attrs) > 0 && hiddenStyle(t)
	}
	return false
}

func (d *xmlText) setApart(depth int) {
	d.apart = depth
	d.aside.next()
}

func (d *xmlText) end(t *xml.Token) {
	d.escapes.end(d)
	d.plain = false
	v, known := d.dialect(t)
	paragraph := known && v.isParagraph(t.Local) && d.paragraphs > 0
	if paragraph && d.unmarked == d.paragraphs && d.apart == 0 {
		d.joined, d.unmarked = true, 0
	}
	d.separate(t, v, known)
	if paragraph {
		d.paragraphs--
		d.run = 0
	}
	if d.apart == d.depth {
		d.apart = 0
		d.aside.once()
	}
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
	if d.paragraphs == 0 && d.apart == 0 {
		d.styles.keep(&d.kept)
		d.kept.reset()
		d.aside.paragraph()
	}
}

// separate keeps the words apart that an element parts.
func (d *xmlText) separate(t *xml.Token, v dialect, known bool) {
	switch {
	case d.paragraphs == 0, known && (v.isParagraph(t.Local) || breakElements[t.Local]), v == svg && moved(t):
		d.gap("\n")
	case known && blankElements[t.Local]:
		d.gap(" ")
	}
}

// moved tells a piece of a text of SVG that stands elsewhere than behind the one before.
func moved(t *xml.Token) bool {
	return t.Local == "tspan" && (t.Attr("x") != nil || t.Attr("y") != nil || len(bytes.Trim(t.Attr("dy"), "0.")) > 0)
}

func (d *xmlText) gap(gap string) {
	switch {
	case d.drop > 0:
	case d.apart > 0:
		d.aside.gap()
	case !d.joined:
		d.show([]byte(gap))
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
	case d.apart > 0:
		_, _ = d.aside.Write(text)
	default:
		d.show(text)
	}
}

func (d *xmlText) show(text []byte) {
	_, _ = d.shown.Write(text)
	if d.paragraphs > 0 {
		d.kept.write(text)
	}
}

// note gives the text of an attribute, apart.
func (d *xmlText) note(text []byte) {
	switch {
	case len(text) == 0 || d.drop > 0:
	case d.apart > 0 || d.paragraphs > 0 || d.joined:
		d.aside.gap()
		_, _ = d.aside.Write(text)
		d.aside.gap()
	default:
		d.shown.WriteString("\n")
		_, _ = d.shown.Write(text)
		d.shown.WriteString("\n")
	}
}
