package content

import (
	"bytes"
	"strconv"
	"strings"

	"mailweir/internal/content/xml"
)

// element looks at what some elements mean.
func (d *xmlText) element(v dialect, t *xml.Token) {
	switch t.Local {
	case "Relationship":
		if strings.EqualFold(string(t.Attr("TargetMode")), "external") {
			d.note("Target", t.Attr("Target"))
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
	case d.run > 0:
		d.hide(d.run)
	case !d.apart() && d.paragraphs > 0:
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
	case d.run > 0:
		d.hide(d.run)
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
	case style == "" || d.paragraphs == 0:
	case d.styles.hides(style):
		d.hide(depth)
	case !d.apart() && !d.styles.shows(style):
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

// moved tells a piece of a text of SVG that stands elsewhere than behind the one before.
func moved(t *xml.Token) bool {
	return t.Local == "tspan" && (t.Attr("x") != nil || t.Attr("y") != nil || len(bytes.Trim(t.Attr("dy"), "0.")) > 0)
}

// trims notes the beginning of a w:t. Word drops the blanks at its beginning and end unless it, or
// an element around it, says otherwise (ECMA-376 part 1, section 17.3.3.31); others show them.
func (d *xmlText) trims(t *xml.Token) {
	preserve := string(t.Attr("space")) == "preserve"
	switch {
	case t.Local != "t":
		d.preserve = d.preserve || preserve
	case !preserve && !d.preserve && d.paragraphs > 0 && !d.apart() && strings.Contains(t.Space, "/wordprocessingml/"):
		d.word = len(d.kept.text)
	}
}

// trim notes the blanks of a w:t that has ended.
func (d *xmlText) trim() {
	if d.word < 0 {
		return
	}
	text := d.kept.text[d.word:]
	first := len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
	last := max(first, len(bytes.TrimRight(text, " \t\r\n")))
	d.kept.drop(d.word, d.word+first)
	d.kept.drop(d.word+last, d.word+len(text))
	d.word = -1
}

// keep is called at the end of a paragraph.
func (d *xmlText) keep() {
	if d.kept.drops {
		if d.kept.finish() {
			d.w.x.reach(LimitHidden)
		}
		d.trimmed.read(&d.kept, func(style string) bool { return style == dropped })
	}
	d.styles.keep(&d.kept)
	d.kept.reset()
}
