package css

import (
	lexer "github.com/tdewolff/parse/v2/css"
)

// What one part's style sheets may come to. Honest ones of newsletters have some hundred rules.
const (
	maxSource = 512 << 10 // octets of all style elements
	maxRules  = 4096      // selectors of rules that decide something
	maxBlocks = 32        // rules within rules
	maxTokens = 4096      // of one selector list or declaration
	maxUnits  = 64 << 10  // compounds, tests, declarations and tokens that are kept
	maxWork   = 4 << 20   // steps of matching selectors and reading values, some tenths of a second
)

// Memory is what a sheet takes at most, in octets.
const Memory = 160 * maxUnits

// Sheet is the style sheets of one HTML part and what they come to. It is not safe for concurrent
// use.
type Sheet struct {
	quirks bool
	source int
	work   int
	units  int
	cut    bool
	rules  ruleIndex
	count  int // selectors so far, in order
	layers layers
	inline map[string]*declarations // style attributes read before

	prefixes map[string]bool // namespaces that are declared, and whether one is HTML's
}

// New makes an empty sheet. Quirks is for documents without a doctype: their classes and ids ignore
// case, and numbers without a unit are pixels.
func New(quirks bool) *Sheet {
	return &Sheet{quirks: quirks, inline: map[string]*declarations{}}
}

// Cut tells that the style sheets were too much to be followed to the end: some element may have
// been taken to show, or not to show, wrongly.
func (s *Sheet) Cut() bool { return s.cut }

// spend counts work, and tells whether there is some left.
func (s *Sheet) spend(n int) bool {
	s.work += n
	if s.work > maxWork {
		s.cut = true
	}
	return s.work <= maxWork
}

// keep counts what stays in memory, and tells whether there is room for it.
func (s *Sheet) keep(n int) bool {
	s.units += n
	if s.units > maxUnits {
		s.cut = true
	}
	return s.units <= maxUnits
}

// Add reads the content of a style element, after those before it.
func (s *Sheet) Add(src string) {
	if s.source += len(src); s.source > maxSource {
		s.cut = true
		src = src[:max(0, len(src)-(s.source-maxSource))]
	}
	r := &reader{sheet: s, in: newStream(src)}
	r.rules(scope{})
}

// scope is what stands around a rule.
type scope struct {
	parent *selectorList // of the rule that this one is nested in
	off    bool          // the condition around it does not hold
	layer  int           // 0 for none
	depth  int
}

// reader reads the rules of one style element.
type reader struct {
	sheet *Sheet
	in    *stream
}

// rules reads rules down to the brace that ends their block, or to the end.
func (r *reader) rules(at scope) {
	for {
		switch t := r.in.next(); {
		case t.kind == end:
			return
		case t.kind == lexer.RightBraceToken && at.depth > 0:
			return
		case t.blank(), t.kind == lexer.CDOToken, t.kind == lexer.CDCToken, t.is(";"):
		case t.kind == lexer.AtKeywordToken:
			r.atRule(t.text, at, false)
		default:
			r.in.unread(t)
			prelude, stop := r.until(at.depth == 0, false)
			if stop.kind == lexer.LeftBraceToken {
				r.rule(prelude, at)
			}
		}
	}
}

// until collects the tokens before a brace, or a semicolon where one ends the list; brackets are
// kept whole. Outside of all blocks a closing brace ends nothing. A list that is too long is none.
func (r *reader) until(outside, semicolon bool) (list []token, stop token) {
	depth, long := 0, false
	custom := false // braces may stand in the value of a custom property
	for {
		t := r.in.next()
		switch t.kind {
		case end:
			return r.whole(list, long), t
		case lexer.LeftParenthesisToken, lexer.LeftBracketToken, lexer.FunctionToken:
			depth++
		case lexer.RightParenthesisToken, lexer.RightBracketToken:
			depth = max(depth-1, 0)
		case lexer.LeftBraceToken:
			if depth == 0 && !custom {
				return r.whole(list, long), t
			}
			depth++
		case lexer.RightBraceToken:
			if depth == 0 && !outside {
				return r.whole(list, long), t
			}
			depth = max(depth-1, 0)
		case lexer.SemicolonToken:
			if semicolon && depth == 0 {
				return r.whole(list, long), t
			}
		case lexer.CustomPropertyNameToken:
			custom = custom || semicolon && len(list) == 0
		}
		if long = long || len(list) >= maxTokens; !long {
			list = append(list, t)
		}
	}
}

func (r *reader) whole(list []token, long bool) []token {
	if long {
		r.sheet.cut = true
		return nil
	}
	return trim(list)
}

// trim removes blanks around.
func trim(list []token) []token {
	for len(list) > 0 && list[0].blank() {
		list = list[1:]
	}
	for len(list) > 0 && list[len(list)-1].blank() {
		list = list[:len(list)-1]
	}
	return list
}

// rule reads the block of a rule whose selectors are known.
func (r *reader) rule(prelude []token, at scope) {
	units, count := r.sheet.units, r.sheet.count
	list := r.sheet.selectors(prelude, at.parent)
	at.off = at.off || list == nil
	at.parent = list
	r.block(at)
	if r.sheet.count == count { // nothing in it decides anything
		r.sheet.units = units
	}
}

// block reads declarations, and rules nested between them, down to the closing brace.
func (r *reader) block(at scope) {
	at.depth++
	var own declarations
	for open := true; open; {
		t := r.in.next()
		switch {
		case t.kind == lexer.AtKeywordToken:
			r.atRule(t.text, at, true)
			continue
		case t.blank() || t.is(";"):
			continue
		}
		r.in.unread(t)
		list, stop := r.until(false, true)
		if stop.kind == lexer.LeftBraceToken {
			r.nested(list, at)
			continue
		}
		if !at.off {
			own.add(r.sheet, list)
		}
		open = stop.kind == lexer.SemicolonToken
	}
	if !at.off && at.parent != nil && len(own.list)+len(own.vars) > 0 {
		r.sheet.insert(at.parent, &own, at.layer)
	}
}

func (r *reader) nested(prelude []token, at scope) {
	if at.depth >= maxBlocks {
		r.sheet.cut = true
		at.off = true
		r.skip()
		return
	}
	r.rule(prelude, at)
}

// skip leaves out a block that has begun.
func (r *reader) skip() {
	for depth := 1; depth > 0; {
		switch r.in.next().kind {
		case end:
			return
		case lexer.LeftBraceToken:
			depth++
		case lexer.RightBraceToken:
			depth--
		}
	}
}

// inBrackets is the content of a list that is one pair of brackets, nothing if it is not.
func inBrackets(list []token) []token {
	if len(list) == 0 || list[0].kind != lexer.LeftParenthesisToken {
		return nil
	}
	inner, rest := bracket(list)
	if len(rest) > 0 { // where it ends is not known here
		return nil
	}
	return inner
}

// atRule reads an at-rule: those that hold rules are read as if these stood outside, unless their
// condition does not hold.
func (r *reader) atRule(name string, at scope, inRule bool) {
	prelude, stop := r.until(at.depth == 0, true)
	if stop.kind != lexer.LeftBraceToken {
		if stop.kind == lexer.RightBraceToken && at.depth > 0 {
			r.in.unread(stop)
		}
		switch name {
		case "layer":
			r.sheet.layers.names(at.layer, prelude)
		case "namespace":
			r.sheet.namespace(prelude)
		}
		return
	}
	if at.depth >= maxBlocks {
		r.sheet.cut = true
		r.skip()
		return
	}
	switch name {
	case "media":
		at.off = at.off || !mediaHolds(prelude)
	case "supports":
		at.off = at.off || !r.sheet.supportsHolds(prelude)
	case "layer":
		at.layer = r.sheet.layers.enter(at.layer, prelude)
	case "scope":
		roots := r.sheet.selectors(trim(inBrackets(prelude)), nil)
		at.off = at.off || roots == nil
		at.parent = roots
	case "container", "-moz-document", "document", "starting-style":
		at.off = true // they say what is not known here
	default: // font-face, keyframes, page: no rules about elements
		r.skip()
		return
	}
	if inRule && at.parent != nil {
		r.block(at)
		return
	}
	at.depth++
	r.rules(at)
}
