package match

import (
	"bytes"
	"encoding/binary"
	"regexp/syntax"
	"unicode/utf8"
)

// literal is a text that every match of a pattern holds. Of `gold.{0,40}mine` that is `gold`, and
// nothing farther behind it than 164 octets can belong to a match.
type literal struct {
	text          []byte // folded
	before, after int    // the most octets of a match before the text's beginning, and behind its end
}

// minLiteral is the shortest text worth looking for.
const minLiteral = 3

// longest is the most octets of folded text that re can match, -1 for no bound.
func longest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return utf8.UTFMax
	case syntax.OpStar, syntax.OpPlus:
		return -1
	case syntax.OpRepeat:
		if sub := longest(re.Sub[0]); re.Max >= 0 && sub >= 0 {
			return min(sub*re.Max, 1<<30)
		}
		return -1
	case syntax.OpAlternate:
		most := 0
		for _, sub := range re.Sub {
			n := longest(sub)
			if n < 0 {
				return -1
			}
			most = max(most, n)
		}
		return most
	}
	return longestSum(re.Sub)
}

func longestSum(list []*syntax.Regexp) int {
	sum := 0
	for _, sub := range list {
		n := longest(sub)
		if n < 0 {
			return -1
		}
		sum = min(sum+n, 1<<30)
	}
	return sum
}

// literals finds the longest text that every match of re holds, and the longest of another place.
// The matches of re must have a bound.
func literals(re *syntax.Regexp) (first, second literal) {
	switch re.Op {
	case syntax.OpLiteral:
		first.text = []byte(string(re.Rune))
	case syntax.OpCapture:
		return literals(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			first, second = literals(re.Sub[0])
			first.before, first.after = longest(re), longest(re)
		}
	case syntax.OpConcat:
		for i, sub := range re.Sub {
			one, _ := literals(sub)
			one.before += longestSum(re.Sub[:i])
			one.after += longestSum(re.Sub[i+1:])
			if len(one.text) > len(first.text) {
				first, second = one, first
			} else if len(one.text) > len(second.text) {
				second = one
			}
		}
	}
	if len(first.text) < minLiteral {
		return literal{}, literal{}
	}
	return first, second
}

// literalIndex finds the literals of all patterns in one pass: at each octet the three that begin
// there are looked up in a bit set.
type literalIndex struct {
	filter  [1 << 16 / 64]uint64
	buckets map[uint32][]int32 // of the first three octets: numbers of patterns
}

func firstThree(p []byte) uint32 { return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 }

// filterBit spreads three octets over the bit set.
func filterBit(three uint32) uint32 { return three * 0x9e3779b1 >> 16 }

func (x *literalIndex) add(number int32, text []byte) {
	if x.buckets == nil {
		x.buckets = map[uint32][]int32{}
	}
	three := firstThree(text)
	bit := filterBit(three)
	x.filter[bit/64] |= 1 << (bit % 64)
	x.buckets[three] = append(x.buckets[three], number)
}

// find calls candidate for each pattern and each place where its literal may begin: the first three
// octets agree.
func (x *literalIndex) find(text []byte, candidate func(number int32, at int)) {
	if x.buckets == nil {
		return
	}
	for i := 0; i+4 <= len(text)+1; i++ {
		var three uint32
		if i+4 <= len(text) {
			three = binary.LittleEndian.Uint32(text[i:]) & 0xffffff
		} else {
			three = firstThree(text[i:])
		}
		if bit := filterBit(three); x.filter[bit/64]>>(bit%64)&1 != 0 {
			for _, number := range x.buckets[three] {
				candidate(number, i)
			}
		}
	}
}

// stretch is a piece of text in which a pattern may match.
type stretch struct{ start, end int }

// nearby collects the stretches of one window, joining those that touch, so that one search goes
// over them.
type nearby struct {
	patterns []*pattern
	open     []stretch
	touched  []int32
	text     []byte
	search   func(p *pattern, s stretch)
}

// candidate extends the pattern's stretch or begins a new one.
func (n *nearby) candidate(number int32, at int) {
	p := n.patterns[number]
	if !bytes.HasPrefix(n.text[at:], p.near.text) {
		return
	}
	// The margin keeps the ends of the stretch out of every match, so that they can't be taken for
	// the ends of a line or word.
	s := stretch{
		max(at-p.near.before-utf8.UTFMax, 0),
		min(at+len(p.near.text)+p.near.after+utf8.UTFMax, len(n.text)),
	}
	open := &n.open[number]
	switch {
	case open.end == 0:
		n.touched = append(n.touched, number)
		*open = s
	case s.start <= open.end:
		open.end = s.end
	default:
		n.close(number)
		*open = s
	}
}

func (n *nearby) close(number int32) {
	p, s := n.patterns[number], n.open[number]
	if len(p.also.text) == 0 || bytes.Contains(n.text[s.start:s.end], p.also.text) {
		n.search(p, s)
	}
}
