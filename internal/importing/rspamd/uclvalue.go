package rspamd

import (
	"fmt"
	"strconv"
	"strings"
)

// value reads what stands behind a key.
func (p *parser) value(n *node, depth int) error {
	switch c := p.peek(); {
	case c == '{':
		return p.object(n, depth)
	case c == '[':
		return p.array(n, depth)
	case c == '"' || c == '\'':
		text, err := p.quoted(c)
		n.text = text
		return err
	case strings.HasPrefix(p.text[p.at:], "<<"):
		return p.heredoc(n)
	}
	return p.bare(n)
}

const noTemplates = "templates are not read; \"rspamadm configdump\" shows what comes of them"

func isTemplate(text string) bool {
	return strings.HasPrefix(text, "{%") || strings.HasPrefix(text, "{=")
}

func (p *parser) object(n *node, depth int) error {
	began := p.line
	if isTemplate(p.text[p.at:]) {
		return p.fail(noTemplates)
	}
	p.at++
	n.fields = []*node{}
	for {
		if err := p.skip(true); err != nil {
			return err
		}
		switch p.peek() {
		case 0:
			return &uclError{began, "{ has no }"}
		case '}':
			p.at++
			return nil
		}
		if err := p.field(n, depth+1); err != nil {
			return err
		}
	}
}

func (p *parser) array(n *node, depth int) error {
	began := p.line
	if depth > deepest {
		return p.fail("arrays are too deep within each other")
	}
	p.at++
	n.items = []*node{}
	for {
		if err := p.skip(true); err != nil {
			return err
		}
		switch p.peek() {
		case 0:
			return &uclError{began, "[ has no ]"}
		case ']':
			p.at++
			return nil
		}
		item := &node{line: p.line}
		before := p.at
		if err := p.value(item, depth+1); err != nil {
			return err
		}
		if p.at == before {
			return p.fail(fmt.Sprintf("a value is expected before %q", firstOf(p.text[p.at:])))
		}
		item.end = p.line
		n.items = append(n.items, item)
	}
}

// quoted reads a string. In double quotes there are the escapes of JSON and variables; in single
// quotes \' is a quote.
func (p *parser) quoted(quote byte) (string, error) {
	began := p.line
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			if quote == '"' {
				return p.expand(b.String()), nil
			}
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text):
			p.at++
			p.escape(&b, quote)
		default:
			b.WriteByte(c)
			p.step()
		}
	}
	return "", &uclError{began, "the string has no end"}
}

// escape reads what follows a backslash.
func (p *parser) escape(b *strings.Builder, quote byte) {
	c := p.text[p.at]
	if quote == '\'' {
		if c != '\'' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
		p.step()
		return
	}
	if i := strings.IndexByte("nrtbf", c); i >= 0 {
		b.WriteByte("\n\r\t\b\f"[i])
		p.at++
		return
	}
	if c == 'u' && p.at+5 <= len(p.text) {
		if r, err := strconv.ParseUint(p.text[p.at+1:p.at+5], 16, 16); err == nil {
			b.WriteRune(rune(r))
			p.at += 5
			return
		}
	}
	b.WriteByte(c)
	p.step()
}

// heredoc reads <<END, lines, END. END is of upper case.
func (p *parser) heredoc(n *node) error {
	began := p.line
	rest := p.text[p.at+2:]
	mark, _, found := strings.Cut(rest, "\n")
	mark = strings.TrimRight(mark, "\r")
	if !found || mark == "" || strings.Trim(mark, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return p.bare(n)
	}
	p.at += 2
	for p.text[p.at] != '\n' {
		p.at++
	}
	p.step()
	start := p.at
	for p.at < len(p.text) {
		line, _, _ := strings.Cut(p.text[p.at:], "\n")
		if word := strings.TrimRight(line, "\r; \t,"); word == mark {
			n.text = p.expand(strings.TrimSuffix(p.text[start:p.at], "\n"))
			p.at += len(mark)
			return nil
		}
		if p.at += len(line); p.at < len(p.text) {
			p.step()
		}
	}
	return &uclError{began, "<<" + mark + " has no end"}
}

// bare reads a word without quotes: up to the end of the line, ; or a bracket of what is around it.
func (p *parser) bare(n *node) error {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("\n;,}]#", p.text[p.at]) < 0 {
		if rest := p.text[p.at:]; isTemplate(rest) {
			return p.fail(noTemplates)
		}
		p.at++
	}
	n.text = p.expand(strings.TrimSpace(p.text[start:p.at]))
	return nil
}

// expand puts in what stands for $NAME and ${NAME}; others stay.
func (p *parser) expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			b.WriteByte(text[i])
			continue
		}
		name, length := reference(text[i+1:])
		value, known := p.vars[name]
		if !known {
			b.WriteByte('$')
			continue
		}
		b.WriteString(value)
		i += length
	}
	return b.String()
}

// reference is the name at the beginning of what follows a $, and its length with braces.
func reference(text string) (name string, length int) {
	if inner, braces := strings.CutPrefix(text, "{"); braces {
		name, _, closed := strings.Cut(inner, "}")
		if !closed {
			return "", 0
		}
		return name, len(name) + 2
	}
	for length < len(text) && (text[length] == '_' || 'A' <= text[length] && text[length] <= 'Z') {
		length++
	}
	return text[:length], length
}
