package css

import (
	"slices"
	"strings"

	lexer "github.com/tdewolff/parse/v2/css"
)

// The screen that media queries are asked about: a plain one of a desktop.
const (
	screenWidth  = 1024
	screenHeight = 768
)

// nesting tells how a token changes the depth of brackets.
func nesting(t token) int {
	switch t.kind {
	case lexer.LeftParenthesisToken, lexer.LeftBracketToken, lexer.LeftBraceToken, lexer.FunctionToken:
		return 1
	case lexer.RightParenthesisToken, lexer.RightBracketToken, lexer.RightBraceToken:
		return -1
	}
	return 0
}

// mediaHolds tells whether one query of a list holds for the screen (Media Queries 4).
func mediaHolds(list []token) bool {
	if len(trim(list)) == 0 {
		return true
	}
	return slices.ContainsFunc(split(list), func(query []token) bool {
		query = trim(query)
		not := false
		if len(query) > 0 && query[0].kind == lexer.IdentToken {
			word := query[0].text
			if word == "only" || word == "not" && len(query) > 2 && query[2].kind == lexer.IdentToken {
				not = word == "not"
				query = trim(query[1:])
			}
			if len(query) == 0 {
				return false
			}
			if query[0].kind == lexer.IdentToken && query[0].text != "not" {
				if kind := query[0].text; kind != "all" && kind != "screen" {
					return not
				}
				query = trim(query[1:])
				if len(query) == 0 {
					return !not
				}
				if !query[0].ident("and") {
					return false
				}
				query = query[1:]
			}
		}
		holds := truthAt(query, mediaFeature, 0)
		return holds == yes && !not || holds == no && not
	})
}

// supportsHolds tells whether the condition of @supports holds. What is not known is not supported.
func (s *Sheet) supportsHolds(list []token) bool {
	return truthAt(list, func(function string, list []token) truth {
		return truthOf(s.supportsFeature(function, list))
	}, 0) == yes
}

// truth is that of a condition (Media Queries 4, section 3.1): where something in it is not known,
// its contrary does not hold either.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// truthAt evaluates `not`, `and`, `or` and brackets; leaf is asked about what stands in brackets or
// a function's.
func truthAt(list []token, leaf func(function string, list []token) truth, depth int) truth {
	list = trim(list)
	if depth > maxBlocks {
		return unknown
	}
	if len(list) > 0 && list[0].ident("not") {
		return yes - truthAt(list[1:], leaf, depth+1)
	}
	result, first, operator := no, true, ""
	for len(list) > 0 {
		list = trim(list)
		t := list[0]
		if nesting(t) <= 0 {
			if operator = t.text; first || operator != "and" && operator != "or" {
				return unknown
			}
			list = list[1:]
			continue
		}
		inner, rest := bracket(list)
		function := ""
		if t.kind == lexer.FunctionToken {
			function = t.text
		}
		holds := no
		if within := trim(inner); function == "" && len(within) > 0 && (nesting(within[0]) > 0 || within[0].ident("not")) {
			holds = truthAt(within, leaf, depth+1)
		} else {
			holds = leaf(function, within)
		}
		switch {
		case first:
			result = holds
		case operator == "and":
			result = min(result, holds)
		default:
			result = max(result, holds)
		}
		first = false
		list = trim(rest)
	}
	return result
}

// bracket splits a list that begins with an opening bracket behind the closing one.
func bracket(list []token) (inner, rest []token) {
	depth := 0
	for i, t := range list {
		if depth += nesting(t); depth == 0 {
			return list[1:i], list[i+1:]
		}
	}
	return list[1:], nil
}

// supportsFeature tells declarations that a browser knows: of properties that decide what shows by
// their values, of others by their names.
func (s *Sheet) supportsFeature(function string, list []token) bool {
	switch function {
	case "":
	case "selector":
		return (&Sheet{}).selectors(list, nil) != nil
	default:
		return function == "font-tech" || function == "font-format"
	}
	if len(list) < 3 {
		return false
	}
	name, value := list[0], trim(list[1:])
	if value[0].kind != lexer.ColonToken || len(trim(value[1:])) == 0 {
		return false
	}
	value = trim(value[1:])
	if covered(name.text) != nil && !hasVar(value) {
		return s.strictly().declare(name.text, value) != nil
	}
	return name.kind == lexer.CustomPropertyNameToken || hasVar(value) || otherProperties[name.text]
}

// mediaFeature evaluates one feature of the screen.
func mediaFeature(function string, list []token) truth {
	if function != "" {
		return unknown
	}
	for i, t := range list {
		switch {
		case t.kind == lexer.ColonToken:
			return feature(text(list[:i]), trim(list[i+1:]))
		case t.is("<") || t.is(">") || t.is("="):
			return truthOf(ranged(list))
		}
	}
	return feature(text(list), nil)
}

// feature compares a named feature with a value; without one it asks whether the feature is there.
func feature(name string, value []token) truth {
	word := text(value)
	one := func(plain string) truth { return truthOf(word == plain || value == nil) }
	switch name = strings.TrimPrefix(name, "-webkit-"); name {
	case "orientation":
		return one("landscape")
	case "hover", "any-hover":
		return one("hover")
	case "pointer", "any-pointer":
		return one("fine")
	case "prefers-color-scheme":
		return one("light")
	case "prefers-reduced-motion", "prefers-contrast", "prefers-reduced-transparency":
		return truthOf(word == "no-preference")
	case "update":
		return one("fast")
	case "scripting", "inverted-colors", "forced-colors", "grid":
		return truthOf(word == "none" || word == "0")
	case "display-mode":
		return one("browser")
	case "dynamic-range", "video-dynamic-range":
		return one("standard")
	case "color-gamut":
		return one("srgb")
	}
	if least, ok := strings.CutPrefix(name, "min-"); ok {
		return compare(least, ">=", value)
	}
	if most, ok := strings.CutPrefix(name, "max-"); ok {
		return compare(most, "<=", value)
	}
	if value == nil {
		size, known := screen[name]
		if !known {
			return unknown
		}
		return truthOf(size != 0)
	}
	return compare(name, "=", value)
}

// screen gives the features that are numbers, lengths in pixels.
var screen = map[string]float64{
	"width": screenWidth, "height": screenHeight, "device-width": screenWidth, "device-height": screenHeight,
	"aspect-ratio": float64(screenWidth) / screenHeight, "device-aspect-ratio": float64(screenWidth) / screenHeight,
	"resolution": 1, "device-pixel-ratio": 1, "color": 8, "monochrome": 0, "color-index": 0,
}

func compare(name, operator string, value []token) truth {
	have, known := screen[name]
	want, ok := mediaNumber(value)
	if !known || !ok {
		return unknown
	}
	switch operator {
	case "<":
		return truthOf(have < want)
	case "<=":
		return truthOf(have <= want)
	case ">":
		return truthOf(have > want)
	case ">=":
		return truthOf(have >= want)
	}
	return truthOf(have == want)
}

// ranged evaluates `400px <= width < 900px` and its shorter forms.
func ranged(list []token) bool {
	var sides [][]token
	var operators []string
	from := 0
	for i := 0; i < len(list); i++ {
		if t := list[i]; t.is("<") || t.is(">") || t.is("=") {
			sides = append(sides, trim(list[from:i]))
			operator := t.text
			if operator != "=" && i+1 < len(list) && list[i+1].is("=") {
				operator += "="
				i++
			}
			operators = append(operators, operator)
			from = i + 1
		}
	}
	sides = append(sides, trim(list[from:]))
	for i, operator := range operators {
		left, right := sides[i], sides[i+1]
		if _, known := screen[text(left)]; known {
			if compare(text(left), operator, right) != yes {
				return false
			}
			continue
		}
		mirrored := strings.NewReplacer("<", ">", ">", "<").Replace(operator)
		if compare(text(right), mirrored, left) != yes {
			return false
		}
	}
	return true
}

// mediaNumber reads a length, a number, a ratio or a resolution.
func mediaNumber(list []token) (float64, bool) {
	if len(list) > 0 && list[0].kind == lexer.FunctionToken {
		l, ok := (&Sheet{}).length(list)
		return l.at(16, 0), ok
	}
	var numbers []float64
	for _, t := range list {
		switch {
		case t.kind == lexer.NumberToken || t.kind == lexer.DimensionToken:
			number, unit := dimension(t.text)
			scale, known := map[string]float64{"dppx": 1, "x": 1, "dpi": 1.0 / 96, "dpcm": 2.54 / 96}[unit]
			if !known {
				l, ok := absolute(number, unit)
				if !ok {
					return 0, false
				}
				number, scale = l.at(16, 0), 1
			}
			numbers = append(numbers, number*scale)
		case t.blank() || t.is("/"):
		default:
			return 0, false
		}
	}
	switch {
	case len(numbers) == 1:
		return numbers[0], true
	case len(numbers) == 2 && numbers[1] != 0:
		return numbers[0] / numbers[1], true
	}
	return 0, false
}

// MediaHolds tells whether a media query list, as in the attribute of a style element, holds for
// the screen of a desktop.
func MediaHolds(list string) bool {
	if len(list) > maxTokens {
		return false
	}
	var tokens []token
	for in := newStream(list); ; {
		t := in.next()
		if t.kind == end {
			return mediaHolds(tokens)
		}
		tokens = append(tokens, t)
	}
}
