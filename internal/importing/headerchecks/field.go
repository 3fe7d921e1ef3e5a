package headerchecks

import (
	"slices"
	"strings"
)

// fieldPattern is a pattern for header fields: the names, and what is looked for behind the colon.
type fieldPattern struct {
	names []string // in lower case; none where the pattern may match any field
	value []*node  // behind the colon
}

// mostNames bounds the fields that one pattern is about.
const mostNames = 64

// parseField parts a pattern at the colon behind the name of the field.
func parseField(list []*node) (f fieldPattern) {
	if len(list) == 0 || list[0].op != begin {
		return f
	}
	before := []string{""}
	for i, n := range list[1:] {
		if n.op == repeat && n.min == 0 && n.isBlank() {
			continue // Subject\s*:
		}
		own, few := n.texts(mostNames)
		if !few || len(before)*len(own) > mostNames {
			return f
		}
		before = product(before, own)
		name, value, found := strings.Cut(before[0], ":")
		if !found {
			continue
		}
		f.names = append(f.names, name)
		for _, other := range before[1:] {
			name, also, found := strings.Cut(other, ":")
			if !found || also != value {
				return fieldPattern{}
			}
			if !slices.Contains(f.names, name) {
				f.names = append(f.names, name)
			}
		}
		if slices.ContainsFunc(f.names, func(s string) bool { return strings.Trim(s, nameCharacters) != "" || s == "" }) {
			return fieldPattern{}
		}
		f.value = flat(append([]*node{{op: literal, text: value}}, list[i+2:]...))
		return f
	}
	return f
}

const nameCharacters = lowerLetters + digits + "-_"

// only reports whether the pattern is about one field of that name.
func (f *fieldPattern) only(name string) bool { return len(f.names) == 1 && f.names[0] == name }

// isMIME tells the fields that mime_header_checks is for, wherever they stand (header_checks(5)).
func isMIME(name string) bool {
	return strings.HasPrefix(name, "content-") || name == "mime-version"
}

// allMIME and anyMIME say how many of its fields are such.
func (f *fieldPattern) allMIME() bool {
	return len(f.names) > 0 && !slices.ContainsFunc(f.names, func(s string) bool { return !isMIME(s) })
}

func (f *fieldPattern) anyMIME() bool {
	return len(f.names) == 0 || slices.ContainsFunc(f.names, isMIME)
}

// dropped are the fields that Postfix takes out before it shows a message to a milter
// (message_drop_headers).
var dropped = []string{"bcc", "content-length", "resent-bcc", "return-path"}

// asLine is the pattern for a line "name: value" as mailweir writes it, with one blank behind the
// colon. It is false where the pattern wants something else than a blank there.
func (f *fieldPattern) asLine() ([]*node, bool) {
	value, ok := f.behindBlank()
	if !ok {
		return nil, false
	}
	name := &node{op: literal, text: f.names[0] + ":"}
	if len(f.names) > 1 {
		name = &node{op: choice}
		for _, one := range f.names {
			name.sub = append(name.sub, &node{op: literal, text: one})
		}
		name = &node{op: sequence, sub: []*node{name, {op: literal, text: ":"}}}
	}
	line := []*node{{op: begin}, name}
	switch {
	case len(value) == 0 || value[0].op == end:
	case value[0].op == begin:
		line, value = append(line, &node{op: literal, text: " "}), value[1:]
	case !value[0].isGap():
		line = append(line, &node{op: repeat, max: -1, sub: []*node{{op: anything}}})
	}
	return flat(append(line, value...)), true
}

// behindBlank is the pattern for the value alone, without the blank in front: it begins with an
// anchor where the pattern wants the value to begin so.
func (f *fieldPattern) behindBlank() (value []*node, ok bool) {
	value = f.value
	blank := false
	for len(value) > 0 {
		first := value[0]
		switch {
		case first.op == repeat && first.isGap() && first.sub[0].op == anything:
			if !blank {
				value = value[1:] // its first character is the blank
			}
			return withoutGaps(value), true
		case first.isBlank():
			blank, value = true, value[1:]
			continue
		case first.op == literal && strings.HasPrefix(first.text, " "):
			value = flat(append([]*node{{op: literal, text: strings.TrimPrefix(first.text, " ")}}, value[1:]...))
			return append([]*node{{op: begin}}, value...), true
		case first.op == end:
			return value, true
		case first.isGap(): // [^<]*, in which the blank may stand
			if first.sub[0].set.ascii[' '] {
				return append([]*node{{op: begin}, {op: repeat, max: -1, sub: first.sub}}, value[1:]...), true
			}
		}
		if !blank {
			return nil, false
		}
		return append([]*node{{op: begin}}, value...), true
	}
	return value, true
}
