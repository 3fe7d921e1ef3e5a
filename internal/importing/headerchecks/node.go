package headerchecks

import (
	"errors"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// op is a kind of node.
type op uint8

const (
	literal op = iota
	class
	anything // a dot
	sequence
	choice
	repeat
	begin
	end
	boundary
	noBoundary
)

// node is a piece of a pattern as mailweir matches it: in text in lower case, in which white space
// is one blank and lines are apart. Nothing in it matches a line feed.
type node struct {
	op       op
	text     string // of a literal, in lower case
	set      set    // of a class
	sub      []*node
	min, max int // of a repetition; max -1 has no bound
}

// set is a class of characters: those of ASCII, and whether all others belong to it, too.
type set struct {
	ascii [128]bool
	rest  bool
}

// What of a pattern has no equal, because mailweir matches what a person reads and Postfix octets.
var (
	errOctets = errors.New("it looks for octets outside ASCII; mailweir decodes the text first, and would find every foreign letter")
	errTab    = errors.New("it tells a tab from a blank; mailweir does not")
	errBlanks = errors.New("it looks for several blanks in a row; mailweir makes one of them")
	errBreak  = errors.New("it looks for a line break within a field; mailweir joins the lines first")
	errNever  = errors.New("it can never match")
	errDeep   = errors.New("it is too deeply nested")
)

// mostNested bounds groups within groups.
const mostNested = 100

// fromSyntax turns a parsed expression, which ignores case, into nodes.
func fromSyntax(e *syntax.Regexp, depth int) (*node, error) {
	if depth > mostNested {
		return nil, errDeep
	}
	switch e.Op {
	case syntax.OpLiteral:
		return fromLiteral(e.Rune)
	case syntax.OpCharClass:
		return fromClass(e.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return &node{op: anything}, nil
	case syntax.OpBeginText, syntax.OpBeginLine:
		return &node{op: begin}, nil
	case syntax.OpEndText, syntax.OpEndLine:
		return &node{op: end}, nil
	case syntax.OpWordBoundary:
		return &node{op: boundary}, nil
	case syntax.OpNoWordBoundary:
		return &node{op: noBoundary}, nil
	case syntax.OpCapture:
		return fromSyntax(e.Sub[0], depth+1)
	case syntax.OpNoMatch:
		return nil, errNever
	}
	n := &node{op: sequence}
	for _, sub := range e.Sub {
		one, err := fromSyntax(sub, depth+1)
		if err != nil {
			return nil, err
		}
		n.sub = append(n.sub, one)
	}
	switch e.Op {
	case syntax.OpAlternate:
		n.op = choice
	case syntax.OpStar:
		n.op, n.max = repeat, -1
	case syntax.OpPlus:
		n.op, n.min, n.max = repeat, 1, -1
	case syntax.OpQuest:
		n.op, n.max = repeat, 1
	case syntax.OpRepeat:
		n.op, n.min, n.max = repeat, e.Min, e.Max
	}
	if n.op == repeat && n.sub[0].op == literal && !isASCII(n.sub[0].text) {
		return nil, errOctets // what is repeated is the last octet of the letter
	}
	if n.op == repeat && n.min > 1 && n.sub[0].isBlank() {
		return nil, errBlanks
	}
	if n.op == sequence {
		n.sub = flat(n.sub)
	}
	return n, nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func fromLiteral(runes []rune) (*node, error) {
	text := strings.ToLower(string(runes))
	switch {
	case strings.ContainsAny(text, "\r\n"):
		return nil, errBreak
	case strings.ContainsAny(text, "\t\v\f"):
		return nil, errTab
	case strings.Contains(text, "  "):
		return nil, errBlanks
	case strings.ContainsFunc(text, unicode.IsControl), strings.ContainsRune(text, unicode.ReplacementChar):
		return nil, errOctets
	}
	return &node{op: literal, text: text}, nil
}

// foldedInto are the letters outside ASCII that have a k or s for their other case.
var foldedInto = []rune{'ſ', '\u212a'}

// fromClass takes ranges of characters. A class that is meant for all but a few is a gap, and
// letters outside ASCII belong to it; one that leaves out letters of ASCII was written for ASCII.
func fromClass(ranges []rune) (*node, error) {
	n := &node{op: class}
	foreign := false
	for i := 0; i < len(ranges); i += 2 {
		low, high := ranges[i], ranges[i+1]
		for r := low; r <= min(high, unicode.MaxASCII); r++ {
			n.set.ascii[unicode.ToLower(r)] = true
		}
		switch {
		case high <= unicode.MaxASCII || low == high && slices.Contains(foldedInto, low):
		case high == unicode.MaxRune:
			n.set.rest = true
		case !n.set.rest:
			foreign = true
		}
	}
	if foreign && !n.set.rest {
		return nil, errOctets
	}
	blank := n.set.ascii[' ']
	for c := range n.set.ascii {
		if c >= ' ' && c != 0x7f {
			continue
		}
		if (c == '\t' || c == '\v' || c == '\f') && n.set.ascii[c] && !blank && !n.set.rest {
			return nil, errTab
		}
		n.set.ascii[c] = false
	}
	n.set.rest = n.set.rest && n.set.holds(lowerLetters)
	if !n.set.rest && n.set.size() == 0 {
		return nil, errOctets
	}
	return n, nil
}

const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	digits       = "0123456789"
)

func (s *set) holds(characters string) bool {
	for i := range len(characters) {
		if !s.ascii[characters[i]] {
			return false
		}
	}
	return true
}

// within reports whether it has no other characters than these.
func (s *set) within(characters string) bool {
	for c, in := range s.ascii {
		if in && strings.IndexByte(characters, byte(c)) < 0 {
			return false
		}
	}
	return !s.rest
}

func (s *set) size() (n int) {
	for _, in := range s.ascii {
		if in {
			n++
		}
	}
	return n
}

// flat opens sequences within a sequence and joins literals that stand side by side.
func flat(list []*node) (all []*node) {
	for _, n := range list {
		switch {
		case n.op == sequence:
			all = append(all, n.sub...)
		case n.op == literal && n.text == "":
		default:
			all = append(all, n)
		}
	}
	joined := all[:0:0]
	for _, n := range all {
		if last := len(joined) - 1; last >= 0 && n.op == literal && joined[last].op == literal {
			joined[last] = &node{op: literal, text: joined[last].text + n.text}
			continue
		}
		joined = append(joined, n)
	}
	return joined
}

// loose are the characters of which a name of a mail address may be made: a class that has them all
// is a gap.
const loose = lowerLetters + digits + "._-+="

// isGap tells what may stand for nearly any text: .*, .+, [^<]*.
func (n *node) isGap() bool {
	if n.op != repeat || n.max != -1 || n.min > 1 {
		return false
	}
	one := n.sub[0]
	return one.op == anything || one.op == class && one.set.rest && one.set.holds(loose)
}

// isBlank tells white space, needed or not.
func (n *node) isBlank() bool {
	switch n.op {
	case literal:
		return n.text == " "
	case class:
		return n.set.within(" ")
	case repeat:
		return n.sub[0].isBlank()
	}
	return false
}

// canBeEmpty tells what matches without a character.
func (n *node) canBeEmpty() bool {
	switch n.op {
	case literal:
		return n.text == ""
	case class, anything:
		return false
	case sequence:
		return !slices.ContainsFunc(n.sub, func(s *node) bool { return !s.canBeEmpty() })
	case choice:
		return slices.ContainsFunc(n.sub, (*node).canBeEmpty)
	case repeat:
		return n.min == 0 || n.sub[0].canBeEmpty()
	}
	return true
}

// needs reports whether every match holds a text that f knows, in one literal.
func (n *node) needs(f func(string) bool) bool {
	switch n.op {
	case literal:
		return f(n.text)
	case sequence:
		return slices.ContainsFunc(n.sub, func(s *node) bool { return s.needs(f) })
	case choice:
		return !slices.ContainsFunc(n.sub, func(s *node) bool { return !s.needs(f) })
	case repeat:
		return n.min > 0 && n.sub[0].needs(f)
	}
	return false
}

// texts are all texts that it matches, if there are few.
func (n *node) texts(most int) (all []string, few bool) {
	switch n.op {
	case literal:
		return []string{n.text}, true
	case class:
		return n.set.texts(most)
	case sequence:
		return textsOf(n.sub, most)
	case choice:
		for _, s := range n.sub {
			own, few := s.texts(most)
			if all = append(all, own...); !few || len(all) > most {
				return nil, false
			}
		}
		return all, true
	case repeat:
		return n.repeatedTexts(most)
	}
	return nil, false
}

func (s *set) texts(most int) (all []string, few bool) {
	if s.rest || s.size() > most {
		return nil, false
	}
	for c, in := range s.ascii {
		if in {
			all = append(all, string(rune(c)))
		}
	}
	return all, true
}

func (n *node) repeatedTexts(most int) (all []string, few bool) {
	own, few := n.sub[0].texts(most)
	if !few || n.max < 0 || n.max > most {
		return nil, false
	}
	power := []string{""}
	for i := 0; ; i++ {
		if i >= n.min {
			all = append(all, power...)
		}
		if i == n.max {
			return all, len(all) <= most
		}
		if power = product(power, own); len(power) > most || len(all) > most {
			return nil, false
		}
	}
}

// textsOf are the texts of several nodes in a row.
func textsOf(list []*node, most int) (all []string, few bool) {
	all = []string{""}
	for _, n := range list {
		own, few := n.texts(most)
		if !few || len(all)*len(own) > most {
			return nil, false
		}
		all = product(all, own)
	}
	return all, true
}

func product(first, second []string) (all []string) {
	for _, a := range first {
		for _, b := range second {
			all = append(all, a+b)
		}
	}
	return all
}
