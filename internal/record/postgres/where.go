package postgres

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// where is a condition in SQL with its arguments.
type where struct {
	terms []string
	args  []any
}

// and adds a term, in which each $? stands for the next argument.
func (w *where) and(term string, args ...any) {
	w.terms = append(w.terms, w.number(term, args...))
}

// number gives arguments their numbers.
func (w *where) number(term string, args ...any) string {
	for _, a := range args {
		w.args = append(w.args, a)
		term = strings.Replace(term, "$?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	return term
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return "true"
	}
	return strings.Join(w.terms, " AND ")
}

// selection is a query in SQL. What it lets through [record.Query.Match] looks at again, so it may
// be wider, but never narrower.
type selection struct {
	where
	// keys select rows of the keys that lead to the entries, "" where a walk over the entries does.
	// One key alone has its rows in order of position; several are put in order first.
	keys    string
	ordered bool
	// few: there are so few that they are all found first, and then put in order. The planner would
	// walk over all of them in order instead, where it thinks that they are many.
	few bool
}

// selectionOf turns a normal query into SQL. The first of these that is set leads, because it names
// few entries: an id, a key, what has an index. The planner may not choose another one: it would,
// where a check or a net is thought to be rare, and walk over millions of rows.
func selectionOf(q record.Query) selection {
	s := selection{ordered: true}
	switch {
	case len(q.IDs) > 0:
		s.few = true
		s.and("left(e.id, 255) = ANY($?) AND e.id <> ''", shorts(q.IDs))
	case q.QueueID != "":
		s.key(row.KeyQueue, q.QueueID)
	case q.MessageID != "":
		s.key(row.KeyMessage, q.MessageID)
	case q.Session != "":
		s.key(row.KeySession, q.Session)
	case strings.HasPrefix(q.Recipient, "@"):
		s.key(row.KeyDomain, q.Recipient[1:])
	case q.Recipient != "":
		s.key(row.KeyRecipient, q.Recipient)
	case q.Own != nil || q.OwnDomains != nil:
		s.ordered = false
		s.keys = s.number("k.kind = $? AND k.value = ANY($?) OR k.kind = $? AND k.value = ANY($?)",
			int16(row.KeyRecipient), shorts(q.Own), int16(row.KeyDomain), shorts(q.OwnDomains))
	case q.Sender != "":
		s.and("left(e.sender_domain, 255) = $?", short(clean(domainOf(q.Sender))))
	case q.Client.IsValid() && q.Client.IsSingleIP():
		s.and("e.client = $?", q.Client.Addr())
	case q.Client.IsValid():
		s.and("e.client BETWEEN $? AND $?", q.Client.Addr(), last(q.Client))
	case len(q.Checks) > 0:
		s.and(`left(e."check", 255) = ANY($?)`, shorts(q.Checks))
	}
	s.rest(q)
	return s
}

func (s *selection) key(kind row.KeyKind, value string) {
	s.keys = s.number("k.kind = $? AND k.value = $?", int16(kind), short(clean(value)))
}

func shorts(list []string) []string {
	cut := cleans(list)
	for i, v := range cut {
		cut[i] = short(v)
	}
	return cut
}

func cleans(list []string) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = clean(v)
	}
	return texts
}

// clean is a text as the database takes it, and as it has it.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// domainOf is the domain of a sender's key.
func domainOf(key string) string {
	return key[strings.LastIndexByte(key, '@')+1:]
}

// last is the last address of a net.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// rest adds what rows must have besides. None of it is an index's expression.
func (s *selection) rest(q record.Query) {
	if !q.Since.IsZero() {
		s.and("e.time >= $?", q.Since)
	}
	if !q.Until.IsZero() {
		s.and("e.time <= $?", q.Until) // whose nanoseconds no row has
	}
	if q.Kind != record.AnyKind {
		s.and("e.kind = $?", int16(q.Kind))
	}
	if q.Transaction != 0 {
		s.and("e.transaction = $?", q.Transaction)
	}
	for _, equal := range []struct{ column, value string }{{"host", q.Host}, {"login", q.Login}, {"service", string(q.Service)}} {
		if equal.value != "" {
			s.and("e."+equal.column+" = $?", clean(equal.value))
		}
	}
	if q.Sender != "" && q.Sender[0] != '@' {
		s.and("e.sender = $?", clean(q.Sender))
	}
	if q.Direction != "" {
		s.and("strpos(e.direction, $?) > 0", clean(q.Direction))
	}
	if q.Client.IsValid() {
		s.and("host(e.client)::inet BETWEEN $? AND $?", q.Client.Addr(), last(q.Client))
	}
	if len(q.Checks) > 0 {
		s.and(`e."check" = ANY($?)`, cleans(q.Checks))
	}
	if len(q.NotChecks) > 0 {
		s.and(`e."check" <> ALL($?)`, cleans(q.NotChecks))
	}
	s.outcome(q)
	s.text(row.Part(q.Text))
}

// outcome adds what was decided.
func (s *selection) outcome(q record.Query) {
	if len(q.Modes) > 0 || q.Code != "" || len(q.Actions) > 0 && len(q.Fates) == 0 {
		s.and("e.kind = $?", int16(record.Decisions))
	}
	if len(q.Fates) > 0 && len(q.Actions) == 0 {
		s.and("e.kind = $?", int16(record.Messages))
	}
	if len(q.Modes) > 0 {
		s.and("e.mode = ANY($?)", names(q.Modes))
	}
	if len(q.Actions) > 0 && len(q.Fates) == 0 {
		s.and("e.action = ANY($?)", names(q.Actions))
	}
	if len(q.Fates) > 0 && len(q.Actions) == 0 {
		bits := 0
		for _, f := range q.Fates {
			bits |= 1 << f
		}
		s.and("e.fates & $? <> 0", bits)
	}
}

func names[T policy.Mode | policy.Action](list []T) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return texts
}

// text adds a part of the text that is searched for. Under the collation "C" only ASCII loses its
// case, which is all that the part has.
func (s *selection) text(part string) {
	if part == "" {
		return
	}
	s.and(`concat_ws(E'\n', e.id, e.session, e.login, host(e.client), e.shown, e.rest) COLLATE "C" ILIKE $?`, row.Like(part))
}

const readColumns = `e.position, e.kind, e.time, e.id, e.session, e.transaction, e.host, e.client, e.login, e."check", e.mode, e.action, e.code, e.service, e.direction, e.rest`

// statement selects what stands from first to last, at most so many rows in order.
func (s selection) statement(first, last record.Position, forward bool, limit int) (sql string, args []any) {
	order := " DESC"
	if forward {
		order = ""
	}
	w := where{append([]string(nil), s.terms...), append([]any(nil), s.args...)}
	end := " LIMIT " + strconv.Itoa(limit)
	if s.keys == "" {
		w.and("e.position BETWEEN $? AND $?", int64(first), int64(last))
		if s.few {
			return "SELECT e.* FROM (SELECT " + readColumns + " FROM mailweir_entries e WHERE " + w.String() + " OFFSET 0) e ORDER BY e.position" + order + end, w.args
		}
		return "SELECT " + readColumns + " FROM mailweir_entries e WHERE " + w.String() + " ORDER BY e.position" + order + end, w.args
	}
	distinct := ""
	if !s.ordered {
		distinct = "DISTINCT "
	}
	between := w.number("k.position BETWEEN $? AND $?", int64(first), int64(last))
	// The keys lead, whatever the planner thinks: a subquery in order, and for each of its rows one
	// entry (OFFSET 0 keeps the two apart).
	return "SELECT e.* FROM (SELECT " + distinct + "k.position FROM mailweir_keys k WHERE (" + s.keys + ") AND " + between + " ORDER BY k.position" + order + ") k" +
		" CROSS JOIN LATERAL (SELECT " + readColumns + " FROM mailweir_entries e WHERE e.position = k.position AND " + w.String() + " OFFSET 0) e" +
		" ORDER BY k.position" + order + end, w.args
}
