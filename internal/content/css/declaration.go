package css

import (
	lexer "github.com/tdewolff/parse/v2/css"
)

// property is one of those that decide what shows.
type property uint8

const (
	display property = iota
	visibility
	opacity
	fontSize
	color
	fillColor
	width
	height
	maxWidth
	maxHeight
	minWidth
	minHeight
	overflowX
	overflowY
	textIndent
	position
	float
	left
	top
	right
	bottom
	clip
	clipPath
	transform
	scale
	contentVisibility
	padding
	marginLeft
	marginTop
	whiteSpace
	filter
	properties // their number
)

var propertyNames = map[string]property{
	"display": display, "visibility": visibility, "opacity": opacity, "font-size": fontSize, "color": color,
	"-webkit-text-fill-color": fillColor, "width": width, "height": height, "max-width": maxWidth, "max-height": maxHeight,
	"min-width": minWidth, "min-height": minHeight, "min-inline-size": minWidth, "min-block-size": minHeight,
	"inline-size": width, "block-size": height, "max-inline-size": maxWidth, "max-block-size": maxHeight,
	"overflow-x": overflowX, "overflow-y": overflowY, "overflow-inline": overflowX, "overflow-block": overflowY,
	"text-indent": textIndent, "position": position, "float": float, "left": left, "top": top, "right": right, "bottom": bottom,
	"inset-inline-start": left, "inset-block-start": top, "clip": clip, "clip-path": clipPath, "-webkit-clip-path": clipPath,
	"transform": transform, "-webkit-transform": transform, "scale": scale, "content-visibility": contentVisibility,
	"padding-top": padding, "padding-bottom": padding, "padding-left": padding, "padding-right": padding,
	"padding-block": padding, "padding-inline": padding,
	"margin-left": marginLeft, "margin-top": marginTop, "margin-inline-start": marginLeft, "margin-block-start": marginTop,
	"white-space": whiteSpace, "filter": filter, "-webkit-filter": filter,
}

// value is what a property is declared to be: a keyword, a length, or, in word, one of CSS's own
// for every property. Tokens are kept where a custom property stands in them.
type value struct {
	word    string
	keyword int
	length  length
	tokens  []token
}

type declaration struct {
	property  property
	name      string // as written, of those with tokens
	value     value
	important bool
}

// declarations is the content of a rule or of a style attribute.
type declarations struct {
	list []declaration
	vars []custom
}

// custom is the declaration of a custom property.
type custom struct {
	name      string
	tokens    []token
	important bool
}

// add reads one declaration; what is not valid, or of no interest, is left out.
func (d *declarations) add(s *Sheet, list []token) {
	if len(list) < 2 || !s.spend(len(list)) {
		return
	}
	name := list[0]
	rest := trim(list[1:])
	if len(rest) == 0 || rest[0].kind != lexer.ColonToken {
		return
	}
	rest = trim(rest[1:])
	important := false
	if n := len(rest); n > 1 && rest[n-1].ident("important") {
		if before := trim(rest[:n-1]); len(before) > 0 && before[len(before)-1].is("!") {
			important = true
			rest = trim(before[:len(before)-1])
		}
	}
	switch {
	case name.kind == lexer.CustomPropertyNameToken:
		if s.keep(len(rest) + 1) {
			d.vars = append(d.vars, custom{name.raw, rest, important})
		}
	case name.kind != lexer.IdentToken:
	case hasVar(rest):
		if !s.keep(len(rest)) {
			return
		}
		for _, p := range covered(name.text) {
			d.list = append(d.list, declaration{p, name.text, value{tokens: rest}, important})
		}
	default:
		for _, one := range s.declare(name.text, rest) {
			one.important = important
			d.list = append(d.list, one)
		}
	}
}

func hasVar(list []token) bool {
	for _, t := range list {
		if t.kind == lexer.FunctionToken && t.text == "var" {
			return true
		}
	}
	return false
}

// covered lists what a property or a shorthand sets.
func covered(name string) []property {
	if p, known := propertyNames[name]; known {
		return []property{p}
	}
	switch name {
	case "font":
		return []property{fontSize}
	case "overflow":
		return []property{overflowX, overflowY}
	case "inset":
		return []property{top, right, bottom, left}
	case "margin":
		return []property{marginTop, marginLeft}
	case "padding":
		return []property{padding}
	case "all":
		all := make([]property, properties)
		for i := range all {
			all[i] = property(i)
		}
		return all
	}
	return nil
}

var wideKeywords = set("inherit initial unset revert revert-layer")

// declare reads the value of a property or a shorthand: nothing if it is not valid.
func (s *Sheet) declare(name string, list []token) (all []declaration) {
	properties := covered(name)
	if len(properties) == 0 || len(list) == 0 {
		return nil
	}
	if len(list) == 1 && list[0].kind == lexer.IdentToken && wideKeywords[list[0].text] {
		for _, p := range properties {
			all = append(all, declaration{property: p, value: value{word: list[0].text}})
		}
		return all
	}
	var values []value
	ok := false
	switch name {
	case "font":
		values, ok = s.font(list)
	case "overflow", "inset", "margin":
		values, ok = s.sides(properties, list)
	case "all":
	case "padding", "padding-block", "padding-inline":
		values, ok = s.padding(list)
	default:
		values = make([]value, 1)
		values[0], ok = s.value(properties[0], list)
	}
	if !ok {
		return nil
	}
	for i, p := range properties {
		all = append(all, declaration{property: p, value: values[i]})
	}
	return all
}

// words splits a value at its blanks, brackets kept whole.
func words(list []token) (parts [][]token) {
	depth, from := 0, 0
	for i, t := range list {
		if depth == 0 && t.blank() {
			if i > from {
				parts = append(parts, list[from:i])
			}
			from = i + 1
		}
		depth += nesting(t)
	}
	if from < len(list) {
		parts = append(parts, list[from:])
	}
	return parts
}

// sides reads one to four values for the sides of a box, from the top on clockwise.
func (s *Sheet) sides(properties []property, list []token) ([]value, bool) {
	parts := words(list)
	if len(parts) > 4 {
		return nil, false
	}
	var read []value
	for _, part := range parts {
		v, ok := s.value(properties[0], part)
		if !ok {
			return nil, false
		}
		read = append(read, v)
	}
	pick := func(i int) value {
		switch {
		case i < len(read):
			return read[i]
		case i == 3 && len(read) > 1:
			return read[1]
		case i > 1 && len(read) > i-2:
			return read[i-2]
		}
		return read[0]
	}
	switch len(properties) {
	case 2:
		if properties[0] == marginTop {
			return []value{pick(0), pick(3)}, true
		}
		return []value{pick(0), pick(1)}, len(parts) <= 2
	}
	return []value{pick(0), pick(1), pick(2), pick(3)}, true
}

// padding is one value for all sides: what counts is whether there is any.
func (s *Sheet) padding(list []token) ([]value, bool) {
	most := value{}
	for _, part := range words(list) {
		l, ok := s.length(part)
		if !ok {
			return nil, false
		}
		if l.at(16, screenWidth) > most.length.at(16, screenWidth) {
			most.length = l
		}
	}
	return []value{most}, true
}

// font reads the size in the shorthand: it stands before the family and behind the rest.
func (s *Sheet) font(list []token) ([]value, bool) {
	parts := words(list)
	if len(parts) == 1 && len(parts[0]) == 1 && systemFonts[parts[0][0].text] {
		return []value{{keyword: sizeLength, length: length{px: 13}}}, true
	}
	for i, part := range parts {
		t := part[0]
		if t.kind == lexer.IdentToken && len(part) == 1 && fontSizes[t.text] == 0 && t.text != "smaller" && t.text != "larger" {
			continue // style, variant, weight
		}
		if number, _ := dimension(t.text); t.kind == lexer.NumberToken && number != 0 {
			continue // weight
		}
		for j, one := range part {
			if one.is("/") {
				part = part[:j] // the height of the line
				break
			}
		}
		v, ok := s.strictly().value(fontSize, part)
		return []value{v}, ok && i+1 < len(parts)
	}
	return nil, false
}

// strictly is the sheet without quirks, which shorthands do not have.
func (s *Sheet) strictly() *Sheet { return &Sheet{} }

var systemFonts = set("caption icon menu message-box small-caption status-bar")

// substitute replaces var() by what the custom property stands for (CSS Variables 1).
func (s *Sheet) substitute(list []token, vars *variables, depth int) ([]token, bool) {
	var out []token
	if depth > maxBlocks/2 {
		return nil, false
	}
	for len(list) > 0 {
		t := list[0]
		if t.kind != lexer.FunctionToken || t.text != "var" {
			out = append(out, t)
			list = list[1:]
			continue
		}
		inner, rest := bracket(list)
		list = rest
		parts := split(inner)
		found, ok := s.variable(text(parts[0]), vars)
		if !ok && len(parts) > 1 {
			found, ok = trim(inner[len(inner)-tokensBehind(inner):]), true
		}
		if found, ok = s.replaced(found, ok, vars, depth); !ok || len(out)+len(found) > maxTokens {
			return nil, false
		}
		out = append(out, found...)
	}
	return out, s.spend(len(out))
}

func (s *Sheet) replaced(found []token, ok bool, vars *variables, depth int) ([]token, bool) {
	if !ok || !s.spend(len(found)+1) {
		return nil, false
	}
	return s.substitute(found, vars, depth+1)
}

// tokensBehind is how many tokens stand behind the first comma.
func tokensBehind(list []token) int {
	for i, t := range list {
		if t.is(",") {
			return len(list) - i - 1
		}
	}
	return 0
}

// variables are the custom properties of an element, and of those around it.
type variables struct {
	own    map[string][]token
	around *variables
}

func (s *Sheet) variable(name string, v *variables) ([]token, bool) {
	for ; v != nil && s.spend(1); v = v.around {
		if list, ok := v.own[name]; ok {
			return list, true
		}
	}
	return nil, false
}

// fontSizes brings names of font sizes to pixels.
var fontSizes = map[string]float64{
	"xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18, "x-large": 24, "xx-large": 32, "xxx-large": 48,
}
