package policy

import (
	"net/netip"
	"time"

	"mailweir/internal/mailauth"
	"mailweir/internal/trace"
)

// EventVersion is the version of the JSON of [Event] and [Transaction]. Fields may be added under
// the same version; a field that changes its meaning or goes makes another.
const EventVersion = 1

// MaxEventRecipients bounds the recipients that an event or a transaction names; beyond it they are
// counted.
const MaxEventRecipients = 1000

// Event is the record of one decision against mail, or in monitor mode one that would have been. It
// is data: its JSON has stable names, times in UTC (RFC 3339) and the number of its version.
type Event struct {
	Version int `json:"version"`
	// ID names the event everywhere: in the reply, the log and every later question.
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Host is the host of mailweir, as its administrator calls it.
	Host string `json:"host,omitempty"`

	Check string `json:"check"`
	Mode  Mode   `json:"mode"`
	// Stage is where the check decided, AnsweredAt where the client read it.
	Stage      Stage  `json:"stage"`
	AnsweredAt Stage  `json:"answered_at"`
	Action     Action `json:"action"`
	// Reply and Row name the declaration; Line is what the client read, or would have.
	Reply string `json:"reply,omitempty"`
	Row   string `json:"row,omitempty"`
	Line  Line   `json:"line,omitzero"`
	// Edits are what was done to a message that went on, or would have been.
	Edits []Edit `json:"edits,omitempty"`
	// Offence is what the reply shows about the client, where it was given.
	Offence Offence `json:"-"`
	// Cause is for the administrator: which entry, list or figure.
	Cause string `json:"cause,omitempty"`
	// ByHand tells in words by whose order the check only monitors, "" where its mode does.
	ByHand string `json:"by_hand,omitempty"`
	// Err is the error of a check that could not judge, "" without one.
	Err string `json:"error,omitempty"`
	// Fault says that mailweir itself failed; Stack is where, for a panic.
	Fault bool   `json:"fault,omitempty"`
	Stack string `json:"stack,omitempty"`

	// Session is the connection, Transaction counts its mail transactions from 1; 0 is none.
	Session     string     `json:"session,omitempty"`
	Transaction int        `json:"transaction,omitempty"`
	Client      netip.Addr `json:"client,omitzero"`
	ClientName  string     `json:"client_name,omitempty"`
	Helo        string     `json:"helo,omitempty"`
	Service     Service    `json:"service,omitempty"`
	Login       string     `json:"login,omitempty"`
	// Sender is as the MTA wrote it; HasSender tells the null sender from none.
	Sender    string `json:"sender,omitempty"`
	HasSender bool   `json:"has_sender,omitempty"`
	// Recipients are those concerned, the first [MaxEventRecipients] of them; Count is how many
	// there are.
	Recipients []string `json:"recipients,omitempty"`
	Count      int      `json:"recipient_count,omitempty"`
	Direction  string   `json:"direction,omitempty"`
	QueueID    string   `json:"queue_id,omitempty"`
	TLS        TLS      `json:"tls,omitzero"`

	// What is known of the message when it is decided: nothing before its header has come. The
	// fields are those of [Transaction].
	MessageID   string             `json:"message_id,omitempty"`
	From        string             `json:"from,omitempty"`
	Subject     string             `json:"subject,omitempty"`
	Octets      int64              `json:"octets,omitempty"`
	Attachments []string           `json:"attachments,omitempty"`
	SPF         mailauth.SPFResult `json:"spf,omitempty"`
	DKIM        []string           `json:"dkim,omitempty"`
	DMARC       string             `json:"dmarc,omitempty"`

	// Policy names the policy that decided: its configuration and lists ([Transaction.Policy]).
	Policy string `json:"policy,omitempty"`
	// Took is from the MTA's question to the decision.
	Took time.Duration `json:"took,omitempty"`

	// Trace is what was asked of DNS, state and other backends for this decision, and what it
	// answered.
	Trace []trace.Query `json:"queries,omitempty"`

	// Dedup is set in the sum of events that were alike and share an id.
	Dedup *Dedup `json:"dedup,omitempty"`
	// Repeated says that an event of this id has been told of already, and that their sum follows.
	Repeated bool `json:"-"`
}

// Dedup is what events that share an id have in common, so that a flood fills no log. The event
// that it belongs to is the first of them, with the causes and recipients of all.
type Dedup struct {
	// Alike is what they have in common besides check, reply and action.
	Alike Alike `json:"alike"`
	// Times is how many events there were, Last when the last of them.
	Times int       `json:"times"`
	Last  time.Time `json:"last"`
	// Clients are the different clients, the first of them; ClientCount is how many there are.
	Clients     []netip.Addr `json:"clients,omitempty"`
	ClientCount int          `json:"client_count,omitempty"`
	// Senders are the different senders, the first of them; SenderCount is how many there are.
	Senders     []string `json:"senders,omitempty"`
	SenderCount int      `json:"sender_count,omitempty"`
}

// Alike is in what way the events that share an id are alike.
type Alike string

const (
	AlikeDomain Alike = "domain" // client and sender domain
	AlikeClient Alike = "client"
	AlikeCheck  Alike = "check" // nothing more: there were too many in one second to tell of each
)

// PermitNotCounted is how the answer begins, in the queries of an event, about a permit that exists
// and did not count, because nothing vouched for the sender for instance. The question names the
// permit.
const PermitNotCounted = "does not count"

// Action is what an event did.
type Action uint8

const (
	ActionRefused     Action = iota // a permanent reply
	ActionDeferred                  // a temporary reply
	ActionRemoved                   // a recipient was taken off
	ActionChanged                   // the message went on, changed
	ActionWould                     // monitored: nothing was done
	ActionError                     // a check error, and the mail went on
	ActionNotRetried                // deferred mail did not come back
	ActionIncomplete                // the client gave up, or its message was kept from us
	ActionUnexamined                // a limit kept a part of the message from being examined
	ActionWouldChange               // monitored: the message went on unchanged
	ActionNotDone                   // an edit that the MTA has not granted, or that would lose the message
	ActionNoted                     // nothing was done, and that may surprise
)

var actionNames = [...]string{"refused", "deferred", "removed", "changed", "would_refuse", "check_error", "not_retried", "incomplete", "unexamined", "would_change", "not_done", "noted"}

// String returns the action as it is written in logs and metrics.
func (a Action) String() string { return actionNames[a] }

// Answers reports whether the client has read the event's reply, or would have in a stricter mode.
func (a Action) Answers() bool {
	switch a {
	case ActionRefused, ActionDeferred, ActionRemoved, ActionWould:
		return true
	}
	return false
}
