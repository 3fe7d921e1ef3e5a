package headerchecks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
)

// Why a rule that refuses is left.
var (
	errNegated   = errors.New("it is for lines that do not match, and a definition looks for what is there")
	errOtherLine = errors.New("no line can match it and the if around it")
	errCondition = errors.New("it and the if around it cannot be written as one pattern")
	errEncoded   = errors.New("it looks for text as it travels (an encoded word); mailweir decodes it first: write what a person reads")
	errQuoted    = errors.New("it looks for text as it travels (quoted-printable); mailweir decodes it first: write what a person reads")
	errBase64    = errors.New("it looks for octets of a file in base64; mailweir decodes it first: --signature-types=executable finds programs under any name")
	errUuencoded = errors.New("it looks for the beginning of a uuencoded file, which mailweir decodes: --signature-names finds names in it")
	errNoBlank   = errors.New("it wants something else than a blank behind the colon, and mailweir puts one there")
	errAll       = errors.New("it matches every line")
)

// decide settles what becomes of the rules of a table. Before are those of the tables that Postfix
// asks before it: the first rule that matches a line answers.
func (w *writer) decide(rules []*rule, roles roles, before []*rule) {
	sequence := slices.Clone(before)
	for _, r := range rules {
		if r.open() && r.Verb == "" && !r.otherAction() {
			w.refusal(r, roles, sequence)
		}
		sequence = append(sequence, r)
	}
}

// settleBlocks says of each if and its endif what became of the rules between them.
func settleBlocks(rules []*rule) {
	for _, r := range slices.Backward(rules) {
		if r.open() && r.Verb == "if" {
			r.settleBlock()
		}
	}
}

// settleBlock says of an if and its endif what became of the rules between them.
func (r *rule) settleBlock() {
	kept := 0
	for _, inner := range r.inside {
		if inner.Verb == "" && (inner.fate == importing.Carried || inner.fate == importing.Changed) {
			kept++
		}
	}
	switch {
	case r.reason != "": // without endif
		r.left("%s", r.reason)
	case kept == 0:
		r.left("nothing of what stands between if and endif is written again")
	default:
		r.carried("it is part of the patterns of the rules between if and endif")
	}
	for _, inner := range r.inside {
		if inner.Verb == "endif" && inner.open() {
			inner.fate, inner.reason = r.fate, r.reason
		}
	}
}

// refusal settles a rule with REJECT or WARN.
func (w *writer) refusal(r *rule, roles roles, sequence []*rule) {
	if roles.reason != "" {
		r.left("%s", roles.reason)
		return
	}
	if roles.primary && w.person(r, sequence) {
		return
	}
	pattern, err := r.joined()
	if err != nil {
		r.left("%s", err)
		return
	}
	exceptions := w.meetings.exceptions(pattern, sequence)
	if roles.body {
		w.body(r, pattern, exceptions)
		return
	}
	w.header(r, pattern, exceptions, roles)
}

// where is the line of a rule as seen from another.
func (r *rule) where(from *rule) string {
	if r.file == from.file {
		return fmt.Sprint(r.place().Line)
	}
	return r.place().String()
}

// joined is the pattern of a rule together with those of the ifs around it.
func (r *rule) joined() ([]*node, error) {
	switch {
	case r.Negate:
		return nil, errNegated
	case r.err != nil:
		return nil, r.err
	}
	pattern := r.nodes
	for _, condition := range r.ifs {
		switch {
		case condition.Value != "":
			return nil, fmt.Errorf("the if in line %d has text behind its pattern, and Postfix skips it", condition.place().Line)
		case condition.Negate:
			return nil, errNegated
		case condition.err != nil:
			return nil, fmt.Errorf("of the if in line %d: %w", condition.place().Line, condition.err)
		}
		var err error
		if pattern, err = within(condition.nodes, pattern); err != nil {
			return nil, err
		}
	}
	return pattern, nil
}

// within joins a pattern with the condition of an if, which may be the name of a field.
func within(condition, pattern []*node) ([]*node, error) {
	outer, inner := parseField(condition), parseField(pattern)
	if len(outer.names) == 0 || !everything(outer.value) {
		return nil, errCondition
	}
	if len(inner.names) > 0 {
		if slices.ContainsFunc(inner.names, func(s string) bool { return !slices.Contains(outer.names, s) }) {
			return nil, errOtherLine
		}
		return pattern, nil
	}
	if hasBegin(pattern) {
		return nil, errCondition
	}
	names := &node{op: choice}
	for _, name := range outer.names {
		names.sub = append(names.sub, &node{op: literal, text: name})
	}
	front := []*node{{op: begin}, names, {op: literal, text: ":"}, {op: repeat, max: -1, sub: []*node{{op: anything}}}}
	return append(front, pattern...), nil
}

// everything tells what a field always matches.
func everything(value []*node) bool {
	return !slices.ContainsFunc(value, func(n *node) bool { return !optionalGap(n) && n.op != end && !n.isBlank() })
}

func hasBegin(list []*node) bool {
	return slices.ContainsFunc(list, func(n *node) bool { return n.op == begin || hasBegin(n.sub) })
}

// header settles a rule for header fields.
func (w *writer) header(r *rule, pattern []*node, exceptions []*rule, roles roles) {
	f := parseField(pattern)
	if len(f.names) == 0 && roles.mime && !roles.primary && !hasBegin(pattern) {
		pattern = append(fieldsOfMIME(), pattern...)
	}
	switch reason := roles.unlike(pattern, &f); {
	case reason != "":
		r.left("%s", reason)
		return
	case needsEncoded(pattern):
		r.left("%s", errEncoded)
		return
	}
	if f.only("from") && r.action == "REJECT" && w.fromRule(r, f.value, exceptions) {
		return
	}
	also := ""
	switch {
	case slices.Contains(f.names, "received"):
		also = "; the Received field of this server itself is not seen"
	case roles.mime:
		also = w.attachment(r, pattern, &f)
	}
	if f.only("subject") && !slices.ContainsFunc(exceptions, func(s *rule) bool { return !s.onlySubject() }) {
		if value, ok := f.behindBlank(); ok && !matchesEmpty(value) {
			w.entry(r, "subject", value, exceptions, also)
			return
		}
	}
	if len(f.names) > 0 {
		var ok bool
		if pattern, ok = f.asLine(); !ok {
			r.left("%s", errNoBlank)
			return
		}
	}
	w.entry(r, "headers", withoutGaps(pattern), exceptions, also)
}

// onlySubject reports whether the rule is about the Subject alone.
func (r *rule) onlySubject() bool {
	_, err := r.exclusion("subject")
	return err == nil
}

// fieldsOfMIME are the fields that a part has of its own.
func fieldsOfMIME() []*node {
	letters := &node{op: class}
	for _, c := range lowerLetters + "-" {
		letters.set.ascii[c] = true
	}
	return []*node{
		{op: begin},
		{op: literal, text: "content-"},
		{op: repeat, min: 1, max: -1, sub: []*node{letters}},
		{op: literal, text: ":"},
		{op: repeat, max: -1, sub: []*node{{op: anything}}},
	}
}

// body settles a rule for lines of the body.
func (w *writer) body(r *rule, pattern []*node, exceptions []*rule) {
	pattern = withoutGaps(pattern)
	switch {
	case matchesEmpty(pattern):
		r.left("%s", errAll)
	case slices.ContainsFunc(heads(pattern), func(h string) bool { return strings.HasPrefix(h, "begin ") }):
		r.left("%s", errUuencoded)
	case looksBase64(r.Pattern):
		r.left("%s", errBase64)
	case needsQuoted(pattern):
		r.left("%s", errQuoted)
	default:
		w.entry(r, "body", pattern, exceptions, "")
	}
}

// matchesEmpty reports whether a pattern matches a text without characters, and so every one.
func matchesEmpty(list []*node) bool {
	return !slices.ContainsFunc(list, func(n *node) bool { return !n.canBeEmpty() })
}

// needsEncoded tells patterns for encoded words (RFC 2047).
func needsEncoded(list []*node) bool {
	encoded := func(text string) bool { return strings.Contains(text, "=?") || strings.Contains(text, "?=") }
	return slices.ContainsFunc(list, func(n *node) bool { return n.needs(encoded) })
}

// needsQuoted tells patterns for an octet in quoted-printable, such as =3D.
func needsQuoted(list []*node) bool {
	quoted := func(text string) bool {
		for i := 0; i+2 < len(text); i++ {
			if text[i] == '=' && strings.IndexByte("234567c", text[i+1]) >= 0 && strings.IndexByte(digits+"abcdef", text[i+2]) >= 0 &&
				(text[i+2] >= 'a' || text[i+1] == '2' && text[i+2] == '0' || text[i+1] == 'c') {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(list, func(n *node) bool { return n.needs(quoted) })
}

// shortestBase64 is how many characters of base64 in a row, capitals among them and no word, are
// taken for a file.
const shortestBase64 = 12

// looksBase64 tells the beginnings of files in base64, such as TVqQAAMAAAAEAAAA.
func looksBase64(source string) bool {
	for _, beginning := range []string{"TVqQ", "TVpQ", "UEsDB", "JVBERi", "UmFyI", "R0lGOD", "iVBORw0"} { // .exe, .zip, .pdf, .rar, .gif, .png
		if strings.Contains(source, beginning) {
			return true
		}
	}
	run, capitals, small := 0, 0, 0
	source = strings.ReplaceAll(source, `\`, "")
	for i := range len(source) {
		c := source[i]
		switch {
		case 'A' <= c && c <= 'Z':
			capitals++
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			small++
		case c == '+', c == '/':
		default:
			run, capitals, small = 0, 0, 0
			continue
		}
		if run++; run >= shortestBase64 && capitals > 3 && small > 0 {
			return true
		}
	}
	return false
}
