package rtf

import (
	"strings"

	"mailweir/internal/charset"
)

// destinations are the groups whose text is none of the paragraph in which they stand.
var destinations = func() map[string]place {
	m := map[string]place{}
	for _, name := range strings.Fields(`colortbl stylesheet pict objdata objclass objname objalias objtime objsect listtable
		listoverridetable rsidtbl generator themedata colorschememapping latentstyles datastore xmlnstbl filetbl revtbl
		template picprop bkmkstart bkmkend passwordhash falt panose fontemb fname pnseclvl datafield creatim revtim printim
		buptim aftnsep aftnsepc aftncn ftnsep ftnsepc ftncn fontfile`) {
		m[name] = nowhere
	}
	for _, name := range strings.Fields(`info title subject author manager company operator category keywords comment doccomm
		hlinkbase fldinst xe tc rxe upr userprops propname staticval docvar formfield ffname ffhelptext ffstattext`) {
		m[name] = hidden
	}
	for _, name := range strings.Fields(`header headerl headerr headerf footer footerl footerr footerf footnote annotation
		atnauthor shpinst shptxt do dptxbxtext ffdeftext ffl`) {
		m[name] = beside
	}
	return m
}()

// textDestinations are marked as destinations that not all know, and hold text of the paragraph.
var textDestinations = nameSet("moMath moMathPara shppict mmath background")

// shapeTexts are the properties of shapes that a person reads: words that are drawn, and what they
// are in words.
var shapeTexts = nameSet("gtextUNICODE wzDescription wzTooltip pihlShape")

// signs are words that stand for a character.
var signs = map[string]rune{
	"par": '\n', "line": '\n', "cell": '\n', "row": '\n', "sect": '\n', "page": '\n', "column": '\n', "nestcell": '\n',
	"nestrow": '\n', "lbr": '\n', "tab": '\t', "emspace": ' ', "enspace": ' ', "qmspace": ' ', "bullet": '\u2022',
	"lquote": '\u2018', "rquote": '\u2019', "ldblquote": '\u201c', "rdblquote": '\u201d', "emdash": '\u2014', "endash": '\u2013',
}

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

// apply does what a control word says; given if it has a number.
func (r *reader) apply(name string, number int, given bool) {
	r.characters(true)
	starred := r.group.starred
	r.group.starred = false
	if name == "u" {
		r.drop = 0
		r.unit(rune(uint16(number)))
		r.drop = r.group.unicode
		return
	}
	r.dropped()
	to, destination := destinations[name]
	switch {
	case name == "bin":
		if number > 0 {
			_, _ = r.in.Discard(number)
		}
	case name == "sn":
		next, _ := r.in.Peek(32)
		property, _, _ := strings.Cut(string(next), "}")
		r.shape = shapeTexts[strings.TrimSpace(property)]
		r.group.to = nowhere
	case name == "sv" && r.shape:
		r.destination(beside)
	case name == "sv":
		r.group.to = nowhere
	case name == "fonttbl":
		r.group.to, r.group.fonts = nowhere, true
	case name == "ud": // the same in Unicode as what stands before
		if n := len(r.groups); n >= 2 {
			r.group.to = r.groups[n-2].to
		}
	case destination:
		r.destination(to)
	case starred && !textDestinations[name]:
		r.group.to = nowhere
	case signs[name] != 0:
		r.rune(signs[name])
		if name == "par" && r.to == shown && r.group.to == shown {
			r.flush()
			r.out.Paragraph()
		}
	default:
		r.property(name, number, given)
	}
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
