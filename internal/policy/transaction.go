package policy

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Transaction is the record of one mail transaction, accepted ones too, from MAIL to its end. Like [Event] it is data; Session
// and Number name it, and its events carry both.
type Transaction struct {
	Version int `json:"version"`
	// Begun is when MAIL came, Ended when the transaction was over.
	Begun time.Time `json:"begun"`
	Ended time.Time `json:"ended"`
	Host  string    `json:"host,omitempty"`

	Session    string     `json:"session"`
	Number     int        `json:"transaction"`
	Service    Service    `json:"service"`
	Client     netip.Addr `json:"client,omitzero"`
	ClientName string     `json:"client_name,omitempty"`
	Helo       string     `json:"helo,omitempty"`
	TLS        TLS        `json:"tls,omitzero"`
	Login      string     `json:"login,omitempty"`
	// Sender is as the MTA wrote it, "" for the null sender.
	Sender string `json:"sender"`
	// Recipients are those that the client named, the first [MaxEventRecipients] of them: those who left the message before its
	// end, in order, and then the others. RecipientCount is how many there are.
	Recipients     []RecipientOutcome `json:"recipients,omitempty"`
	RecipientCount int                `json:"recipient_count"`
	QueueID        string             `json:"queue_id,omitempty"`

	// MessageID, From and Subject are header fields as they came, cut at [maxKept] octets.
	MessageID string `json:"message_id,omitempty"`
	From      string `json:"from,omitempty"`
	Subject   string `json:"subject,omitempty"`
	// Fields counts the header fields, those of a section that is too long at least; 0 means that no content came.
	Fields int `json:"fields,omitempty"`
	// Octets counts what came of the message (RFC 1870 section 5), DeclaredSize is that of MAIL.
	Octets       int64 `json:"octets"`
	DeclaredSize int64 `json:"declared_size,omitempty"`

	Outcome
	// Unexamined says which limits kept a part of the content from being examined.
	Unexamined []Unexamined `json:"unexamined,omitempty"`
}

// RecipientOutcome is what became of one recipient.
type RecipientOutcome struct {
	Recipient string `json:"recipient"`
	Direction string `json:"direction,omitempty"`
	Outcome
}

// maxKept bounds a header field in the record of a transaction, in octets.
const maxKept = 1000

// NewTransaction makes the record of a message that is over. Version, host and time of the end are the recorder's.
func NewTransaction(m *Message, o Outcome) *Transaction {
	t := &Transaction{
		Begun: m.Started.UTC(), Session: m.Conn.ID, Number: m.Number, Service: m.Conn.Service,
		Client: m.Conn.Client, ClientName: m.Conn.ConnectFacts.Name, Helo: m.helo.Name, TLS: m.helo.TLS, Login: m.Login,
		Sender: m.MailFacts.Sender, QueueID: m.QueueID,
		Fields: len(m.Fields), Octets: m.Octets, DeclaredSize: m.MailFacts.Size,
		Outcome: o, Unexamined: m.Unexamined,
	}
	if m.FieldsDropped {
		t.Fields++
	}
	t.keepFields(m.Fields)
	t.Recipients, t.RecipientCount = slices.Clip(m.left.list), m.left.count+len(m.Recipients)
	for _, r := range m.Recipients[:min(len(m.Recipients), MaxEventRecipients-len(t.Recipients))] {
		t.Recipients = append(t.Recipients, r.outcome(o))
	}
	return t
}

func (t *Transaction) keepFields(fields []Field) {
	for _, f := range fields {
		var where *string
		switch {
		case strings.EqualFold(f.Name, "Message-Id"):
			where = &t.MessageID
		case strings.EqualFold(f.Name, "From"):
			where = &t.From
		case strings.EqualFold(f.Name, "Subject"):
			where = &t.Subject
		}
		if where != nil && *where == "" {
			*where = strings.TrimSpace(f.Value[:min(len(f.Value), maxKept)])
		}
	}
}

// Remaining are the recipients whom the outcome of the whole message is about.
func (t *Transaction) Remaining() []RecipientOutcome {
	last := len(t.Recipients)
	for last > 0 && t.Recipients[last-1].Fate == t.Fate && t.Recipients[last-1].Event == t.Event {
		last--
	}
	return t.Recipients[last:]
}

// departures are what became of the recipients who left a message before its end, the first of them.
type departures struct {
	list  []RecipientOutcome
	count int
}

func (d *departures) add(r *Recipient) {
	d.count++
	if len(d.list) < MaxEventRecipients {
		d.list = append(d.list, r.outcome(r.fate))
	}
}

func (r *Recipient) outcome(o Outcome) RecipientOutcome {
	o.Would = r.monitored()
	return RecipientOutcome{Recipient: r.RcptFacts.Recipient, Direction: r.Direction.String(), Outcome: o}
}
