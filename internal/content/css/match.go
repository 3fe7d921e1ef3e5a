package css

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// matcher holds selectors against elements, and counts the steps.
type matcher struct {
	sheet  *Sheet
	anchor *html.Node // of :has
}

// any tells whether one selector of a list matches.
func (m matcher) any(l *selectorList, n *html.Node) bool {
	for _, sel := range l.list {
		if m.complex(sel, 0, n) {
			return true
		}
	}
	return false
}

// complex matches the compounds from i on, the first of them against n itself.
func (m matcher) complex(sel *selector, i int, n *html.Node) bool {
	if !m.compound(&sel.parts[i], n) {
		return false
	}
	if i == len(sel.joins) {
		return true
	}
	switch sel.joins[i] {
	case '>':
		up := parent(n)
		return up != nil && m.complex(sel, i+1, up)
	case '+':
		before := previous(n)
		return before != nil && m.complex(sel, i+1, before)
	case '~':
		for before := previous(n); before != nil && m.sheet.work <= maxWork; before = previous(before) {
			if m.complex(sel, i+1, before) {
				return true
			}
		}
	default:
		for up := parent(n); up != nil && m.sheet.work <= maxWork; up = parent(up) {
			if m.complex(sel, i+1, up) {
				return true
			}
		}
	}
	return false
}

func parent(n *html.Node) *html.Node {
	if up := n.Parent; up != nil && up.Type == html.ElementNode {
		return up
	}
	return nil
}

func previous(n *html.Node) *html.Node {
	for n = n.PrevSibling; n != nil && n.Type != html.ElementNode; n = n.PrevSibling {
	}
	return n
}

func next(n *html.Node) *html.Node {
	for n = n.NextSibling; n != nil && n.Type != html.ElementNode; n = n.NextSibling {
	}
	return n
}

func (m matcher) compound(c *compound, n *html.Node) bool {
	if !m.sheet.spend(1 + len(c.classes) + len(c.tests) + len(n.Attr)/16) {
		return false
	}
	if c.tag != "" && c.tag != n.Data && !strings.EqualFold(c.tag, n.Data) {
		return false
	}
	if c.id != "" && m.sheet.name(attr(n, "id")) != c.id {
		return false
	}
	if len(c.classes) > 0 {
		have := attr(n, "class")
		if !m.sheet.spend(len(c.classes) * len(have) / 32) {
			return false
		}
		for _, class := range c.classes {
			if !hasWord(have, class, m.sheet.quirks) {
				return false
			}
		}
	}
	for i := range c.tests {
		if !m.test(&c.tests[i], n) {
			return false
		}
	}
	return true
}

// name brings a class or id to the form in which it is compared.
func (s *Sheet) name(raw string) string { return parser{sheet: s}.name(raw) }

// attr is the first attribute of a name: it counts where one stands twice.
func attr(n *html.Node, name string) string {
	value, _ := lookup(n, name)
	return value
}

func lookup(n *html.Node, name string) (string, bool) {
	for i := range n.Attr {
		if n.Attr[i].Key == name {
			return n.Attr[i].Val, true
		}
	}
	return "", false
}

// hasWord tells whether a list with white space between holds a word.
func hasWord(list, word string, fold bool) bool {
	if len(list) < len(word) {
		return false
	}
	for one := range strings.FieldsFuncSeq(list, space) {
		if one == word || fold && strings.EqualFold(one, word) {
			return true
		}
	}
	return false
}

func space(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' }

func (m matcher) test(t *test, n *html.Node) bool {
	if t.never {
		return false
	}
	switch t.kind {
	case "[]":
		return m.attribute(t, n)
	case "is":
		return m.any(t.list, n)
	case "not":
		return !m.any(t.list, n)
	case "has":
		return m.has(t.list, n)
	case "has-anchor":
		return n == m.anchor
	case "root", "scope":
		return parent(n) == nil
	case "empty":
		for c := n.FirstChild; c != nil && m.sheet.spend(1); c = c.NextSibling {
			if c.Type == html.ElementNode || c.Type == html.TextNode && c.Data != "" {
				return false
			}
		}
		return true
	case "link", "any-link":
		_, has := lookup(n, "href")
		return has && (n.DataAtom == atom.A || n.DataAtom == atom.Area)
	case "checked":
		_, checked := lookup(n, "checked")
		_, selected := lookup(n, "selected")
		return checked && n.DataAtom == atom.Input || selected && n.DataAtom == atom.Option
	case "disabled", "enabled":
		_, disabled := lookup(n, "disabled")
		return controls[n.DataAtom] && disabled == (t.kind == "disabled")
	case "open":
		_, open := lookup(n, "open")
		return open
	case "optional", "default", "placeholder-shown":
		return false
	case "read-only":
		return n.DataAtom != atom.Input && n.DataAtom != atom.Textarea
	case "defined":
		return true
	}
	return m.place(t, n)
}

var controls = map[atom.Atom]bool{
	atom.Input: true, atom.Button: true, atom.Select: true, atom.Textarea: true,
	atom.Option: true, atom.Optgroup: true, atom.Fieldset: true,
}

// place answers :first-child, :nth-of-type(2n) and the like. Their steps are counted, because
// siblings may be many.
func (m matcher) place(t *test, n *html.Node) bool {
	ofType := strings.HasSuffix(t.kind, "of-type")
	position := func(step func(*html.Node) *html.Node) int {
		count := 1
		for s := step(n); s != nil && m.sheet.spend(1); s = step(s) {
			if !ofType || s.Data == n.Data {
				count++
			}
		}
		return count
	}
	switch strings.TrimSuffix(strings.TrimSuffix(t.kind, "-of-type"), "-child") {
	case "first":
		return m.alone(n, previous, ofType)
	case "last":
		return m.alone(n, next, ofType)
	case "only":
		return m.alone(n, previous, ofType) && m.alone(n, next, ofType)
	case "nth":
		return progression(position(previous), t.a, t.b)
	case "nth-last":
		return progression(position(next), t.a, t.b)
	}
	return false
}

// alone tells that there is no sibling in one direction.
func (m matcher) alone(n *html.Node, step func(*html.Node) *html.Node, ofType bool) bool {
	for s := step(n); s != nil; s = step(s) {
		if !ofType || s.Data == n.Data {
			return false
		}
		if !m.sheet.spend(1) {
			return false
		}
	}
	return true
}

// progression tells whether a position is a*n+b for some n from 0 on.
func progression(position, a, b int) bool {
	if a == 0 {
		return position == b
	}
	return (position-b)/a >= 0 && (position-b)%a == 0
}

func (m matcher) attribute(t *test, n *html.Node) bool {
	have, is := lookup(n, t.name)
	if !is || t.how == "" {
		return is
	}
	want := t.value
	if !m.sheet.spend(1 + len(have)/64) {
		return false
	}
	if t.fold {
		have, want = strings.ToLower(have), strings.ToLower(want)
	}
	switch t.how {
	case "=":
		return have == want
	case "~=":
		return want != "" && !strings.ContainsFunc(want, space) && hasWord(have, want, false)
	case "|=":
		return have == want || strings.HasPrefix(have, want+"-")
	case "^=":
		return want != "" && strings.HasPrefix(have, want)
	case "$=":
		return want != "" && strings.HasSuffix(have, want)
	}
	return want != "" && strings.Contains(have, want)
}

// has tells whether a selector that begins at n matches something below or behind it.
func (m matcher) has(l *selectorList, n *html.Node) bool {
	m.anchor = n
	for _, sel := range l.list {
		top := n
		if first := sel.joins[len(sel.joins)-1]; first == '+' || first == '~' {
			top = n.Parent
		}
		if top == nil {
			continue
		}
		for d := range top.Descendants() {
			if !m.sheet.spend(1) {
				return false
			}
			if d.Type == html.ElementNode && m.complex(sel, 0, d) {
				return true
			}
		}
	}
	return false
}
