package css

import (
	"math"
	"strconv"
	"strings"

	lexer "github.com/tdewolff/parse/v2/css"
)

// length is a sum of pixels, of the font's size and of a percentage.
type length struct{ px, em, percent float64 }

// at is a length in pixels, for a font size and what percentages are of.
func (l length) at(font, whole float64) float64 { return l.px + l.em*font + l.percent*whole/100 }

func (l length) scale(by float64) length { return length{l.px * by, l.em * by, l.percent * by} }

func (l length) plus(m length) length {
	return length{l.px + m.px, l.em + m.em, l.percent + m.percent}
}

// dimension splits a number and its unit.
func dimension(text string) (number float64, unit string) {
	n := len(text)
	for n > 0 {
		if c := text[n-1]; c >= '0' && c <= '9' || c == '.' {
			break
		}
		n--
	}
	// An exponent is part of the number, and `1e3em` ends in a unit all the same.
	number, err := strconv.ParseFloat(text[:n], 64)
	if err != nil || math.IsNaN(number) {
		number = 0
	}
	return max(min(number, 1e9), -1e9), text[n:]
}

// units are in pixels; those of the view are of the screen's.
var units = map[string]float64{
	"px": 1, "pt": 4.0 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54,
	"rem": 16, "rlh": 20, "rcap": 16, "ric": 16,
	"cqw": screenWidth / 100.0, "cqh": screenHeight / 100.0, "cqi": screenWidth / 100.0, "cqb": screenHeight / 100.0,
	"cqmin": screenHeight / 100.0, "cqmax": screenWidth / 100.0, "vw": screenWidth / 100.0, "vh": screenHeight / 100.0,
	"vmin": screenHeight / 100.0, "vmax": screenWidth / 100.0, "vi": screenWidth / 100.0, "vb": screenHeight / 100.0,
	"svw": screenWidth / 100.0, "svh": screenHeight / 100.0, "lvw": screenWidth / 100.0, "lvh": screenHeight / 100.0,
	"dvw": screenWidth / 100.0, "dvh": screenHeight / 100.0,
}

func absolute(number float64, unit string) (length, bool) {
	switch unit {
	case "":
		return length{px: number}, true
	case "%":
		return length{percent: number}, true
	case "em":
		return length{em: number}, true
	case "ex", "ch":
		return length{em: number / 2}, true
	case "rex", "rch":
		return length{px: 8 * number}, true
	case "lh", "cap", "ic":
		return length{em: number}, true
	}
	scale, known := units[unit]
	return length{px: number * scale}, known
}

// length reads one length; a number without a unit is one in pixels where a document is in quirks
// mode, else only zero is.
func (s *Sheet) length(list []token) (l length, ok bool) {
	if len(list) == 0 {
		return l, false
	}
	t := list[0]
	switch t.kind {
	case lexer.NumberToken:
		number, _ := dimension(t.text)
		return length{px: number}, len(list) == 1 && (number == 0 || s.quirks)
	case lexer.PercentageToken, lexer.DimensionToken:
		l, ok = absolute(dimension(t.text))
		return l, ok && len(list) == 1
	case lexer.FunctionToken:
		inner, rest := bracket(list)
		if len(rest) > 0 {
			return l, false
		}
		c := calculation{}
		l, ok = c.function(t.text, inner)
		return l, ok
	}
	return l, false
}

// calculation evaluates calc() and its kin (CSS Values 4, section 10).
type calculation struct{ depth int }

func (c calculation) function(name string, list []token) (length, bool) {
	if c.depth++; c.depth > maxBlocks {
		return length{}, false
	}
	switch strings.TrimPrefix(name, "-webkit-") {
	case "calc":
		return c.sum(list)
	case "min", "max", "clamp":
		var all []length
		for _, one := range split(list) {
			l, ok := c.sum(one)
			if !ok {
				return l, false
			}
			all = append(all, l)
		}
		return choose(name, all)
	}
	return length{}, false
}

// choose compares lengths as they come to in a plain font and a screen.
func choose(name string, all []length) (length, bool) {
	size := func(l length) float64 { return l.at(16, screenWidth) }
	if name == "clamp" {
		if len(all) != 3 {
			return length{}, false
		}
		least, best, most := all[0], all[1], all[2]
		if size(best) > size(most) {
			best = most
		}
		if size(best) < size(least) {
			best = least
		}
		return best, true
	}
	best := all[0]
	for _, l := range all[1:] {
		if (size(l) < size(best)) == (name == "min") {
			best = l
		}
	}
	return best, true
}

// sum reads terms with + and - between.
func (c calculation) sum(list []token) (total length, ok bool) {
	sign, from, depth := 1.0, 0, 0
	list = trim(list)
	for i := 0; i <= len(list); i++ {
		if i < len(list) {
			depth += nesting(list[i])
			t := list[i]
			if depth != 0 || i == 0 || !list[i-1].blank() || !t.is("+") && !t.is("-") {
				continue
			}
		}
		term, _, valid := c.product(list[from:min(i, len(list))])
		if !valid {
			return total, false
		}
		total = total.plus(term.scale(sign))
		if i < len(list) {
			sign, from = 1, i+1
			if list[i].is("-") {
				sign = -1
			}
		}
	}
	return total, true
}

// product reads factors with * and / between; plain tells that the product is a mere number.
func (c calculation) product(list []token) (total length, plain, ok bool) {
	list = trim(list)
	operator, from, depth, first := "*", 0, 0, true
	for i := 0; i <= len(list); i++ {
		if i < len(list) {
			depth += nesting(list[i])
			if depth != 0 || !list[i].is("*") && !list[i].is("/") {
				continue
			}
		}
		factor, number, valid := c.factor(trim(list[from:min(i, len(list))]))
		switch {
		case !valid || operator == "/" && (!number || factor.px == 0):
			return total, plain, false
		case first:
			total, plain, first = factor, number, false
		case operator == "/":
			total = total.scale(1 / factor.px)
		case number:
			total = total.scale(factor.px)
		case plain:
			total, plain = factor.scale(total.px), false
		default:
			return total, plain, false
		}
		if i < len(list) {
			operator, from = list[i].text, i+1
		}
	}
	return total, plain, true
}

func (c calculation) factor(list []token) (l length, plain, ok bool) {
	if len(list) == 0 {
		return l, false, false
	}
	switch t := list[0]; t.kind {
	case lexer.NumberToken:
		number, _ := dimension(t.text)
		return length{px: number}, true, len(list) == 1
	case lexer.PercentageToken, lexer.DimensionToken:
		l, ok = absolute(dimension(t.text))
		return l, false, ok && len(list) == 1
	case lexer.LeftParenthesisToken, lexer.FunctionToken:
		inner, rest := bracket(list)
		name := "calc"
		if t.kind == lexer.FunctionToken {
			name = t.text
		}
		l, ok = c.function(name, inner)
		// A sum of mere numbers is one, too.
		return l, l.em == 0 && l.percent == 0 && onlyNumbers(inner), ok && len(rest) == 0
	}
	return l, false, false
}

func onlyNumbers(list []token) bool {
	for _, t := range list {
		if t.kind == lexer.DimensionToken || t.kind == lexer.PercentageToken {
			return false
		}
	}
	return true
}
