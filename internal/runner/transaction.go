package runner

import (
	"slices"
	"strings"

	"mailweir/internal/policy"
)

// maxKept bounds a header field in the record of a transaction, in octets.
const maxKept = 1000

// newTransaction makes the record of a message that is over. Version, host and time of the end are
// the recorder's.
func newTransaction(m *message, o policy.Outcome) *policy.Transaction {
	t := &policy.Transaction{
		Begun: m.Started.UTC(), Session: m.Conn.ID, Number: m.Number, Service: m.Conn.Service,
		Client: m.Conn.Client, ClientName: m.Conn.ConnectFacts.Name, Helo: m.Helo.Name, TLS: m.Helo.TLS, Login: m.Login,
		Sender: m.MailFacts.Sender, QueueID: m.QueueID,
		Fields: len(m.Fields), Octets: m.Octets, DeclaredSize: m.MailFacts.Size,
		Outcome: o, Unexamined: m.Unexamined,
	}
	if m.FieldsDropped {
		t.Fields++
	}
	keepFields(t, m.Fields)
	t.SPF, _ = m.spf.Known()
	t.DKIM = m.knownSigners()
	t.Recipients, t.RecipientCount = slices.Clip(m.left.list), m.left.count+len(m.recipients)
	for _, r := range m.recipients[:min(len(m.recipients), policy.MaxEventRecipients-len(t.Recipients))] {
		t.Recipients = append(t.Recipients, r.outcome(o))
	}
	return t
}

func keepFields(t *policy.Transaction, fields []policy.Field) {
	for _, f := range fields {
		var where *string
		var name string
		switch len(f.Name) {
		case len("From"):
			where, name = &t.From, "From"
		case len("Subject"):
			where, name = &t.Subject, "Subject"
		case len("Message-Id"):
			where, name = &t.MessageID, "Message-Id"
		default:
			continue
		}
		if *where == "" && strings.EqualFold(f.Name, name) {
			*where = strings.TrimSpace(f.Value[:min(len(f.Value), maxKept)])
		}
	}
}
