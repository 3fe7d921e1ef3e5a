package css

import (
	lexer "github.com/tdewolff/parse/v2/css"
)

// Shapes and transformations that leave nothing of a box.

// clipOf reads `clip: rect(...)`, which holds for positioned boxes.
func clipOf(s *Sheet, list []token) (v value, ok bool) {
	if list[0].ident("auto") {
		return v, len(list) == 1
	}
	if list[0].kind != lexer.FunctionToken || list[0].text != "rect" {
		return v, false
	}
	inner, rest := bracket(list)
	parts := split(inner)
	if len(parts) == 1 {
		parts = words(inner)
	}
	if len(parts) != 4 || len(rest) > 0 {
		return v, false
	}
	var sides [4]float64
	auto := [4]bool{}
	for i, part := range parts {
		if auto[i] = len(part) == 1 && part[0].ident("auto"); auto[i] {
			continue
		}
		l, ok := s.length(part)
		if !ok {
			return v, false
		}
		sides[i] = l.at(16, screenWidth)
	}
	flat := !auto[2] && sides[2]-sides[0] < 2   // bottom, top
	narrow := !auto[1] && sides[1]-sides[3] < 2 // right, left
	if flat || narrow {
		v.keyword = hides
	}
	return v, true
}

// clipPathOf reads inset(), circle(), ellipse() and polygon().
func clipPathOf(s *Sheet, list []token) (v value, ok bool) {
	t := list[0]
	if t.kind != lexer.FunctionToken {
		return v, t.kind == lexer.IdentToken || t.kind == lexer.URLToken
	}
	inner, _ := bracket(list)
	parts := words(inner)
	nothing := false
	switch t.text {
	case "inset":
		nothing = insetOf(s, parts)
	case "circle", "ellipse":
		if len(parts) > 0 {
			l, ok := s.length(parts[0])
			nothing = ok && l.at(16, screenWidth) < 1
		}
	case "polygon":
		nothing = flatPolygon(s, split(inner))
	case "path", "rect", "xywh", "shape", "url":
	default:
		return v, false
	}
	if nothing {
		v.keyword = hides
	}
	return v, true
}

// insetOf tells whether insets from opposite sides meet.
func insetOf(s *Sheet, parts [][]token) bool {
	var sides []float64
	for _, part := range parts {
		if part[0].ident("round") {
			break
		}
		l, ok := s.length(part)
		if !ok || len(sides) == 4 {
			return false
		}
		sides = append(sides, l.percent)
	}
	switch len(sides) {
	case 1:
		return sides[0] >= 50
	case 2:
		return sides[0] >= 50 || sides[1] >= 50
	case 3:
		return sides[0]+sides[2] >= 100 || sides[1] >= 50
	case 4:
		return sides[0]+sides[2] >= 100 || sides[1]+sides[3] >= 100
	}
	return false
}

// flatPolygon tells a polygon whose points are all one.
func flatPolygon(s *Sheet, points [][]token) bool {
	var first [2]length
	for i, point := range points {
		parts := words(point)
		if len(parts) != 2 {
			return false
		}
		x, okX := s.length(parts[0])
		y, okY := s.length(parts[1])
		switch {
		case !okX || !okY:
			return false
		case i == 0:
			first = [2]length{x, y}
		case first != [2]length{x, y}:
			return false
		}
	}
	return true
}

// far is how many pixels something must be moved to be out of sight for certain, indented how many
// the beginning of a line.
const (
	far      = 500
	indented = 100
)

// transformOf reads functions that make a box nothing, or move it out of sight.
func transformOf(s *Sheet, list []token) (v value, ok bool) {
	if list[0].ident("none") {
		return v, len(list) == 1
	}
	for _, part := range words(list) {
		t := part[0]
		if t.kind != lexer.FunctionToken {
			return v, false
		}
		inner, _ := bracket(part)
		if nothingLeft(s, t.text, split(inner)) {
			v.keyword = hides
		}
	}
	return v, true
}

func nothingLeft(s *Sheet, function string, parts [][]token) bool {
	is := func(i int) bool {
		if i >= len(parts) {
			return false
		}
		n, ok := number(parts[i])
		return ok && n > -faint && n < faint
	}
	gone := func(i int) bool {
		if i >= len(parts) {
			return false
		}
		l, ok := s.length(parts[i])
		return ok && l.at(16, 0) < -far
	}
	switch function {
	case "scale", "scale3d":
		return is(0) || is(1)
	case "scalex", "scaley":
		return is(0)
	case "matrix":
		return len(parts) == 6 && (is(0) && is(1) || is(2) && is(3) || is(0) && is(2) || is(1) && is(3))
	case "translate", "translate3d":
		return gone(0) || gone(1)
	case "translatex", "translatey":
		return gone(0)
	}
	return false
}

func scaleOf(list []token) (v value, ok bool) {
	if list[0].ident("none") {
		return v, len(list) == 1
	}
	for i, part := range words(list) {
		n, ok := number(part)
		if !ok || i > 2 {
			return v, false
		}
		if i < 2 && n > -faint && n < faint {
			v.keyword = hides
		}
	}
	return v, true
}

func filterOf(s *Sheet, list []token) (v value, ok bool) {
	if list[0].ident("none") {
		return v, len(list) == 1
	}
	for _, part := range words(list) {
		if part[0].kind != lexer.FunctionToken && part[0].kind != lexer.URLToken {
			return v, false
		}
		inner, _ := bracket(part)
		if n, ok := number(trim(inner)); ok && n < faint && part[0].text == "opacity" {
			v.keyword = hides
		}
	}
	return v, true
}
