package files

import (
	"fmt"
	"net/netip"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// condition is a query in SQL: the index to go by, and what rows must have. What it lets through
// [record.Query.Match] looks at again, so it may be wider, but never narrower.
type condition struct {
	from, position string
	terms          []string
	args           []any
	indexed        bool
}

// statement takes the first and the last position as its last arguments.
func (c condition) statement(forward bool) string {
	order := " DESC"
	if forward {
		order = ""
	}
	selected := "e." + strings.ReplaceAll(columns, ", ", ", e.")
	terms := append(c.terms[:len(c.terms):len(c.terms)], c.position+" BETWEEN ? AND ?")
	return "SELECT " + selected + " FROM " + c.from + " WHERE " + strings.Join(terms, " AND ") + " ORDER BY " + c.position + order
}

func (c *condition) and(term string, args ...any) {
	c.terms, c.args = append(c.terms, term), append(c.args, args...)
}

// in adds that a column has one of some values.
func in[T any](c *condition, column string, values []T) {
	if len(values) > 0 {
		c.and(column+" IN "+list(len(values)), anys(values)...)
	}
}

// list is a list of so many arguments.
func list(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

// anys are values as arguments. What has a name goes by it.
func anys[T any](values []T) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
		if named, ok := any(v).(fmt.Stringer); ok {
			args[i] = named.String()
		}
	}
	return args
}

// where turns a normal query into a condition. The first key that names few rows leads.
func where(q record.Query) condition {
	c := condition{from: "entry e NOT INDEXED", position: "e.position", indexed: true}
	switch {
	case len(q.IDs) > 0:
		c.from = "entry e INDEXED BY entry_id"
		in(&c, "e.id", q.IDs)
	case q.QueueID != "":
		c.found(row.KeyQueue, q.QueueID)
	case q.MessageID != "":
		c.found(row.KeyMessage, q.MessageID)
	case q.Session != "":
		c.found(row.KeySession, q.Session)
	case strings.HasPrefix(q.Recipient, "@"):
		c.found(row.KeyDomain, q.Recipient[1:])
	case q.Recipient != "":
		c.found(row.KeyRecipient, q.Recipient)
	case len(q.Own) > 0:
		c.own(q)
	case q.Sender != "" && domainOf(q.Sender) != "":
		c.from = "entry e INDEXED BY entry_sender"
		c.and("e.sender_domain = ?", domainOf(q.Sender))
	case q.Own == nil && len(q.OwnDomains) == 1 && !narrow(q.Client):
		c.found(row.KeyDomain, q.OwnDomains[0])
	case narrow(q.Client):
		c.from = "entry e INDEXED BY entry_net"
	default:
		c.indexed = false
	}
	c.rest(q)
	return c
}

// found goes by a key of entries.
func (c *condition) found(kind row.KeyKind, value string) {
	c.from, c.position = "found f CROSS JOIN entry e ON e.position = f.position", "f.position"
	c.and("f.kind = ? AND f.value = ?", int(kind), value)
}

// own goes by recipients, and domains of recipients.
func (c *condition) own(q record.Query) {
	these := func(kind row.KeyKind, values []string) string {
		c.args = append(append(c.args, int(kind)), anys(values)...)
		return "SELECT position FROM found WHERE kind = ? AND value IN " + list(len(values))
	}
	selected := these(row.KeyRecipient, q.Own)
	if len(q.OwnDomains) > 0 {
		selected += " UNION ALL " + these(row.KeyDomain, q.OwnDomains)
	}
	c.and("e.position IN (" + selected + ")")
}

// domainOf is the domain of a normal sender, as its column has it; "" where it has none.
func domainOf(key string) string {
	if key == "<>" {
		return key
	}
	if domain, ok := strings.CutPrefix(key, "@"); ok {
		return domain
	}
	return address.Parse(key).Domain
}

// narrow reports whether a net is within one of those that the index has.
func narrow(p netip.Prefix) bool {
	return p.IsValid() && (p.Addr().Is4() && p.Bits() >= 24 || p.Addr().Is6() && p.Bits() >= 64)
}

// rest adds what rows must have besides.
func (c *condition) rest(q record.Query) {
	if !q.Since.IsZero() {
		c.and("e.time >= ?", q.Since.UnixMicro())
	}
	if !q.Until.IsZero() {
		c.and("e.time <= ?", q.Until.UnixMicro())
	}
	if q.Kind != record.AnyKind {
		c.and("e.kind = ?", int(q.Kind))
	}
	if q.Transaction != 0 {
		c.and("e.number = ?", q.Transaction)
	}
	c.is("e.host", q.Host)
	c.is("e.login", q.Login)
	c.is("e.service", string(q.Service))
	if !strings.HasPrefix(q.Sender, "@") {
		c.is("e.sender", q.Sender)
	}
	if q.Direction != "" {
		c.and("instr(e.direction, ?) > 0", q.Direction)
	}
	if q.Client.IsValid() {
		c.client(q.Client)
	}
	in(c, "e.check_name", q.Checks)
	in(c, "coalesce(e.check_name, '') NOT", q.NotChecks)
	if len(q.OwnDomains) > 0 && len(q.Own) == 0 {
		c.and("EXISTS (SELECT 1 FROM found o WHERE o.kind = ? AND o.value IN "+list(len(q.OwnDomains))+" AND o.position = e.position)",
			append([]any{int(row.KeyDomain)}, anys(q.OwnDomains)...)...)
	}
	c.outcome(q)
	if part := row.Part(q.Text); part != "" {
		like := row.Like(part)
		c.and(`(e.rest LIKE ? ESCAPE '\' OR e.shown LIKE ? ESCAPE '\' OR e.client LIKE ? ESCAPE '\' OR e.id LIKE ? ESCAPE '\'`+
			` OR e.session LIKE ? ESCAPE '\' OR e.login LIKE ? ESCAPE '\')`, like, like, like, like, like, like)
	}
}

func (c *condition) is(column, value string) {
	if value != "" {
		c.and(column+" = ?", value)
	}
}

// outcome adds what was decided.
func (c *condition) outcome(q record.Query) {
	fates := 0
	for _, f := range q.Fates {
		fates |= 1 << f
	}
	switch {
	case len(q.Actions) > 0 && len(q.Fates) > 0:
		c.and("(e.action IN "+list(len(q.Actions))+" OR e.fates & ? <> 0)", append(anys(q.Actions), fates)...)
	case len(q.Actions) > 0:
		in(c, "e.action", q.Actions)
	case len(q.Fates) > 0:
		c.and("e.fates & ? <> 0", fates)
	}
	in(c, "e.mode", q.Modes)
	if class, ok := strings.CutSuffix(q.Code, "xx"); ok {
		c.and("e.code / 100 = CAST(? AS INTEGER)", class)
	} else if q.Code != "" {
		c.and("e.code = CAST(? AS INTEGER)", q.Code)
	}
}

// client adds a net: one that an index has, or a range of them.
func (c *condition) client(p netip.Prefix) {
	bits := 24
	if p.Addr().Is6() {
		bits = 64
	}
	if p.Bits() >= bits {
		net, _ := p.Addr().Prefix(bits)
		c.and("e.net = ?", netBlob(net.Addr()))
		return
	}
	first := netBlob(p.Addr())
	last := netBlob(p.Addr())
	for i := p.Bits() + 8*len(last) - p.Addr().BitLen(); i < 8*len(last); i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	c.and("e.net BETWEEN ? AND ?", first, last)
}

// netBlob is an address as the column net has it: nets of one family stand in order.
func netBlob(a netip.Addr) []byte {
	b := a.As16()
	return b[:]
}
