// Package headerchecks carries over what Postfix's header_checks, mime_header_checks and
// body_checks refuse (header_checks(5)): addresses of header From into a block list, names of
// persons into a list of people, names of attachments into a list of files, and all else into
// content definitions. Patterns are taken apart and written again, since mailweir matches what a
// person reads and Postfix lines as they travel.
//
// A rule that is written again never refuses more than the old one of what both see in the same
// way. Where that cannot be had the rule is left: with patterns that RE2 has not or that look for
// octets, with what is for some messages only, and behind rules that exempt lines.
package headerchecks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// Name is that of the source; the names of its files begin with it.
const Name = "headerchecks"

// Source reads the tables of patterns that Postfix holds messages against.
func Source() importing.Source {
	return importing.Source{Name: Name, Title: "header_checks and body_checks of Postfix", Kind: "postfix", Read: read}
}

// parameters are those that name tables of patterns, in the order in which they are read.
var parameters = []string{
	"header_checks", "mime_header_checks", "nested_header_checks", "body_checks",
	"milter_header_checks", "smtp_header_checks", "smtp_mime_header_checks", "smtp_nested_header_checks", "smtp_body_checks",
	"lmtp_header_checks", "lmtp_mime_header_checks", "lmtp_nested_header_checks", "lmtp_body_checks",
}

// use is a parameter that names a table.
type use struct {
	service   *postfix.Service // that overrides the parameter, nil for main.cf
	parameter string
	table     postfix.Table
	place     importing.Place
}

// reader reads the tables of one Postfix.
type reader struct {
	in     *importing.Input
	result *importing.Result
	writer writer
	uses   []use
	read   map[string]*checkTable
}

// checkTable is a table that was read, and all its uses.
type checkTable struct {
	file  string
	rules []*rule
	roles roles
	uses  []use
}

func read(_ context.Context, in *importing.Input) (*importing.Result, error) {
	r := &reader{in: in, result: &importing.Result{}, read: map[string]*checkTable{}}
	r.findUses()
	covered := r.covered()
	r.writer.inbound = covered == inboundOnly
	tables := r.tables(covered)
	for i, t := range tables {
		var before []*rule
		for _, other := range tables[:i] {
			if other.roles.share(t.roles) {
				before = append(before, other.rules...)
			}
		}
		r.writer.decide(t.rules, t.roles, before)
	}
	r.writer.write(in, r.result)
	for _, t := range tables {
		settleBlocks(t.rules)
	}
	for _, t := range tables {
		for _, rule := range t.rules {
			rule.report(r.result)
		}
	}
	r.reportUses(tables)
	return r.result, nil
}

// findUses lists which parameter names which table, in main.cf and for each service.
func (r *reader) findUses() {
	add := func(s *postfix.Service, parameter string) {
		for _, t := range postfix.ParseTables(r.in.Postfix.Value(s, parameter)) {
			r.uses = append(r.uses, use{s, parameter, t, r.in.At(s, parameter, t.Text)})
		}
	}
	for _, parameter := range parameters {
		add(nil, parameter)
		for _, s := range r.in.Postfix.Services {
			if _, overrides := s.Overrides[parameter]; overrides {
				add(s, parameter)
			}
		}
	}
}

// tables reads each file once.
func (r *reader) tables(covered coverage) (all []*checkTable) {
	for _, u := range r.uses {
		t := r.read[u.table.Text]
		if t == nil {
			t = &checkTable{file: u.table.Name}
			text, problem := r.text(u.table)
			if problem != "" {
				t = &checkTable{}
				r.left(u, "%s", problem)
			} else {
				t.rules = parseRules(t.file, text, u.table.Type == "regexp")
				all = append(all, t)
			}
			r.read[u.table.Text] = t
		}
		t.uses = append(t.uses, u)
	}
	for _, t := range all {
		t.roles = rolesOf(t.uses, covered)
	}
	return all
}

// text is what stands in the file of a table, or why it cannot be read.
func (r *reader) text(t postfix.Table) (text, problem string) {
	switch {
	case t.Type != "pcre" && t.Type != "regexp":
		return "", fmt.Sprintf("a table of type %s has no patterns that could be read; keep it in Postfix", t.Type)
	case strings.HasPrefix(t.Name, "{"):
		return "", "its patterns stand in the parameter itself: write them into a file and import again"
	}
	data, err := r.in.ReadText(r.in.Old(t.Name))
	if err != nil {
		return "", fmt.Sprintf("it cannot be read: %s", err)
	}
	return string(data), ""
}

func (r *reader) left(u use, reason string, args ...any) {
	r.result.Left(u.place, u.text(), reason, args...)
}

func (u *use) text() string { return u.parameter + " = " + u.table.Text }

// rolesOf are what a table is asked about by all its uses.
func rolesOf(uses []use, covered coverage) (o roles) {
	inMain := slices.ContainsFunc(uses, func(u use) bool { return u.service == nil })
	for _, u := range uses {
		switch {
		case strings.HasPrefix(u.parameter, "smtp_"), strings.HasPrefix(u.parameter, "lmtp_"):
			o.reason = "it is for mail on its way out (" + u.parameter + "), and mailweir sees mail when it comes in; keep it in Postfix"
		case u.parameter == "milter_header_checks":
			o.reason = "it is for fields that a milter adds, which mailweir does not see; keep it in Postfix"
		case u.service != nil && !inMain:
			o.reason = "it is for mail through the service " + u.service.Key() + " alone; write it into a definition with !direction, or keep it in Postfix"
		case u.parameter == "header_checks":
			o.primary = true
		case u.parameter == "mime_header_checks":
			o.mime = true
		case u.parameter == "nested_header_checks":
			o.nested = true
		case u.parameter == "body_checks":
			o.body = true
		}
	}
	switch {
	case o.reason != "":
	case o.body && (o.primary || o.mime || o.nested):
		o.reason = "the file serves body_checks and header_checks at once: make two of it and import again"
	case covered == nobody:
		o.reason = "no service takes mail from outside with it (no_header_body_checks)"
	}
	return o
}

// reportUses says of each word of the parameters what became of its table.
func (r *reader) reportUses(tables []*checkTable) {
	done := map[string]bool{}
	for _, u := range r.uses {
		t := r.read[u.table.Text]
		if t.file == "" || done[u.place.String()+u.text()] {
			continue
		}
		done[u.place.String()+u.text()] = true
		if u.place.Line == 0 { // by default, as mime_header_checks is
			continue
		}
		written, all := t.count()
		switch {
		case all == 0:
			r.left(u, "no rule stands in it")
		case written == all:
			r.result.Carried(u.place, u.text(), "all of its rules are written again")
		case written == 0:
			r.left(u, "none of its rules is written again")
		default:
			r.result.Changed(u.place, u.text(), "%d of its %d rules are written again; the others stay in Postfix", written, all)
		}
	}
	r.doubles(tables)
}

// needless reports whether main.cf sets a parameter, and all rules of its tables are written again.
func (r *reader) needless(parameter string) bool {
	set := false
	for _, u := range r.uses {
		if u.parameter != parameter || u.service != nil {
			continue
		}
		if written, all := r.read[u.table.Text].count(); all == 0 || written < all {
			return false
		}
		set = set || u.place.Line > 0
	}
	return set
}

// count is how many rules a table has, and how many are written again.
func (t *checkTable) count() (written, all int) {
	for _, rule := range t.rules {
		if rule.Verb != "" {
			continue
		}
		all++
		if rule.fate == importing.Carried || rule.fate == importing.Changed {
			written++
		}
	}
	return written, all
}

// doubles says which parameters Postfix needs no more, and where lines could go.
func (r *reader) doubles(tables []*checkTable) {
	for _, parameter := range parameters {
		if r.needless(parameter) {
			r.result.Doubles = append(r.result.Doubles, importing.Double{Parameter: parameter})
		}
	}
	for _, t := range tables {
		if written, all := t.count(); written > 0 && written < all {
			r.result.Note("%s: once the imported rules are enforced, the lines that are carried or changed can go; those that are left still work there alone", t.file)
		}
	}
}
