package css

import (
	"strings"

	lexer "github.com/tdewolff/parse/v2/css"
)

// Keywords of values, besides those of Display.
const (
	sizeLength = iota // a length
	sizeAuto          // auto, none and the like
)

const (
	shows = iota
	hides
)

const (
	inPlace = iota
	outside // of the text: absolute, fixed
	moved
)

const floating = 1

const (
	textNormal = iota
	textLines  // line feeds of the source break the line
)

// value reads what one property is declared to be.
func (s *Sheet) value(p property, list []token) (v value, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	word := ""
	if len(list) == 1 && list[0].kind == lexer.IdentToken {
		word = list[0].text
	}
	switch p {
	case display:
		d, known := displayOf(list)
		return value{keyword: int(d)}, known
	case visibility:
		return keyword(word, "visible", "hidden collapse")
	case contentVisibility:
		return keyword(word, "visible auto", "hidden")
	case overflowX, overflowY:
		return keyword(word, "visible", "hidden clip scroll auto overlay -webkit-paged-x -webkit-paged-y")
	case position:
		if contains("relative sticky -webkit-sticky", word) {
			return value{keyword: moved}, true
		}
		return keyword(word, "static", "absolute fixed")
	case float:
		return keyword(word, "none", "left right inline-start inline-end")
	case whiteSpace:
		if len(list) > 1 {
			word = list[0].text
		}
		return keyword(word, "normal nowrap collapse wrap", "pre pre-wrap pre-line break-spaces preserve preserve-breaks")
	case opacity:
		return s.opacity(list)
	case color, fillColor:
		return s.color(list)
	case fontSize:
		return s.fontSize(word, list)
	case clip:
		return clipOf(s, list)
	case clipPath:
		return clipPathOf(s, list)
	case transform:
		return transformOf(s, list)
	case scale:
		return scaleOf(list)
	case filter:
		return filterOf(s, list)
	case padding:
		values, ok := s.padding(list)
		if !ok {
			return v, false
		}
		return values[0], true
	}
	if autoWords[word] {
		return value{keyword: sizeAuto}, true
	}
	v.length, ok = s.length(list)
	if l := v.length.at(16, screenWidth); l < 0 && p >= width && p <= minHeight && list[0].kind != lexer.FunctionToken {
		ok = false
	}
	return v, ok
}

var autoWords = set("auto none min-content max-content fit-content intrinsic -webkit-fill-available stretch")

// keyword knows the words that keep an element as it is, and those that change it.
func keyword(word, plain, other string) (value, bool) {
	switch {
	case word == "":
		return value{}, false
	case contains(plain, word):
		return value{}, true
	}
	return value{keyword: 1}, contains(other, word)
}

func contains(list, word string) bool {
	for one := range strings.FieldsSeq(list) {
		if one == word {
			return true
		}
	}
	return false
}

// number reads a number or a percentage as a share of one.
func number(list []token) (float64, bool) {
	if len(list) == 0 {
		return 0, false
	}
	switch t := list[0]; {
	case t.kind == lexer.NumberToken && len(list) == 1:
		n, _ := dimension(t.text)
		return n, true
	case t.kind == lexer.PercentageToken && len(list) == 1:
		n, _ := dimension(t.text)
		return n / 100, true
	case t.kind == lexer.FunctionToken:
		inner, rest := bracket(list)
		c := calculation{}
		l, ok := c.function(t.text, inner)
		return l.px + l.percent/100, ok && len(rest) == 0 && l.em == 0
	}
	return 0, false
}

// faint is the opacity below which nobody reads a text.
const faint = 0.02

func (s *Sheet) opacity(list []token) (v value, ok bool) {
	n, ok := number(list)
	if n < faint {
		v.keyword = hides
	}
	return v, ok
}

func (s *Sheet) fontSize(word string, list []token) (value, bool) {
	switch size := fontSizes[word]; {
	case size > 0:
		return value{length: length{px: size}}, true
	case word == "smaller":
		return value{length: length{em: 1 / 1.2}}, true
	case word == "larger":
		return value{length: length{em: 1.2}}, true
	}
	l, ok := s.length(list)
	if l.at(16, 16) < 0 && list[0].kind != lexer.FunctionToken {
		return value{}, false
	}
	return value{length: length{px: l.px, em: l.em + l.percent/100}}, ok
}

// color tells colours that nothing is seen of.
func (s *Sheet) color(list []token) (v value, ok bool) {
	t := list[0]
	switch {
	case len(list) == 1 && t.kind == lexer.HashToken:
		n := len(t.text)
		if strings.Trim(t.text, "0123456789abcdef") != "" || n != 3 && n != 4 && n != 6 && n != 8 {
			return v, false
		}
		if n == 4 && t.text[3] == '0' || n == 8 && (t.text[6:] == "00" || t.text[6] == '0' && t.text[7] <= '4') {
			v.keyword = hides
		}
		return v, true
	case len(list) == 1 && t.kind == lexer.IdentToken:
		if t.text == "transparent" {
			v.keyword = hides
		}
		return v, colorNames[t.text] || s.quirks && len(t.text) == 6 && strings.Trim(t.text, "0123456789abcdef") == ""
	case t.kind == lexer.FunctionToken && colorFunctions[t.text]:
		inner, rest := bracket(list)
		alpha := inner[len(inner):]
		for i, one := range inner {
			if one.is("/") {
				alpha = trim(inner[i+1:])
			}
		}
		if parts := split(inner); len(parts) == 4 {
			alpha = parts[3]
		}
		if n, ok := number(alpha); ok && n < faint {
			v.keyword = hides
		}
		return v, len(rest) == 0 && len(inner) > 0
	case s.quirks && (t.kind == lexer.NumberToken || t.kind == lexer.DimensionToken):
		return v, len(list) == 1
	}
	return v, false
}

var colorFunctions = set("rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark")

// colorNames are those of CSS Color 4, and of the system.
var colorNames = set(`transparent currentcolor aliceblue antiquewhite aqua aquamarine azure beige bisque black
	blanchedalmond blue blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk
	crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen
	darkorange darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise
	darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro
	ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki lavender
	lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan lightgoldenrodyellow lightgray lightgreen
	lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray lightslategrey lightsteelblue
	lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple
	mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream
	mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid palegoldenrod palegreen
	paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple rebeccapurple red rosybrown
	royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue slategray slategrey
	snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow yellowgreen
	accentcolor accentcolortext activetext buttonborder buttonface buttontext canvas canvastext field fieldtext
	graytext highlight highlighttext linktext mark marktext selecteditem selecteditemtext visitedtext windowtext
	window background infotext infobackground menu menutext`)
