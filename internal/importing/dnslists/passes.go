package dnslists

import (
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
)

// permits names an access map that may let mail pass the lists behind it in the same restriction
// list; "" where it does not, or where what it permits is carried over for all of mailweir's lists
// (check_client_access).
func (g *reading) permits(r postfix.Restriction) string {
	switch strings.ToLower(r.Name) {
	case "check_recipient_access", "check_sender_access", "check_helo_access":
	default:
		return ""
	}
	for _, t := range postfix.ParseTables(r.Argument) {
		if g.mayPermit(r.Service, t) {
			return r.Name + " " + t.Text
		}
	}
	return ""
}

// mayPermit reports whether some result of a table ends a restriction list. What cannot be read
// may.
func (g *reading) mayPermit(s *postfix.Service, t postfix.Table) bool {
	text := t.Name
	switch t.Type {
	case "inline", "static":
	case "texthash", "hash", "btree", "lmdb", "cdb", "dbm", "cidr", "regexp", "pcre":
		data, err := g.in.ReadText(g.in.Old(t.Name))
		if err != nil {
			return true
		}
		text = string(data)
	default:
		return true
	}
	classes := postfix.SplitList(g.in.Postfix.Value(s, "smtpd_restriction_classes"))
	for line := range strings.Lines(text) {
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(", \t\r\n{}=", r) })
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if slices.ContainsFunc(words, func(w string) bool {
			return strings.EqualFold(w, "OK") || strings.EqualFold(w, "RELAY") || strings.HasPrefix(strings.ToLower(w), "permit") || slices.Contains(classes, w)
		}) {
			return true
		}
	}
	return false
}
