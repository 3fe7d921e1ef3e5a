package rspamd

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// node is a setting as it stands in a file: KEY = VALUE, or an element of an array.
type node struct {
	key string
	// line is where it begins, end where it ends.
	line, end int
	// text is the value of a string, number or word.
	text string
	// fields are those of an object in their order, with a key as often as it stands there; items
	// those of an array. Both are nil for a text.
	fields, items []*node
	// include says that it is a macro, such as .include, of which text has the argument.
	include bool
}

// get is the value of a field, the last one where it stands there several times.
func (n *node) get(key string) (found *node) {
	for _, f := range n.fields {
		if strings.EqualFold(f.key, key) && !f.include {
			found = f
		}
	}
	return found
}

// is reports whether a field is a yes.
func (n *node) is(key string) bool {
	f := n.get(key)
	if f == nil {
		return false
	}
	switch strings.ToLower(f.text) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// word is the text of a field, "" where there is none.
func (n *node) word(key string) string {
	if f := n.get(key); f != nil {
		return f.text
	}
	return ""
}

// deepest bounds how far objects and arrays may be within each other.
const deepest = 32

// parseUCL reads a configuration of rspamd (libucl's syntax) into an object: KEY VALUE, KEY = VALUE
// or KEY: VALUE, separated by ; , or line ends; objects in braces, arrays in brackets, strings in
// double or single quotes, words, <<END texts; comments by # and /* */. Templates ({% %}, {= =})
// are an error. vars are what stands for $NAME. An error is an [*uclError].
func parseUCL(text string, vars map[string]string) (*node, error) {
	p := &parser{text: text, line: 1, vars: vars}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, p.fail("it is no text in UTF-8")
	}
	root := &node{line: 1, fields: []*node{}}
	for {
		if err := p.skip(true); err != nil {
			return nil, err
		}
		if p.at == len(p.text) {
			root.end = p.line
			return root, nil
		}
		if err := p.field(root, 0); err != nil {
			return nil, err
		}
	}
}

// uclError is what is wrong in a file, and where.
type uclError struct {
	line int
	text string
}

func (e *uclError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

type parser struct {
	text string
	at   int
	line int
	vars map[string]string
}

func (p *parser) fail(text string) error { return &uclError{p.line, text} }

// peek is the next octet, 0 at the end.
func (p *parser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// skip passes over blanks and comments; with separators over line ends, ; and , as well.
func (p *parser) skip(separators bool) error {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ' ' || c == '\t' || c == '\r':
			p.at++
		case separators && (c == '\n' || c == ';' || c == ','):
			p.step()
		case c == '#':
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.at++
			}
		case strings.HasPrefix(p.text[p.at:], "/*"):
			if err := p.comment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// step passes over an octet, and counts lines.
func (p *parser) step() {
	if p.text[p.at] == '\n' {
		p.line++
	}
	p.at++
}

// comment passes over /* */, which may have others within.
func (p *parser) comment() error {
	began, depth := p.line, 0
	for p.at < len(p.text) {
		switch rest := p.text[p.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			p.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			if p.at += 2; depth == 0 {
				return nil
			}
		default:
			p.step()
		}
	}
	return &uclError{began, "the comment has no end"}
}

// field reads one setting of an object.
func (p *parser) field(into *node, depth int) error {
	if depth > deepest {
		return p.fail("objects are too deep within each other")
	}
	n := &node{line: p.line}
	if p.peek() == '.' {
		return p.macro(into)
	}
	key, err := p.keyText()
	if err != nil {
		return err
	}
	n.key = key
	if err := p.skip(false); err != nil {
		return err
	}
	switch c := p.peek(); {
	case c == '=' || c == ':':
		p.at++
		if err := p.skip(false); err != nil {
			return err
		}
		for p.peek() == '\n' { // the value may begin in the next line
			p.step()
			if err := p.skip(false); err != nil {
				return err
			}
		}
		err = p.value(n, depth)
	case c == '\n':
		if err := p.skip(true); err != nil {
			return err
		}
		if p.peek() != '{' && p.peek() != '[' {
			return &uclError{n.line, fmt.Sprintf("%q has no value", key)}
		}
		err = p.value(n, depth)
	case c == '{' || c == '[' || c == '<':
		err = p.value(n, depth)
	case c == 0 || c == ';' || c == '}':
		return p.fail(fmt.Sprintf("%q has no value", key))
	default:
		err = p.named(n, depth)
	}
	n.end = p.line
	into.fields = append(into.fields, n)
	return err
}

// named reads what follows a key without a sign between: a word, or NAME {…}, which is an object
// within an object.
func (p *parser) named(n *node, depth int) error {
	start, line := p.at, p.line
	if _, err := p.keyText(); err == nil {
		if err := p.skip(false); err != nil {
			return err
		}
		if c := p.peek(); c == '{' || c == '"' {
			p.at, p.line = start, line
			n.fields = []*node{}
			return p.field(n, depth+1)
		}
	}
	p.at, p.line = start, line
	return p.value(n, depth)
}

// macro reads .NAME(ARGUMENTS) VALUE.
func (p *parser) macro(into *node) error {
	n := &node{line: p.line, include: true}
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\n\"'(", p.text[p.at]) < 0 {
		p.at++
	}
	n.key = p.text[start:p.at]
	if p.peek() == '(' {
		end := strings.IndexByte(p.text[p.at:], ')')
		if end < 0 || strings.Contains(p.text[p.at:p.at+end], "\n") {
			return p.fail(n.key + ": its arguments have no end")
		}
		p.at += end + 1
	}
	if err := p.skip(false); err != nil {
		return err
	}
	if err := p.value(n, deepest); err != nil {
		return err
	}
	n.end = p.line
	into.fields = append(into.fields, n)
	return nil
}

// keyText reads a key.
func (p *parser) keyText() (string, error) {
	if c := p.peek(); c == '"' || c == '\'' {
		return p.quoted(c)
	}
	start := p.at
	for p.at < len(p.text) && isKey(p.text[p.at]) {
		p.at++
	}
	if p.at == start {
		return "", p.fail(fmt.Sprintf("a key is expected before %q", firstOf(p.text[p.at:])))
	}
	return p.text[start:p.at], nil
}

func isKey(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c == '/' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// firstOf is the beginning of a text, to be shown.
func firstOf(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 20 {
		text = text[:20]
	}
	return strings.ToValidUTF8(text, "")
}
