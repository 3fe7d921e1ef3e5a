package rtf

import (
	"strings"

	"mailweir/internal/charset"
)

// word is what a control word means. Most, which change the look of text, mean nothing here.
type word struct {
	kind  kind
	name  string
	place place // of a destination
	sign  rune
}

type kind int

const (
	unknown     kind = iota
	destination      // a group whose text is none of the paragraph in which it stands
	text             // a group with text of the paragraph, though it is marked as one that not all know
	sign             // it stands for a character
	property         // it changes how text is read
)

var words = func() map[string]word {
	m := map[string]word{}
	for to, names := range map[place]string{
		nowhere: `colortbl stylesheet pict objdata objclass objname objalias objtime objsect listtable listoverridetable rsidtbl
			generator themedata colorschememapping latentstyles datastore xmlnstbl filetbl revtbl template picprop bkmkstart
			bkmkend passwordhash falt panose fontemb fname pnseclvl datafield creatim revtim printim buptim aftnsep aftnsepc
			aftncn ftnsep ftnsepc ftncn fontfile`,
		hidden: `info title subject author manager company operator category keywords comment doccomm hlinkbase fldinst xe tc
			rxe upr userprops propname staticval docvar formfield ffname ffhelptext ffstattext`,
		beside: `header headerl headerr headerf footer footerl footerr footerf footnote annotation atnauthor shpinst shptxt do
			dptxbxtext ffdeftext ffl`,
	} {
		for _, name := range strings.Fields(names) {
			m[name] = word{kind: destination, place: to}
		}
	}
	for _, name := range strings.Fields("moMath moMathPara shppict mmath background") {
		m[name] = word{kind: text}
	}
	for name, c := range signs {
		m[name] = word{kind: sign, sign: c}
	}
	for _, name := range strings.Fields(`u bin sn sv fonttbl ud uc v deleted mvf fs plain f deff fcharset cpg ansicpg mac pc
		pca`) {
		m[name] = word{kind: property}
	}
	for name, w := range m {
		w.name = name
		m[name] = w
	}
	return m
}()

// signs are words that stand for a character.
var signs = map[string]rune{
	"par": '\n', "line": '\n', "cell": '\n', "row": '\n', "sect": '\n', "page": '\n', "column": '\n', "nestcell": '\n',
	"nestrow": '\n', "lbr": '\n', "tab": '\t', "emspace": ' ', "enspace": ' ', "qmspace": ' ', "bullet": '\u2022',
	"lquote": '\u2018', "rquote": '\u2019', "ldblquote": '\u201c', "rdblquote": '\u201d', "emdash": '\u2014', "endash": '\u2013',
}

// shapeTexts are the properties of shapes that a person reads: words that are drawn, and what they
// are in words.
var shapeTexts = nameSet("gtextUNICODE wzDescription wzTooltip pihlShape")

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

// apply does what a control word says; given if it has a number.
func (r *reader) apply(w word, number int, given bool) {
	r.characters(true)
	starred := r.group.starred
	r.group.starred = false
	if w.name == "u" {
		r.drop = 0
		r.unit(rune(uint16(number)))
		r.drop = r.group.unicode
		return
	}
	r.dropped()
	switch {
	case w.kind == destination:
		r.destination(w.place)
	case r.special(w.name, number):
	case starred && w.kind != text:
		r.group.to = nowhere
	case w.kind == sign:
		r.rune(w.sign)
		if w.name == "par" && r.to == shown && r.group.to == shown {
			r.flush()
			r.out.Paragraph()
		}
	case w.kind == property:
		r.property(w.name, number, given)
	}
}

// special does what some words say in a way of their own.
func (r *reader) special(name string, number int) bool {
	switch name {
	case "bin":
		if number > 0 {
			_, _ = r.in.Discard(number)
		}
	case "sn":
		next, _ := r.in.Peek(32)
		property, _, _ := strings.Cut(string(next), "}")
		r.shape = shapeTexts[strings.TrimSpace(property)]
		r.group.to = nowhere
	case "sv":
		if r.shape {
			r.destination(beside)
		} else {
			r.group.to = nowhere
		}
	case "fonttbl":
		r.group.to, r.group.fonts = nowhere, true
	case "ud": // the same in Unicode as what stands before
		if n := len(r.groups); n >= 2 {
			r.group.to = r.groups[n-2].to
		}
	default:
		return false
	}
	return true
}

func (r *reader) destination(to place) {
	if r.group.to == nowhere {
		return
	}
	if r.group.to = to; to != nowhere && r.to == to {
		r.rune('\n')
	}
}

// property changes how text is read.
func (r *reader) property(name string, number int, given bool) {
	g, on := &r.group, !given || number != 0
	r.here = nil
	switch name {
	case "uc":
		if number >= 0 && number < 16 {
			g.unicode = number
		}
	case "v":
		g.hidden = on
	case "deleted", "mvf":
		g.deleted = on
	case "fs":
		g.tiny = given && number >= 0 && number <= 3 // half points
	case "plain":
		g.hidden, g.deleted, g.tiny, g.font = false, false, false, noFont
	case "f":
		if g.fonts {
			r.font = number
		} else {
			g.font = number
		}
	case "deff":
		r.deff = number
	case "fcharset", "cpg":
		r.fontCharset(name, number)
	case "ansicpg":
		r.codePage(number)
	case "mac":
		r.codePage(10000)
	case "pc":
		r.codePage(437)
	case "pca":
		r.codePage(850)
	}
}

func (r *reader) codePage(number int) {
	if code := charset.ByCodePage(number); code != nil {
		r.code = code
	}
}

// fontPages are the code pages of fonts by their charset (RTF specification, "Font Table"). Fonts
// of the charset 0 and 1 have that of the document.
var fontPages = map[int]int{
	77: 10000, 78: 10001, 79: 10003, 80: 10008, 81: 10002, 89: 10007, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950,
	161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 255: 850,
}

func (r *reader) fontCharset(by string, number int) {
	if !r.group.fonts || len(r.fonts) >= maxFonts {
		return
	}
	if by == "fcharset" {
		if r.fonts[r.font] != nil {
			return // the code page itself came before
		}
		number = fontPages[number]
	}
	if code := charset.ByCodePage(number); code != nil {
		r.fonts[r.font] = code
	}
}
