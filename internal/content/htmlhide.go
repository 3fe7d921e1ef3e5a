package content

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// hiding follows the outermost hidden element. Without a tree it goes by names: it ends where the
// element's own end tag stands, or where HTML would end the element by itself.
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

// close notes an end tag; true when the hidden element ends with it.
func (h *hiding) close(name string) bool {
	switch {
	case !h.active():
	case name == h.name && h.same > 0:
		h.same--
	case name == h.name:
		*h = hiding{}
		return true
	case blocks[name] && h.blocks > 0:
		h.blocks--
	case blocks[name]: // the end of an element around it
		*h = hiding{}
	}
	return false
}

// hidingRule finds what makes an element invisible, in a style without blanks. A font below two
// pixels is as good as none.
var hidingRule = regexp.MustCompile(`(?:^|[;{])(?:display:none|visibility:(?:hidden|collapse)|mso-hide:all|color:transparent|` +
	`font-size:(?:[01](?:\.\d*)?|\.\d+)(?:px|pt|q|%|em|rem)?(?:[;!}]|$)|font-size:0|` +
	`opacity:0*\.?0*(?:[;!}]|$)|(?:max-)?(?:height|width):0+(?:px|pt|em|%)?(?:[;!}]|$)|text-indent:-\d{3,})`)

// emRule takes back the one unit in which a size of one is plain.
var emRule = regexp.MustCompile(`font-size:[1](?:\.\d*)?(?:em|rem)`)

// hidingStyle tells whether CSS declarations, made plain, hide an element.
func hidingStyle(style string) bool {
	return hidingRule.MatchString(emRule.ReplaceAllString(style, "font-size:large"))
}

// maxSelectors bounds the hiding selectors of one part.
const maxSelectors = 256

// styleSheet knows the classes and ids that a style element hides, outside of @media that means
// some screens only, and the like.
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
		selector = selector[bytes.LastIndexByte(selector, ';')+1:] // behind @import and the like
		rule := bytes.IndexByte(selector, '@') >= 0
		if rule && depth == 0 && everyScreen(string(selector)) {
			continue
		}
		depth++
		if depth == 1 && !rule {
			end := bytes.IndexByte(text, '}')
			if end >= 0 && hidingStyle(declarations(text[:end])) {
				c.add(string(selector))
			}
		}
	}
}

// everyScreen tells the @media rules that hold wherever mail is read.
func everyScreen(rule string) bool {
	_, list, found := strings.Cut(plainCSS(rule), "@media")
	return found && slices.ContainsFunc(strings.Split(list, ","), func(one string) bool {
		return slices.Contains([]string{"", "all", "screen", "onlyall", "onlyscreen"}, one)
	})
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
