package content

import (
	"strings"

	"mailweir/internal/content/xml"
)

// dialect is what the names of elements mean, told by their namespace: prefixes are free.
type dialect int

const (
	unknown dialect = iota
	office          // Office Open XML, in its two editions, and what Microsoft wrote before
	sheets          // the spreadsheets of it
	oasis           // OpenDocument
	svg
	xhtml
)

var namespaces = []struct {
	prefix string
	dialect
}{
	{"http://schemas.openxmlformats.org/spreadsheetml/", sheets},
	{"http://purl.oclc.org/ooxml/spreadsheetml/", sheets},
	{"urn:schemas-microsoft-com:office:spreadsheet", sheets},
	{"http://schemas.openxmlformats.org/", office},
	{"http://purl.oclc.org/ooxml/", office},
	{"http://schemas.microsoft.com/office/", office},
	{"urn:schemas-microsoft-com:", office},
	{"urn:oasis:names:tc:opendocument:", oasis},
	{"http://openoffice.org/", oasis},
	{"http://www.w3.org/2000/svg", svg},
	{"http://www.w3.org/1999/xhtml", xhtml},
	{"http://www.w3.org/TR/REC-html40", xhtml},
}

func dialectOf(space string) dialect {
	for _, n := range namespaces {
		if strings.HasPrefix(space, n.prefix) {
			return n.dialect
		}
	}
	return unknown
}

// mixed tells the dialects in which white space between two tags is text.
func (v dialect) mixed() bool { return v != office && v != sheets }

// isParagraph tells the elements whose parts join: in all others every tag separates.
func (v dialect) isParagraph(local string) bool {
	switch local {
	case "p":
		return true
	case "h":
		return v == oasis || v == unknown
	case "si", "is":
		return v == sheets || v == unknown
	case "Data":
		return v == sheets
	case "text":
		return v == svg || v == sheets
	case "h1", "h2", "h3", "h4", "h5", "h6", "div", "td", "th", "li":
		return v == xhtml
	}
	return false
}

// role is what an element does whose name is known, in all dialects alike.
type role uint8

const (
	separatesByBlank role = 1 << iota // in a paragraph too
	separatesByLine
	// Its text does not show: it was deleted or moved away, makes a field, or tells how to
	// pronounce a word.
	unshown
	elsewhere // its text shows elsewhere than in the paragraph in which it stands
	talks     // it has attributes that a person reads
)

var roles = func() map[string]role {
	m := map[string]role{}
	for r, names := range map[role]string{
		separatesByBlank: "tab ptab s",
		separatesByLine: `br cr line-break table table-row table-cell tbl tr tc td th list list-item li div h1 h2 h3 h4 h5 h6
			hr ul ol dl dt dd`,
		unshown:   "delText instrText delInstrText del moveFrom rPh tracked-changes deletion hidden-text",
		elsewhere: "txbxContent Fallback note annotation frame custom-shape rt ruby-text",
	} {
		for _, name := range strings.Fields(names) {
			m[name] |= r
		}
	}
	for name := range attributeTexts {
		m[name] |= talks
	}
	return m
}()

var svgHidden = nameSet("title desc metadata")

// hides tells whether the text of an element does not show.
func (v dialect) hides(local string, r role) bool {
	switch v {
	case svg:
		return svgHidden[local]
	case xhtml:
		return false
	}
	return r&unshown != 0
}

// attributeTexts are attributes that a person reads, by element.
var attributeTexts = map[string][]string{
	"hyperlink": {"tooltip", "display"}, "docPr": {"descr", "title"}, "cNvPr": {"descr", "title"}, "fldSimple": {"instr"},
	"sheet": {"name"}, "table": {"name"}, "a": {"href", "title"}, "textpath": {"string"}, "hidden-text": {"string-value"},
	"listItem": {"displayText"}, "shape": {"alt"}, "imagedata": {"title"}, "img": {"alt"},
	"dataValidation": {"prompt", "promptTitle", "error", "errorTitle"},
}

// off tells the value of a property that is not to be.
func off(value []byte) bool {
	switch string(value) {
	case "0", "false", "off":
		return true
	}
	return false
}

// hiddenStyle tells the attributes with which SVG hides an element.
func hiddenStyle(t *xml.Token) bool {
	for _, a := range t.Attrs {
		name, value := string(a.Local), string(a.Value)
		if name == "style" {
			for one := range strings.SplitSeq(value, ";") {
				property, value, _ := strings.Cut(one, ":")
				if hidingProperty(strings.TrimSpace(property), value) {
					return true
				}
			}
		} else if hidingProperty(name, value) {
			return true
		}
	}
	return false
}

func hidingProperty(name, value string) bool {
	value = strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "display":
		return value == "none"
	case "visibility":
		return value == "hidden" || value == "collapse"
	case "opacity", "fill-opacity", "font-size":
		return value != "" && strings.Trim(value, "0.px%") == ""
	}
	return false
}
