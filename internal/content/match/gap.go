package match

import (
	"bytes"
	"regexp/syntax"
	"unicode/utf8"
)

// gap is a pattern of the kind `gold.{0,40}mine`, the most common one: two texts and a number of
// any characters between them. Looking for the texts is many times faster than the steps of a
// regular expression.
type gap struct {
	first, last []byte
	least, most int  // characters between them
	lines       bool // the characters may be line feeds
	lazy        bool // the nearest last, not the farthest
}

// gapOf returns the gap that re is, nil for another pattern.
func gapOf(re *syntax.Regexp) *gap {
	if re.Op != syntax.OpConcat || len(re.Sub) != 3 {
		return nil
	}
	first, between, last := re.Sub[0], re.Sub[1], re.Sub[2]
	if !plainLiteral(first) || !plainLiteral(last) || between.Op != syntax.OpRepeat || between.Max < 0 {
		return nil
	}
	g := &gap{
		first: []byte(string(first.Rune)), last: []byte(string(last.Rune)),
		least: between.Min, most: between.Max, lazy: between.Flags&syntax.NonGreedy != 0,
	}
	switch between.Sub[0].Op {
	case syntax.OpAnyChar:
		g.lines = true
	case syntax.OpAnyCharNotNL:
	default:
		return nil
	}
	return g
}

func plainLiteral(re *syntax.Regexp) bool {
	return re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0
}

// find returns the first match as regexp.FindIndex does.
func (g *gap) find(text []byte) []int {
	for at := 0; ; at++ {
		next := bytes.Index(text[at:], g.first)
		if next < 0 {
			return nil
		}
		at += next
		if end := g.end(text, at+len(g.first)); end >= 0 {
			return []int{at, end}
		}
	}
}

// end is the end of a match whose first text ends at start, -1 if there is none.
func (g *gap) end(text []byte, start int) int {
	from, ok := g.skip(text, start, g.least)
	if !ok {
		return -1
	}
	to, _ := g.skip(text, from, g.most-g.least)
	between := text[from:min(to+len(g.last), len(text))]
	at := -1
	if g.lazy {
		at = bytes.Index(between, g.last)
	} else {
		at = bytes.LastIndex(between, g.last)
	}
	if at < 0 {
		return -1
	}
	return from + at + len(g.last)
}

// skip goes over n characters, or as many as there are.
func (g *gap) skip(text []byte, at, n int) (int, bool) {
	for ; n > 0; n-- {
		if at >= len(text) || text[at] == '\n' && !g.lines {
			return at, false
		}
		if text[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at, true
}
