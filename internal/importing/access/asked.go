package access

import (
	"regexp"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/table"
)

// ask takes over a table that mailweir asks as Postfix does. What it answers is known where its
// file gives one answer for all that it finds.
func (r *reader) ask(u *use) {
	if u.kind.word == "logins" {
		u.why = "account-list wants its own words, which such a table does not answer"
		r.result.Left(u.at, u.Text, "%s; it does its work in Postfix as before", u.why)
		return
	}
	answer, known := "", false
	if u.table.Type != "socketmap" && u.table.Type != "tcp" {
		data, err := r.in.ReadText(r.in.Old(u.table.Name))
		if err != nil {
			u.why = err.Error()
			r.result.Left(u.at, u.Text, "%s; it does its work in Postfix as before", u.why)
			return
		}
		answer, known = constantAnswer(string(data))
	}
	if !known {
		r.result.Left(u.at, u.Text, "what it answers stands in the table and not in its file; the line is proposed as a comment")
		return
	}
	a := r.actionOf(u, answer)
	switch {
	case u.Warn:
		a.why = "warn_if_reject stands before it: Postfix refuses nothing by it"
	case a.verb == reject && u.kind.word == "recipients" && u.insiders && !a.missing(), a.verb == outsiders:
		a.why = insidersOnly(u.kind)
	case a.refuses() && a.note != "", strings.EqualFold(answer, "RELAY"):
		a.why = "mailweir takes its answers as they are, and " + a.note
	case a.verb == ok && !u.spares.spam && !u.spares.relay, a.verb == dunno:
		a.why = "its answer " + answer + " spares mail nothing that mailweir checks"
	case a.verb == senders:
		a.why = "a restriction class of a table that is asked is not followed"
	}
	if a.why != "" {
		u.why = a.why
		r.result.Left(u.at, u.Text, "it answers %s: %s", short(answer), a.why)
		return
	}
	u.answer = &a
	r.tellAsked(u, answer)
}

// tellAsked says what becomes of a table that is asked.
func (r *reader) tellAsked(u *use, answer string) {
	k := u.kind
	var also []string
	if k.word == "clients" {
		also = r.alsoOwn(u, "")
	}
	switch {
	case u.answer.verb == ok && k.word == "senders":
		r.result.Changed(u.at, u.Text, "%s", k.permitReason)
	case u.answer.verb == ok && k.word == "recipients":
		u.why = "its answer is " + answer + ", and monitor-for wants the names of checks"
		r.result.Left(u.at, u.Text, "%s", u.why)
	case u.answer.verb == ok:
		r.result.Carried(u.at, u.Text, "%s", k.permit)
	case k.word == "clients" && u.answer.code == 0:
		r.result.Changed(u.at, u.Text, "%s, which answers 421 unless client-block-code = 554", k.block)
	case len(also) > 0:
		r.result.Changed(u.at, u.Text, "%s, %s", k.block, strings.Join(also, ", "))
	case u.insiders && k.word != "clients":
		r.result.Changed(u.at, u.Text, "%s, also from your own networks and users, whom Postfix does not ask here", k.block)
	default:
		r.result.Carried(u.at, u.Text, "%s", k.block)
	}
}

// does reports whether a table that is asked goes into the list of a flag, if only as a proposal.
func (u *use) does(flag string) bool {
	switch {
	case u.answer == nil:
		return flag == u.kind.block
	case flag == u.kind.block:
		return u.answer.refuses()
	}
	return u.answer.verb == ok
}

// flagAsked names the table in a line.
func (r *reader) flagAsked(u *use, flag string) {
	off := ""
	if u.answer == nil {
		off = "only you know what it answers: OK, DUNNO, REJECT, DEFER or a reply such as 550 5.7.1 text is what mailweir takes"
	}
	r.result.Flags = append(r.result.Flags, importing.Flag{Name: flag, Value: u.Asked, From: []importing.Place{u.at}, Off: off})
}

// constant is the beginning of a query that answers a text.
var constant = regexp.MustCompile(`(?is)^\s*select\s+(?:distinct\s+)?'([^']*)'(?:\s+as\s+\w+)?\s+from\s`)

// constantAnswer is the one answer that a file of an LDAP or SQL table gives (ldap_table(5),
// mysql_table(5)).
func constantAnswer(text string) (answer string, known bool) {
	values := make(map[string]string)
	_ = table.ReadLines(strings.NewReader(text), func(_ int, line string) error {
		if name, value, found := strings.Cut(line, "="); found {
			values[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		return nil
	})
	format := values["result_format"]
	if format != "" && !strings.Contains(format, "%") {
		return format, true
	}
	if m := constant.FindStringSubmatch(values["query"]); m != nil && (format == "" || format == "%s") {
		return m[1], true
	}
	return "", false
}
