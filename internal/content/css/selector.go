package css

import (
	"slices"
	"strconv"
	"strings"

	lexer "github.com/tdewolff/parse/v2/css"
)

// selectorList is a list of selectors: an element is meant that one of them matches.
type selectorList struct {
	list []*selector
	spec specificity // the highest
}

func (l *selectorList) add(sel *selector) {
	l.list = append(l.list, sel)
	l.spec = max(l.spec, sel.spec)
}

// selector is a complex selector (Selectors 4, section 3): compounds and what joins them, the last
// one first, because that is the one that the element itself must match.
type selector struct {
	parts []compound
	joins []byte // between parts[i] and parts[i+1]: ' ', '>', '+', '~'
	spec  specificity
}

// specificity counts ids, classes and types, eight bits each.
type specificity uint32

const (
	oneType  specificity = 1
	oneClass specificity = 1 << 8
	oneID    specificity = 1 << 16
)

// plus adds two, each count by itself.
func (s specificity) plus(t specificity) specificity {
	var sum specificity
	for shift := 0; shift < 24; shift += 8 {
		sum |= min(s>>shift&0xff+t>>shift&0xff, 0xff) << shift
	}
	return sum
}

// compound is what stands without a combinator between: all of it must match one element.
type compound struct {
	tag     string // "" for any
	id      string
	classes []string
	tests   []test // the rest
}

// test is an attribute selector or a pseudo-class.
type test struct {
	kind  string // "[]", or the name of the pseudo-class
	name  string // of the attribute
	how   string // how its value is compared: "", "=", "~=" …
	value string
	fold  bool // upper and lower case are alike
	list  *selectorList
	a, b  int // of nth-child and the like
	never bool
}

// parser reads selectors.
type parser struct {
	sheet  *Sheet
	parent *selectorList
	depth  int
}

// selectors reads a selector list, nil if it is not valid. Parent is that of the rule around, nil
// for none.
func (s *Sheet) selectors(list []token, parent *selectorList) *selectorList {
	return parser{sheet: s, parent: parent}.strict(list, parent != nil)
}

// strict reads a list that is not valid if one of it is not.
func (p parser) strict(list []token, nested bool) *selectorList {
	all := &selectorList{}
	for _, one := range split(list) {
		sel := p.complex(one, nested)
		if sel == nil {
			return nil
		}
		all.add(sel)
	}
	return all
}

// forgiving reads the list of :is and :where, in which what is not valid is left out.
func (p parser) forgiving(list []token) *selectorList {
	all := &selectorList{}
	for _, one := range split(list) {
		if sel := p.complex(one, false); sel != nil {
			all.add(sel)
		}
	}
	return all
}

// complex reads one selector. A nested one without `&` is meant below its parent.
func (p parser) complex(list []token, nested bool) *selector {
	if !p.sheet.spend(len(list)+1) || !p.sheet.keep(1) || p.depth > maxBlocks {
		return nil
	}
	list = trim(list)
	sel := &selector{}
	if nested && !slices.ContainsFunc(list, func(t token) bool { return t.is("&") }) {
		join := byte(' ')
		if len(list) > 0 && combinator(list[0]) != 0 {
			join = combinator(list[0])
			list = trim(list[1:])
		}
		sel.parts = append(sel.parts, compound{tests: []test{{kind: "is", list: p.parent}}})
		sel.joins = append(sel.joins, join)
		sel.spec = p.parent.spec
	}
	for {
		part, rest, spec, ok := p.compound(list)
		if !ok || !p.sheet.keep(1+len(part.tests)) {
			return nil
		}
		sel.parts = append(sel.parts, part)
		sel.spec = sel.spec.plus(spec)
		if len(rest) == 0 {
			break
		}
		join := byte(' ')
		if list = trim(rest); len(list) > 0 && combinator(list[0]) != 0 {
			join = combinator(list[0])
			list = trim(list[1:])
		}
		sel.joins = append(sel.joins, join)
	}
	slices.Reverse(sel.parts)
	slices.Reverse(sel.joins)
	return sel
}

func combinator(t token) byte {
	if t.kind == lexer.DelimToken && (t.text == ">" || t.text == "+" || t.text == "~") {
		return t.text[0]
	}
	return 0
}

// compound reads what stands before the next combinator.
func (p parser) compound(list []token) (c compound, rest []token, spec specificity, ok bool) {
	read := 0
	for ; len(list) > 0; read++ {
		t := list[0]
		switch {
		case t.blank() || combinator(t) != 0:
			return c, list, spec, read > 0
		case t.kind == lexer.IdentToken && read == 0:
			c.tag, spec = t.text, spec.plus(oneType)
		case t.is("*") && read == 0:
		case t.is("|"):
			never, valid := p.prefix(c.tag, read)
			if !valid {
				return c, nil, 0, false
			}
			if never {
				c.tests = append(c.tests, test{never: true})
			}
			c.tag, read, spec = "", -1, 0
		case t.is("&"):
			if p.parent != nil {
				c.tests, spec = append(c.tests, test{kind: "is", list: p.parent}), spec.plus(p.parent.spec)
			} else {
				c.tests = append(c.tests, test{kind: "root"})
			}
		case t.kind == lexer.HashToken:
			if c.id != "" && c.id != p.name(t.raw) {
				c.tests = append(c.tests, test{never: true})
			}
			c.id, spec = p.name(t.raw), spec.plus(oneID)
		case t.is(".") && len(list) > 1 && (list[1].kind == lexer.IdentToken || list[1].kind == lexer.CustomPropertyNameToken):
			c.classes, spec = append(c.classes, p.name(list[1].raw)), spec.plus(oneClass)
			list = list[1:]
		case t.kind == lexer.LeftBracketToken:
			inner, after := bracket(list)
			one, valid := attribute(inner)
			if !valid {
				return c, nil, 0, false
			}
			c.tests, spec = append(c.tests, one), spec.plus(oneClass)
			list = after
			continue
		case t.kind == lexer.ColonToken:
			one, after, more, valid := p.pseudo(list[1:])
			if !valid {
				return c, nil, 0, false
			}
			c.tests, spec = append(c.tests, one), spec.plus(more)
			list = after
			continue
		default:
			return c, nil, 0, false
		}
		list = list[1:]
	}
	return c, nil, spec, read > 0
}

// prefix tells what stands before the sign of a namespace: any, or one that no element of a message
// has. One that was not declared makes the selector invalid.
func (p parser) prefix(tag string, read int) (never, valid bool) {
	switch {
	case read == 0:
		return true, true // no namespace at all
	case tag == "":
		return false, true // `*`
	}
	html, declared := p.sheet.prefixes[tag]
	return !html, declared
}

// namespace takes the declaration of a prefix.
func (s *Sheet) namespace(prelude []token) {
	if len(prelude) == 0 || prelude[0].kind != lexer.IdentToken || !s.keep(1) {
		return
	}
	if s.prefixes == nil {
		s.prefixes = map[string]bool{}
	}
	s.prefixes[prelude[0].text] = strings.Contains(text(prelude), "www.w3.org/1999/xhtml")
}

// name brings a class or id to the form in which it is compared.
func (p parser) name(raw string) string {
	if p.sheet.quirks {
		return strings.ToLower(raw)
	}
	return raw
}

// attribute reads what stands in the brackets of an attribute selector.
func attribute(list []token) (one test, ok bool) {
	var parts []token
	for _, t := range list {
		if !t.blank() {
			parts = append(parts, t)
		}
	}
	for len(parts) > 1 && (parts[0].is("*") || parts[0].is("|") || parts[1].is("|")) {
		parts = parts[1:] // a namespace
	}
	if len(parts) == 0 || parts[0].kind != lexer.IdentToken {
		return one, false
	}
	one = test{kind: "[]", name: parts[0].text}
	switch {
	case len(parts) == 1:
		return one, true
	case len(parts) < 3 || len(parts) > 4 || parts[2].kind != lexer.IdentToken && parts[2].kind != lexer.StringToken:
		return one, false
	case len(parts) == 4:
		one.fold = parts[3].ident("i")
		if !one.fold && !parts[3].ident("s") {
			return one, false
		}
	}
	one.how, one.value = parts[1].text, parts[2].raw
	one.fold = one.fold || foldedAttributes[one.name]
	return one, slices.Contains([]string{"=", "~=", "|=", "^=", "$=", "*="}, one.how)
}

// foldedAttributes have values that ignore case in HTML ("Case-sensitivity of selectors").
var foldedAttributes = set(`accept accept-charset align alink axis bgcolor charset checked clear codetype color
	compact declare defer dir direction disabled enctype face frame hreflang http-equiv lang language link media
	method multiple nohref noresize noshade nowrap readonly rel rev rules scope scrolling selected shape target
	text type valign valuetype vlink`)

func set(names string) map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		all[name] = true
	}
	return all
}

// pseudo reads a pseudo-class, or a pseudo-element, which no element is.
func (p parser) pseudo(list []token) (one test, rest []token, spec specificity, ok bool) {
	if len(list) == 0 {
		return
	}
	spec = oneClass
	t := list[0]
	if p.depth > 0 && pseudoElements[t.text] {
		return
	}
	if t.kind == lexer.ColonToken {
		if len(list) < 2 || p.depth > 0 { // in :not and the like there is none
			return
		}
		rest = list[2:]
		if list[1].kind == lexer.FunctionToken {
			_, rest = bracket(list[1:])
		}
		return test{never: true}, rest, oneType, true
	}
	one.kind, rest = t.text, list[1:]
	var inner []token
	if t.kind == lexer.FunctionToken {
		inner, rest = bracket(list)
		p.depth++
	} else if t.kind != lexer.IdentToken {
		return one, rest, 0, false
	}
	switch {
	case t.kind == lexer.FunctionToken && (t.text == "is" || t.text == "where" || t.text == "matches" || t.text == "-webkit-any" || t.text == "any"):
		one.list = p.forgiving(inner)
		if one.kind = "is"; t.text == "where" {
			return one, rest, 0, true
		}
		return one, rest, one.list.spec, true
	case t.kind == lexer.FunctionToken && t.text == "not":
		one.list = p.strict(inner, false)
		if one.list == nil {
			return one, rest, 0, false
		}
		return one, rest, one.list.spec, true
	case t.kind == lexer.FunctionToken && t.text == "has":
		one.list = p.relative(inner)
		return one, rest, one.list.spec, len(one.list.list) > 0
	case t.kind == lexer.FunctionToken && strings.HasPrefix(t.text, "nth-"):
		one.a, one.b, ok = nth(inner)
		return one, rest, spec, ok
	case t.kind == lexer.FunctionToken:
		one.never = true // :lang, :dir, :host and the like
		return one, rest, spec, true
	case livePseudos[t.text]:
		return one, rest, spec, true
	case deadPseudos[t.text]:
		one.never = true
		return one, rest, spec, true
	}
	one.never = true
	return one, rest, 0, strings.HasPrefix(t.text, "-webkit-")
}

// relative reads the list of :has: each selector begins at the element itself.
func (p parser) relative(list []token) *selectorList {
	p.parent = &selectorList{list: []*selector{{parts: []compound{{tests: []test{{kind: "has-anchor"}}}}}}}
	all := &selectorList{}
	for _, one := range split(list) {
		if sel := p.complex(one, true); sel != nil {
			all.add(sel)
		}
	}
	return all
}

var (
	livePseudos = set(`root empty first-child last-child only-child first-of-type last-of-type only-of-type
		link any-link checked disabled enabled scope defined open read-only optional default placeholder-shown`)
	pseudoElements = set("before after first-line first-letter")
	deadPseudos    = set(`hover focus active visited target focus-within focus-visible indeterminate invalid valid required
		in-range out-of-range read-write autofill before after first-line first-letter selection fullscreen host
		user-invalid user-valid modal popover-open playing paused buffering seeking muted stalled current past future
		target-within local-link blank`)
)

// nth reads `odd`, `even`, `3`, `2n+1` and the like (CSS Syntax 3, section 6).
func nth(list []token) (a, b int, ok bool) {
	word := ""
	for _, t := range list {
		if t.ident("of") {
			return 0, 0, false
		}
		word += t.text
	}
	word = strings.ReplaceAll(word, " ", "")
	switch word {
	case "odd":
		return 2, 1, true
	case "even":
		return 2, 0, true
	}
	before, after, found := strings.Cut(word, "n")
	if !found {
		b, err := strconv.Atoi(word)
		return 0, b, err == nil
	}
	switch before {
	case "", "+":
		a = 1
	case "-":
		a = -1
	default:
		var err error
		if a, err = strconv.Atoi(before); err != nil {
			return 0, 0, false
		}
	}
	if after == "" {
		return a, 0, true
	}
	b, err := strconv.Atoi(after)
	return a, b, err == nil
}
