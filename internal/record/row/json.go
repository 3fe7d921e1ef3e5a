package row

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// object writes the JSON of a row's rest: the one that package json would write of [event] or
// [message], which is what reads it. Written by hand it costs a third.
type object struct {
	b   []byte
	err error
}

// newObject has room for what was asked and remembered.
func newObject(queries []trace.Query, state []string) *object {
	return &object{b: append(make([]byte, 0, 1024+80*(len(queries)+len(state))), '{')}
}

// rest ends the object.
func (o *object) rest() ([]byte, error) {
	if o.err != nil {
		return nil, fmt.Errorf("record: an entry cannot be written: %w", o.err)
	}
	return append(o.b, '}'), nil
}

func (o *object) event(e *policy.Event) {
	o.number("version", int64(e.Version))
	o.text("stage", e.Stage.String())
	o.text("answered_at", e.AnsweredAt.String())
	o.textIf("reply", e.Reply)
	o.textIf("row", e.Row)
	if e.Line != (policy.Line{}) {
		o.other("line", e.Line)
	}
	if len(e.Edits) > 0 {
		o.other("edits", e.Edits)
	}
	o.textIf("cause", e.Cause)
	o.textIf("by_hand", e.ByHand)
	o.textIf("error", e.Err)
	o.trueIf("fault", e.Fault)
	o.textIf("stack", e.Stack)
	o.textIf("client_name", e.ClientName)
	o.textIf("helo", e.Helo)
	o.textIf("sender", e.Sender)
	o.trueIf("has_sender", e.HasSender)
	o.texts("recipients", e.Recipients)
	o.numberIf("recipient_count", int64(e.Count))
	o.textIf("queue_id", e.QueueID)
	o.tls(e.TLS)
	o.textIf("message_id", e.MessageID)
	o.textIf("from", e.From)
	o.textIf("subject", e.Subject)
	o.numberIf("octets", e.Octets)
	o.texts("attachments", e.Attachments)
	o.textIf("spf", string(e.SPF))
	o.texts("dkim", e.DKIM)
	o.textIf("dmarc", e.DMARC)
	o.textIf("policy", e.Policy)
	o.numberIf("took", int64(e.Took))
	o.queries(e.Trace)
	if e.Dedup != nil {
		o.other("dedup", e.Dedup)
	}
}

func (o *object) message(t *policy.Transaction) {
	o.number("version", int64(t.Version))
	o.time("begun", t.Begun)
	o.textIf("client_name", t.ClientName)
	o.textIf("helo", t.Helo)
	o.tls(t.TLS)
	o.text("sender", t.Sender)
	o.recipients(t.Recipients)
	o.number("recipient_count", int64(t.RecipientCount))
	o.textIf("queue_id", t.QueueID)
	o.textIf("message_id", t.MessageID)
	o.textIf("from", t.From)
	o.textIf("subject", t.Subject)
	o.numberIf("fields", int64(t.Fields))
	o.number("octets", t.Octets)
	o.numberIf("declared_size", t.DeclaredSize)
	o.textIf("spf", string(t.SPF))
	o.texts("dkim", t.DKIM)
	o.textIf("dmarc", t.DMARC)
	o.texts("attachments", t.Attachments)
	o.textIf("policy", t.Policy)
	without := t.Outcome
	without.Check = "" // stands in a column
	o.outcome(without)
	if len(t.Unexamined) > 0 {
		o.other("unexamined", t.Unexamined)
	}
	o.facts(t.Facts)
	o.queries(t.Queries)
	o.texts("state", t.State)
	o.numberIf("queries_left_out", int64(t.LeftOut))
}

func (o *object) recipients(list []policy.RecipientOutcome) {
	if len(list) == 0 {
		return
	}
	o.begin("recipients", '[')
	for i := range list {
		r := &list[i]
		o.begin("", '{')
		o.text("recipient", r.Recipient)
		o.textIf("direction", r.Direction)
		o.numberIf("number", int64(r.Number))
		o.outcome(r.Outcome)
		o.b = append(o.b, '}')
	}
	o.b = append(o.b, ']')
}

func (o *object) outcome(of policy.Outcome) {
	o.text("fate", of.Fate.String())
	o.textIf("check", of.Check)
	o.textIf("reply", of.Reply)
	o.textIf("event", of.Event)
	o.texts("would", of.Would)
}

func (o *object) queries(list []trace.Query) {
	if len(list) == 0 {
		return
	}
	o.begin("queries", '[')
	for i := range list {
		o.begin("", '{')
		o.text("question", list[i].Question)
		o.text("answer", list[i].Answer)
		o.b = append(o.b, '}')
	}
	o.b = append(o.b, ']')
}

func (o *object) tls(t policy.TLS) {
	if t == (policy.TLS{}) {
		return
	}
	o.begin("tls", '{')
	o.textIf("version", t.Version)
	o.textIf("cipher", t.Cipher)
	o.numberIf("bits", int64(t.Bits))
	o.textIf("cert_subject", t.CertSubject)
	o.textIf("cert_issuer", t.CertIssuer)
	o.b = append(o.b, '}')
}

func (o *object) facts(f policy.Facts) {
	if f == (policy.Facts{}) {
		return
	}
	o.begin("facts", '{')
	o.trueIf("local", f.Local)
	o.numberIf("port", int64(f.Port))
	o.textIf("unverified_name", f.Unverified)
	o.textIf("daemon_name", f.DaemonName)
	o.textIf("daemon_port", f.DaemonPort)
	o.textIf("auth_type", f.AuthType)
	o.trueIf("smtputf8", f.SMTPUTF8)
	o.numberIf("hops", int64(f.Hops))
	o.numberIf("froms", int64(f.Froms))
	o.b = append(o.b, '}')
}

func (o *object) address(name string, a netip.Addr) {
	if a.IsValid() {
		o.text(name, a.String())
	}
}

func (o *object) time(name string, t time.Time) {
	o.name(name)
	b, err := t.AppendText(append(o.b, '"'))
	if err != nil {
		o.err = err
		return
	}
	o.b = append(b, '"')
}

func (o *object) text(name, value string) {
	o.name(name)
	o.value(value)
}

func (o *object) textIf(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	o.begin(name, '[')
	for _, value := range values {
		o.comma()
		o.value(value)
	}
	o.b = append(o.b, ']')
}

func (o *object) number(name string, n int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *object) numberIf(name string, n int64) {
	if n != 0 {
		o.number(name, n)
	}
}

func (o *object) trueIf(name string, is bool) {
	if is {
		o.name(name)
		o.b = append(o.b, "true"...)
	}
}

// other writes what is rare by package json.
func (o *object) other(name string, v any) {
	o.name(name)
	o.encode(v)
}

// begin begins an object or a list, in a list without a name.
func (o *object) begin(name string, with byte) {
	if name == "" {
		o.comma()
	} else {
		o.name(name)
	}
	o.b = append(o.b, with)
}

func (o *object) name(name string) {
	o.comma()
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) comma() {
	if last := o.b[len(o.b)-1]; last != '{' && last != '[' {
		o.b = append(o.b, ',')
	}
}

// value writes a text, nearly always of characters that stand for themselves.
func (o *object) value(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			o.encode(s)
			return
		}
	}
	o.b = append(append(append(o.b, '"'), s...), '"')
}

func (o *object) encode(v any) {
	buffer := bytes.NewBuffer(o.b)
	out := json.NewEncoder(buffer)
	out.SetEscapeHTML(false) // a part of it is searched for as it is
	if err := out.Encode(v); err != nil {
		o.err = err
		return
	}
	o.b = bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}
