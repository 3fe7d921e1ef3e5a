// Package record is the memory of mailweir: every decision and what became of every message, kept
// for some time and searchable. This package has the words: what one entry is ([Entry]), what can
// be asked ([Query]), and who keeps it ([Store]). Its [Sink] takes what internal/events records,
// off the way of the answers; the stores are in the packages below.
package record

import (
	"context"
	"net/netip"
	"time"

	"mailweir/internal/policy"
)

// Position is where an entry stands: later entries have greater ones, over all days and hosts. It
// is the time of writing in microseconds since 1970, times 1024, plus what makes it unique. So it
// names a day, and a page of a list can begin at one.
type Position int64

// PositionAt is the first position of a time.
func PositionAt(t time.Time) Position { return Position(t.UnixMicro()) << 10 }

// Time is when the entry was written, or what the clock said before if it was set back.
func (p Position) Time() time.Time { return time.UnixMicro(int64(p >> 10)).UTC() }

// Entry is one row of the record: a decision, or what became of a message. Exactly one of Event
// and Message is set.
type Entry struct {
	Position Position
	// Event is a decision. Events that share an id are one entry, with the sum once it is known.
	Event *policy.Event
	// Message is what became of a mail transaction.
	Message *policy.Transaction
}

// Time is when it was decided, or when the message was over.
func (e Entry) Time() time.Time {
	if e.Event != nil {
		return e.Event.Time
	}
	return e.Message.Ended
}

// Query says which entries are wanted. What is empty does not restrict; everything that is set
// must hold. Of a list, one must.
type Query struct {
	// Since and Until bound the time: not before Since, before Until.
	Since, Until time.Time
	// Kind restricts to decisions or to messages.
	Kind Kind
	// IDs are those of events, such as mw-abcd1234, in any case.
	IDs []string
	// Session and Transaction name one connection and one of its mail transactions; 0 is any.
	Session     string
	Transaction int
	// QueueID and MessageID are whole, MessageID with or without angle brackets.
	QueueID, MessageID string
	Host               string
	// Client is an address or a net.
	Client netip.Prefix
	// Sender and Recipient are an address (user@example.org), a domain (@example.org), or "<>".
	Sender, Recipient string
	Login             string
	Checks            []string
	// NotChecks are those that are not wanted.
	NotChecks []string
	Modes     []policy.Mode
	// Actions are those of decisions, Fates those of messages.
	Actions []policy.Action
	Fates   []policy.Fate
	// Code is a reply code, or a class such as "5xx".
	Code      string
	Service   policy.Service
	Direction string
	// Text is a part of what people read: addresses, names, cause, text of the reply, subject,
	// names of attachments. Case does not matter.
	Text string
	// Own, if not nil, restricts to what concerns one of these addresses as a recipient: what
	// anybody else may not see. OwnDomains does so for domains; where both are set, one of either
	// must be concerned.
	Own, OwnDomains []string

	// Before and After page: only entries before, or after, that position; 0 is no bound.
	Before, After Position
	// Forward gives the oldest first; else the newest come first.
	Forward bool
	// Limit is how many entries at most, 50 by default and 10,000 at most.
	Limit int
}

// Kind is the kind of an entry.
type Kind uint8

const (
	AnyKind   Kind = iota
	Decisions      // policy.Event
	Messages       // policy.Transaction
)

// Page is an answer to a query.
type Page struct {
	Entries []Entry
	// More says that there may be others beyond the last entry.
	More bool
	// Reached is set where a search by text gave up before its end: it has looked at everything
	// from there to the end that it began at.
	Reached time.Time
}

// Change is one row of the audit: what a person has changed, or tried to.
type Change struct {
	Position  Position  `json:"-"`
	Host      string    `json:"host,omitempty"`
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	policy.Person
	Why     string              `json:"why,omitempty"`
	Until   time.Time           `json:"until,omitzero"`
	Changes []policy.Alteration `json:"changes,omitempty"`
	Err     string              `json:"error,omitempty"`
}

// ChangeQuery says which rows of the audit are wanted.
type ChangeQuery struct {
	Since, Until time.Time
	// Operation is a whole one (tempblock/add) or a group (tempblock).
	Operation, By string
	Text          string
	Before        Position
	Limit         int
}

// Count is one sum of the rollup: how many decisions, or messages, of a kind in a bucket of time.
type Count struct {
	Time   time.Time
	Check  string // "" for messages that no check decided
	Mode   policy.Mode
	Action policy.Action // of decisions
	Fate   policy.Fate   // of messages
	Kind   Kind
	N      int
}

// Extent is what is kept.
type Extent struct {
	// Oldest is the time back to which the record goes, zero when it is empty.
	Oldest, Newest time.Time
	Entries        int64
	Octets         int64
	// Days says how much each UTC day takes, the newest first.
	Days []Day
}

// Day is one UTC day of the record.
type Day struct {
	Date    time.Time
	Entries int64
	Octets  int64
	// LeftOut counts what a bound of the day has left out: accepted messages, queries of decisions.
	LeftOut int64
}

// Reader is what can be asked of a record. Every method may be called from any goroutine; none
// keeps a writer waiting.
type Reader interface {
	Search(ctx context.Context, q Query) (Page, error)
	// Counts sums the rollup in buckets of so wide, which begin at multiples of that since 1970:
	// from the one that since is in, until an end; zero times are no bounds.
	Counts(ctx context.Context, since, until time.Time, bucket time.Duration) ([]Count, error)
	Changes(ctx context.Context, q ChangeQuery) ([]Change, error)
	Extent(ctx context.Context) (Extent, error)
}

// Writer keeps a record. One goroutine uses it.
type Writer interface {
	// Write keeps entries and rows of the audit in one commit, and gives them their positions. An
	// event whose id is there already replaces it: it is the sum.
	Write(ctx context.Context, entries []Entry, changes []Change) error
	// Retain drops what is older than the record goes back, or beyond its size.
	Retain(ctx context.Context, now time.Time) error
	// Delete takes out everything about an address, and says how many entries that were.
	Delete(ctx context.Context, address string) (int, error)
}

// Store is a record: files on this host, or a database that several hosts share.
type Store interface {
	Reader
	Writer
	Close() error
}
