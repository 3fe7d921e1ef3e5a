package headerchecks

import (
	"fmt"
	"regexp"
	"strings"
)

// print writes nodes as an expression in RE2's syntax.
func print(list []*node) string {
	var b strings.Builder
	for _, n := range list {
		n.print(&b)
	}
	return b.String()
}

func (n *node) print(b *strings.Builder) {
	switch n.op {
	case literal:
		b.WriteString(regexp.QuoteMeta(n.text))
	case class:
		n.set.print(b)
	case anything:
		b.WriteByte('.')
	case sequence:
		for _, s := range n.sub {
			s.print(b)
		}
	case choice:
		b.WriteString("(?:")
		for i, s := range n.sub {
			if i > 0 {
				b.WriteByte('|')
			}
			s.print(b)
		}
		b.WriteByte(')')
	case repeat:
		n.printRepeat(b)
	case begin:
		b.WriteByte('^')
	case end:
		b.WriteByte('$')
	case boundary:
		b.WriteString(`\b`)
	case noBoundary:
		b.WriteString(`\B`)
	}
}

func (n *node) printRepeat(b *strings.Builder) {
	one := n.sub[0]
	if one.op == class || one.op == anything || one.op == choice || one.op == literal && len([]rune(one.text)) == 1 {
		one.print(b)
	} else {
		b.WriteString("(?:")
		one.print(b)
		b.WriteByte(')')
	}
	switch {
	case n.min == 0 && n.max == -1:
		b.WriteByte('*')
	case n.min == 1 && n.max == -1:
		b.WriteByte('+')
	case n.min == 0 && n.max == 1:
		b.WriteByte('?')
	case n.min == n.max:
		fmt.Fprintf(b, "{%d}", n.min)
	case n.max == -1:
		fmt.Fprintf(b, "{%d,}", n.min)
	default:
		fmt.Fprintf(b, "{%d,%d}", n.min, n.max)
	}
}

// print writes a class. One that has the characters outside ASCII is written by what it leaves out,
// and with that the line feed, which ends the line.
func (s *set) print(b *strings.Builder) {
	listed := *s
	listed.rest = false
	if s.rest {
		for c := range listed.ascii {
			upper := 'A' <= c && c <= 'Z' // never in the text
			listed.ascii[c] = !s.ascii[c] && !upper && c >= ' ' && c != 0x7f
		}
	}
	switch {
	case s.rest && listed.size() == 0:
		b.WriteByte('.')
	case s.rest && listed.within(" ") && listed.size() == 1:
		b.WriteString(`\S`)
	case s.rest:
		b.WriteString("[^" + listed.ranges() + `\n]`)
	case s.within(digits) && s.holds(digits):
		b.WriteString(`\d`)
	case s.within(lowerLetters+digits+"_") && s.holds(lowerLetters+digits+"_"):
		b.WriteString(`\w`)
	case s.size() == 1:
		all, _ := s.texts(1)
		b.WriteString(regexp.QuoteMeta(all[0]))
	default:
		b.WriteString("[" + listed.ranges() + "]")
	}
}

// ranges are the members of a class, a-z where three or more follow each other.
func (s *set) ranges() string {
	var b strings.Builder
	write := func(c int) {
		if strings.IndexByte(`\]^-[`, byte(c)) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(byte(c))
	}
	for c := 0; c < len(s.ascii); c++ {
		if !s.ascii[c] {
			continue
		}
		last := c
		for last+1 < len(s.ascii) && s.ascii[last+1] {
			last++
		}
		write(c)
		if last > c {
			if last > c+1 {
				b.WriteByte('-')
			}
			write(last)
		}
		c = last
	}
	return b.String()
}
