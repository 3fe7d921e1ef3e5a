package policy

import (
	"net/netip"
	"time"

	"mailweir/internal/mailauth"
	"mailweir/internal/trace"
)

// MaxKeptField bounds the header fields in a [Transaction], in octets.
const MaxKeptField = 1000

// Transaction is the record of one mail transaction, accepted ones too, from MAIL to its end. Like
// [Event] it is data; Session and Number name it, and its events carry both.
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
	// Recipients are those that the client named, the first [MaxEventRecipients] of them: those who
	// left the message before its end, in order, and then the others. RecipientCount is how many
	// there are.
	Recipients     []RecipientOutcome `json:"recipients,omitempty"`
	RecipientCount int                `json:"recipient_count"`
	QueueID        string             `json:"queue_id,omitempty"`

	// MessageID, From and Subject are header fields as they came, cut at a thousand octets.
	MessageID string `json:"message_id,omitempty"`
	From      string `json:"from,omitempty"`
	Subject   string `json:"subject,omitempty"`
	// Fields counts the header fields, those of a section that is too long at least; 0 means that
	// no content came.
	Fields int `json:"fields,omitempty"`
	// Octets counts what came of the message (RFC 1870 section 5), DeclaredSize is that of MAIL.
	Octets       int64 `json:"octets"`
	DeclaredSize int64 `json:"declared_size,omitempty"`

	// SPF is the result for the envelope sender, DKIM are the domains with a valid signature; both
	// only where they were asked for and found out.
	SPF  mailauth.SPFResult `json:"spf,omitempty"`
	DKIM []string           `json:"dkim,omitempty"`
	// DMARC says which of both is aligned with the domain of header From (RFC 7489 section 3.1),
	// "spf", "dkim" or "spf,dkim", "none" where neither is, "" where that is not known. Published
	// policies are not looked up.
	DMARC string `json:"dmarc,omitempty"`
	// Attachments are the names of the files of the message, as far as a check has looked at them.
	Attachments []string `json:"attachments,omitempty"`
	// Policy names the policy that judged: a digest of its flags and of the contents of its lists.
	Policy string `json:"policy,omitempty"`

	Outcome
	// Unexamined says which limits kept a part of the content from being examined.
	Unexamined []Unexamined `json:"unexamined,omitempty"`

	// Facts are what else the checks went by, Queries what all of them asked of DNS, tables,
	// servers and scanners, also where they had nothing against the mail. State has what was
	// remembered, in a short form that says nothing to people. With them the same case can be
	// judged once more.
	Facts   Facts         `json:"facts,omitzero"`
	Queries []trace.Query `json:"queries,omitempty"`
	State   []string      `json:"state,omitempty"`
	// LeftOut counts what bounds have left out of Queries and State.
	LeftOut int `json:"queries_left_out,omitempty"`
}

// Facts is what checks go by that nobody searches for. The fields are those of [ConnectFacts] and
// [MailFacts], but for those that say something else.
type Facts struct {
	Local      bool   `json:"local,omitempty"`
	Port       uint16 `json:"port,omitempty"`
	Unverified string `json:"unverified_name,omitempty"`
	DaemonName string `json:"daemon_name,omitempty"`
	DaemonPort string `json:"daemon_port,omitempty"`
	AuthType   string `json:"auth_type,omitempty"`
	SMTPUTF8   bool   `json:"smtputf8,omitempty"`
	// Hops is how many Received fields the message came with, Froms how many fields name an author.
	Hops  int `json:"hops,omitempty"`
	Froms int `json:"froms,omitempty"`
}

// RecipientOutcome is what became of one recipient.
type RecipientOutcome struct {
	Recipient string `json:"recipient"`
	Direction string `json:"direction,omitempty"`
	// Number counts the recipients of the transaction from 1, in the order in which they were
	// named.
	Number int `json:"number,omitempty"`
	Outcome
}

// Remaining are the recipients whom the outcome of the whole message is about.
func (t *Transaction) Remaining() []RecipientOutcome {
	last := len(t.Recipients)
	for last > 0 && t.Recipients[last-1].Fate == t.Fate && t.Recipients[last-1].Event == t.Event {
		last--
	}
	return t.Recipients[last:]
}
