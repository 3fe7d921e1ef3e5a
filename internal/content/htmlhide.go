package content

import (
	"bytes"
	"regexp"
	"strings"
)

// hiding follows the outermost hidden element. Without a tree it goes by names: it ends where the element's own end tag
// stands, or where HTML would end the element by itself.
type hiding struct {
	name   string // of the hidden element, "" for none
	same   int    // elements of the same name open in it
	blocks int    // other block elements open in it
}

func (h *hiding) active() bool { return h.name != "" }

// selfEnding elements end where the next of their kind begins.
var selfEnding = nameSet("p li td th tr dt dd option")

// open notes a start tag; true when a hidden element begins with it.
func (h *hiding) open(name string, hides bool) bool {
	if voids[name] {
		return false
	}
	if h.active() {
		switch {
		case h.name == "p" && blocks[name], name == h.name && selfEnding[name]:
			*h = hiding{} // ended by itself
		case name == h.name:
			h.same++
			return false
		case blocks[name]:
			h.blocks++
			return false
		default:
			return false
		}
	}
	if hides {
		h.name = name
	}
	return hides
}

// close notes an end tag.
func (h *hiding) close(name string) {
	switch {
	case !h.active():
	case name == h.name && h.same > 0:
		h.same--
	case name == h.name:
		*h = hiding{}
	case blocks[name] && h.blocks > 0:
		h.blocks--
	case blocks[name]: // the end of an element around it
		*h = hiding{}
	}
}

// hidingRule finds what makes an element invisible, in a style without blanks. A font below two pixels is as good as none.
var hidingRule = regexp.MustCompile(`(?:^|[;{])(?:display:none|visibility:(?:hidden|collapse)|mso-hide:all|color:transparent|` +
	`font-size:(?:[01](?:\.\d*)?|\.\d+)(?:px|pt|q|%|em|rem)?(?:[;!}]|$)|font-size:0|` +
	`opacity:0*\.?0*(?:[;!}]|$)|(?:max-)?(?:height|width):0+(?:px|pt|em|%)?(?:[;!}]|$)|text-indent:-\d{3,})`)

// emRule takes back the one unit in which a size of one is plain.
var emRule = regexp.MustCompile(`font-size:[1](?:\.\d*)?(?:em|rem)`)

// hidingStyle tells whether CSS declarations hide an element.
func hidingStyle(style string) bool {
	if len(style) > 4096 {
		style = style[:4096]
	}
	style = plainCSS(style)
	return hidingRule.MatchString(emRule.ReplaceAllString(style, "font-size:large"))
}

// plainCSS removes comments and white space.
func plainCSS(s string) string {
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, "/*")
		for _, c := range before {
			if c > ' ' {
				b.WriteRune(c)
			}
		}
		if !found {
			break
		}
		_, s, _ = strings.Cut(after, "*/")
	}
	return strings.ToLower(b.String())
}

// maxSelectors bounds the hiding selectors of one part.
const maxSelectors = 256

// styleSheet knows the classes and ids that a style element hides, outside @media and the like, which hide on some
// screens only.
type styleSheet struct {
	hidden map[string]bool // ".class", "#id"
}

func (c *styleSheet) read(text []byte) {
	depth := 0
	for len(text) > 0 {
		i := bytes.IndexAny(text, "{}")
		if i < 0 {
			return
		}
		selector, brace := text[:i], text[i]
		text = text[i+1:]
		if brace == '}' {
			depth = max(depth-1, 0)
			continue
		}
		depth++
		if depth == 1 && !bytes.Contains(selector, []byte("@")) {
			end := bytes.IndexByte(text, '}')
			if end >= 0 && hidingStyle(string(text[:end])) {
				c.add(string(selector))
			}
		}
	}
}

func (c *styleSheet) add(selectors string) {
	for _, one := range strings.Split(plainCSS(strings.ReplaceAll(selectors, " ", ">")), ",") {
		one = strings.Trim(one, ">")
		i := strings.LastIndexAny(one, ".#")
		if i < 0 || strings.ContainsAny(one[i:], ">:[*+~") || len(c.hidden) >= maxSelectors || len(one) > 128 {
			continue
		}
		if c.hidden == nil {
			c.hidden = map[string]bool{}
		}
		c.hidden[one[i:]] = true
	}
}

func (c *styleSheet) hides(names []string, mark string) bool {
	for _, name := range names {
		if c.hidden[mark+strings.ToLower(name)] {
			return true
		}
	}
	return false
}
