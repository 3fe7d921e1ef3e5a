package headerchecks

import (
	"slices"
	"strings"

	"mailweir/internal/table"
)

// person writes a rule that refuses somebody's name over an address that is not his. It is false
// where the rule means something else. There are three ways to write that for Postfix:
//
//	/^From:.*Jane Doe.*<(?!jane@example\.org)/ REJECT
//
//	/^From:.*Jane Doe.*<jane@example\.org>/ DUNNO
//	/^From:.*Jane Doe/ REJECT
//
//	if /^From:.*Jane Doe/
//	!/@example\.org>/ REJECT
//	endif
func (w *writer) person(r *rule, sequence []*rule) bool {
	if r.action != "REJECT" {
		return false
	}
	names, own := r.byLookAhead()
	if names == nil {
		names, own = r.byIf()
	}
	if names == nil {
		names, own = r.byExemption(sequence, &w.meetings)
	}
	if names == nil || own == nil {
		return false
	}
	for _, name := range names {
		w.people.add(r, `"`+name+`"`, strings.Join(own, ", "))
	}
	r.changed(`is written as %q with %s in %s; the name is found in any spelling; addresses of --local-domains may use it, too, and what only begins like these may not`,
		names[0], shorten(own), personFile)
	return true
}

// byLookAhead reads a pattern with (?!address) in it.
func (r *rule) byLookAhead() (names, own []string) {
	before, rest, found := strings.Cut(r.Pattern, "(?!")
	if !found || r.posix || r.Negate || len(r.ifs) > 0 || strings.Contains(rest, "(?!") {
		return nil, nil
	}
	inner, after, ok := cutGroup(rest)
	if !ok {
		return nil, nil
	}
	read := func(source string) []*node {
		nodes, err := parsePattern(table.Rule{Pattern: source, Flags: r.Flags}, false)
		if err != nil {
			return nil
		}
		return nodes
	}
	f := parseField(read(before))
	if !f.only("from") {
		return nil, nil
	}
	names = namesOf(f.value)
	switch {
	case names != nil && strings.HasSuffix(before, "<") && everythingInAddress(read(after)): // ^From:.*Jane Doe.*<(?!jane@example\.org)
	case names == nil && everything(f.value): // ^From:(?!.*@example\.org).*Jane Doe
		if names = namesOf(read(after)); names == nil {
			return nil, nil
		}
	default:
		return nil, nil
	}
	return names, ownAddresses(read(inner))
}

// everythingInAddress tells what the rest of an address always matches.
func everythingInAddress(list []*node) bool {
	return !slices.ContainsFunc(list, func(n *node) bool {
		return !n.isGap() && n.op != end && !n.isBlank() && (n.op != literal || n.text != ">")
	})
}

// cutGroup parts a text behind the bracket that ends the group in which it begins.
func cutGroup(s string) (inner, after string, ok bool) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			if n := strings.IndexByte(s[i:], ']'); n > 0 {
				i += n
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return "", "", false
}

// byIf reads a negated address within an if that is for a name.
func (r *rule) byIf() (names, own []string) {
	if !r.Negate || r.err != nil || len(r.ifs) != 1 || r.ifs[0].Negate || r.ifs[0].err != nil {
		return nil, nil
	}
	f := parseField(r.ifs[0].nodes)
	if !f.only("from") {
		return nil, nil
	}
	value := r.nodes
	if own := parseField(value); own.only("from") {
		value = own.value
	}
	return namesOf(f.value), ownAddresses(value)
}

// byExemption reads a pattern for a name behind others for that name with its addresses.
func (r *rule) byExemption(sequence []*rule, m *meetings) (names, own []string) {
	f := parseField(r.nodes)
	if r.Negate || r.err != nil || len(r.ifs) > 0 || !f.only("from") {
		return nil, nil
	}
	if names = namesOf(f.value); names == nil {
		return nil, nil
	}
	for _, s := range m.exceptions(r.nodes, sequence) {
		other := parseField(s.nodes)
		if s.Negate || s.err != nil || len(s.ifs) > 0 || !other.only("from") || s.action == "WARN" {
			return nil, nil
		}
		addresses := addressBehind(other.value, names)
		if addresses == nil {
			addresses = ownAddresses(other.value) // whoever writes from there
		}
		if addresses == nil {
			return nil, nil
		}
		own = append(own, addresses...)
	}
	return names, own
}

// addressBehind is what stands between < and > behind one of the names.
func addressBehind(value []*node, names []string) []string {
	for i, n := range value {
		at := -1
		if n.op == literal {
			at = strings.IndexByte(n.text, '<')
		}
		if at < 0 {
			continue
		}
		front := append(slices.Clone(value[:i]), &node{op: literal, text: n.text[:at]})
		found := namesOf(front)
		if found == nil || !slices.ContainsFunc(found, func(s string) bool { return slices.Contains(names, s) }) {
			return nil
		}
		return ownAddresses(append([]*node{{op: literal, text: n.text[at:]}}, value[i+1:]...))
	}
	return nil
}

// namesOf are the persons that a pattern means, nil where it means anything else.
func namesOf(value []*node) []string {
	value = slices.Clone(value)
	trim := func(n *node, cut func(string, string) string) bool {
		switch {
		case n.isGap(), n.isBlank(), n.op == end, n.op == boundary, n.op == begin, n.isOptional(`"`), n.isOptional("'"), n.isOptional("<"):
			return true
		case n.op == class && n.set.within(`"' <`), n.op == repeat && n.sub[0].op == class && n.sub[0].set.within(`"' <`):
			return true
		case n.op == literal:
			n.text = cut(n.text, `"' <`)
			return n.text == ""
		}
		return false
	}
	for i, n := range value {
		value[i] = &node{n.op, n.text, n.set, n.sub, n.min, n.max}
	}
	for len(value) > 0 && trim(value[0], strings.TrimLeft) {
		value = value[1:]
	}
	for len(value) > 0 && trim(value[len(value)-1], strings.TrimRight) {
		value = value[:len(value)-1]
	}
	for i, n := range value { // Jane\s+Doe
		if n.isBlank() && !n.canBeEmpty() {
			value[i] = &node{op: literal, text: " "}
		}
	}
	texts, few := textsOf(value, mostNames)
	if !few || slices.ContainsFunc(texts, func(s string) bool { return !isPerson(s) }) {
		return nil
	}
	for i, text := range texts {
		if last, first, found := strings.Cut(text, ","); found { // any order is found
			texts[i] = strings.TrimSpace(first) + " " + strings.TrimSpace(last)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// titles are no names.
var titles = []string{"dr", "dr.", "mr", "mr.", "mrs", "mrs.", "ms", "ms.", "prof", "prof.", "the", "ceo", "cfo"}

// isPerson knows first and last name: two words or more, of letters.
func isPerson(s string) bool {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
	n := 0
	for _, word := range words {
		if strings.Trim(word, lowerLetters+".-'") != "" && isASCII(word) || strings.ContainsAny(word, "@<>\"") {
			return false
		}
		if len(strings.Trim(word, ".")) > 1 && !slices.Contains(titles, word) {
			n++
		}
	}
	return n > 1 && strings.Count(s, ",") < 2
}

// ownAddresses are the addresses and domains that may use a name, nil where a pattern means
// anything else.
func ownAddresses(value []*node) (own []string) {
	if texts, few := textsOf(value, mostNames); few && len(texts) > 1 { // each may end at its own >
		for _, text := range texts {
			addresses := ownAddresses([]*node{{op: literal, text: text}})
			if addresses == nil {
				return nil
			}
			own = append(own, addresses...)
		}
		return own
	}
	a, ok := parseAddresses(value)
	if !ok || a.pattern != nil {
		return nil
	}
	for _, key := range a.keys {
		if strings.HasSuffix(key, "@") {
			return nil
		}
		if strings.IndexByte(key, '@') <= 0 {
			key = strings.TrimLeft(key, "@.")
		}
		own = append(own, key)
	}
	return own
}
