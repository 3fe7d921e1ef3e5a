package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"mailweir/internal/policy"
)

// ColumnsVersion is the version of [Columns]. Columns may be added at the end under the same
// version; one that changes its meaning or goes makes another.
const ColumnsVersion = 1

// Columns are the names of [Entry.Cells]: what lists for other programs have in a row.
func Columns() []string {
	return []string{
		"version", "position", "time", "kind", "id", "outcome", "check", "mode", "stage", "reply_code", "enhanced", "reply", "cause", "error",
		"sender", "recipients", "recipient_count", "client", "client_name", "helo", "login", "service", "direction",
		"session", "transaction", "queue_id", "message_id", "from", "subject", "octets", "times", "host",
	}
}

// Cells are an entry under the columns. Times are those of RFC 3339 in UTC, recipients have blanks
// between them, and the null sender is <>. Texts are as the client wrote them.
func (e Entry) Cells() []any {
	if e.Message != nil {
		return messageCells(e.Position, e.Message)
	}
	v := e.Event
	times, sender := 1, v.Sender
	if v.Dedup != nil {
		times = v.Dedup.Times
	}
	if v.HasSender {
		sender = cmp.Or(sender, "<>")
	}
	return []any{
		ColumnsVersion, int64(e.Position), cellTime(v.Time), "decision", v.ID, v.Action.String(), v.Check, v.Mode.String(), v.Stage.String(),
		cellCode(v.Line), v.Line.Enhanced(), v.Line.Text(), v.Cause, v.Err,
		sender, strings.Join(v.Recipients, " "), max(v.Count, len(v.Recipients)), cellClient(v.Client), v.ClientName, v.Helo, v.Login, string(v.Service), v.Direction,
		v.Session, v.Transaction, v.QueueID, v.MessageID, v.From, v.Subject, v.Octets, times, v.Host,
	}
}

func messageCells(p Position, t *policy.Transaction) []any {
	var recipients, directions []string
	for _, r := range t.Recipients {
		recipients = append(recipients, r.Recipient)
		if r.Direction != "" && !strings.Contains(" "+strings.Join(directions, " ")+" ", " "+r.Direction+" ") {
			directions = append(directions, r.Direction)
		}
	}
	return []any{
		ColumnsVersion, int64(p), cellTime(t.Ended), "message", t.Event, t.Fate.String(), t.Check, "", "",
		"", "", "", "", "",
		cmp.Or(t.Sender, "<>"), strings.Join(recipients, " "), max(t.RecipientCount, len(recipients)), cellClient(t.Client), t.ClientName, t.Helo, t.Login, string(t.Service), strings.Join(directions, " "),
		t.Session, t.Number, t.QueueID, t.MessageID, t.From, t.Subject, t.Octets, 1, t.Host,
	}
}

// cellCode is the code of a reply, nothing where there was none.
func cellCode(l policy.Line) any {
	if l.Code() == 0 {
		return ""
	}
	return l.Code()
}

func cellTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func cellClient(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// AppendJSON appends an entry as one line of JSON: the fields of its event or transaction behind
// its kind, "decision" or "message", and its position.
func AppendJSON(line []byte, e Entry) ([]byte, error) {
	kind, data := "decision", any(e.Event)
	if e.Message != nil {
		t := *e.Message
		t.State = nil // is for replay alone
		kind, data = "message", &t
	}
	body, err := json.Marshal(data)
	if err != nil {
		return line, err
	}
	head, err := json.Marshal(struct {
		Kind     string   `json:"kind"`
		Position Position `json:"position"`
	}{kind, e.Position})
	if err != nil {
		return line, err
	}
	line = append(line, bytes.TrimSuffix(head, []byte("}"))...)
	line = append(line, ',')
	return append(append(line, bytes.TrimPrefix(body, []byte("{"))...), '\n'), nil
}
