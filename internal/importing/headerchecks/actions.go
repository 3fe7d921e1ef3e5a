package headerchecks

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
)

func (r *rule) left(reason string, args ...any) {
	r.fate, r.reason = importing.Left, fmt.Sprintf(reason, args...)
}

func (r *rule) carried(reason string, args ...any) {
	r.fate, r.reason = importing.Carried, fmt.Sprintf(reason, args...)
}

func (r *rule) changed(reason string, args ...any) {
	r.fate, r.reason = importing.Changed, fmt.Sprintf(reason, args...)
}

// otherActions are those of header_checks(5) that refuse nothing: why mailweir does not do them,
// and what to do.
var otherActions = map[string]string{
	"DUNNO":    "it exempts lines from the rules behind it; keep it before those that stay in Postfix",
	"OK":       "it exempts lines from the rules behind it; keep it before those that stay in Postfix",
	"PASS":     "it passes the rest of the message; keep it before the rules that stay in Postfix",
	"DISCARD":  "it throws mail away behind the sender's back, which mailweir never does; keep it in Postfix, or make it REJECT and import again",
	"HOLD":     "it holds mail; keep it in Postfix, or write it into a definition with !action quarantine",
	"REDIRECT": "it sends mail elsewhere; keep it in Postfix",
	"BCC":      "it copies mail; keep it in Postfix",
	"FILTER":   "it chooses a content filter; keep it in Postfix",
	"PREPEND":  "it adds a field; keep it in Postfix, or tag mail by a definition with !action tag",
	"REPLACE":  "it changes the message; keep it in Postfix",
	"IGNORE":   "it takes lines out; keep it in Postfix, where mailweir sees the message without them",
	"STRIP":    "it takes lines out; keep it in Postfix, where mailweir sees the message without them",
	"INFO":     "it only logs; keep it in Postfix, or write it into a definition with !action monitor",
}

// shields reports whether the rule answers for a line in place of those behind it, and the line
// still reaches mailweir.
func (r *rule) shields() bool {
	switch {
	case r.fault != "" || r.Verb != "" || r.action == "":
		return false
	case slices.Contains([]string{"REJECT", "IGNORE", "STRIP"}, r.action):
		return false // mailweir does not see what they answer for
	case r.action == "WARN":
		return true
	}
	return otherActions[r.action] != ""
}

// answersBefore reports whether the rule may answer for a line that the pattern matches, too. Where
// nobody knows, it may.
func (r *rule) answersBefore(pattern *prepared, names []string, m *meetings) bool {
	return !r.excludes(pattern, names, m) && !slices.ContainsFunc(r.ifs, func(c *rule) bool { return c.excludes(pattern, names, m) })
}

// excludes reports whether no line fulfils the rule's pattern, or what it negates, and the other
// one, which is for the fields of these names.
func (r *rule) excludes(pattern *prepared, names []string, m *meetings) bool {
	if r.Negate {
		f := parseField(r.nodes)
		return len(names) > 0 && everything(f.value) && !slices.ContainsFunc(names, func(s string) bool { return !slices.Contains(f.names, s) })
	}
	if r.prepared == nil {
		r.prepared = prepare(r.beginning())
	}
	return !m.meet(r.prepared, pattern)
}

// beginning is the pattern, or what is known of its beginning where it could not be taken apart.
func (r *rule) beginning() []*node {
	if r.nodes != nil {
		return r.nodes
	}
	text, anchored := strings.CutPrefix(r.Pattern, "^")
	if !anchored || strings.ContainsAny(r.Flags, "mx") {
		return nil
	}
	n := 0
	for n < len(text) && (strings.IndexByte(nameCharacters+":", text[n]|0x20) >= 0 || text[n] == ':') {
		n++
	}
	if n < len(text) && strings.IndexByte("*+?{|", text[n]) >= 0 {
		n = max(n-1, 0)
	}
	if strings.IndexByte(text, '|') >= 0 {
		n = 0 // the anchor may be of one branch alone
	}
	return []*node{{op: begin}, {op: literal, text: strings.ToLower(text[:n])}}
}

// otherAction says what becomes of a rule that refuses nothing, and false for one that does.
func (r *rule) otherAction() bool {
	switch {
	case r.action == "REJECT" || r.action == "WARN":
		return false
	case r.action == "":
		r.left("it has no action, and Postfix skips it")
	case otherActions[r.action] != "":
		r.left("%s", otherActions[r.action])
	default:
		r.left("Postfix knows no action %s here, and does nothing", r.action)
	}
	return true
}
