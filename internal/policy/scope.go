package policy

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/fact"
	"mailweir/internal/mailauth"
	"mailweir/internal/state"
)

// Scope is one of the three things that are judged: *Connection, *Message, *Recipient.
type Scope interface {
	base() *scope
}

// scope is what the three have in common. The runner drops it whole, so no check resets anything.
type scope struct {
	findings []*finding

	mu     sync.Mutex
	slots  []any
	leases []state.Lease
	would  []string // monitored checks that objected
	closed bool
}

func (s *scope) base() *scope { return s }

// Slot is a check's own typed place in a scope. Make one in Build; each scope then has a T of its own,
// made when it is first asked for. Only hooks on the session's path and Settle hooks may use it, not Later and Grant.
// Settle hooks run beside the session: what they share with others in a connection's T needs a lock of its own. A
// message and its recipients stand still once they are settled.
type Slot[T any] struct {
	index  int
	common *common
}

// NewSlot returns a slot of its own for the check that is being built.
func NewSlot[T any](env *Env) Slot[T] {
	env.common.slots++
	return Slot[T]{env.common.slots - 1, env.common}
}

// Of returns the scope's T.
func (sl Slot[T]) Of(where Scope) *T {
	s := where.base()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots == nil {
		s.slots = make([]any, sl.common.slots)
	}
	if s.slots[sl.index] == nil {
		s.slots[sl.index] = new(T)
	}
	return s.slots[sl.index].(*T)
}

// Connection is one SMTP connection as one policy sees it.
type Connection struct {
	scope
	ConnectFacts
	HeloFacts

	// ID names the connection in the log.
	ID string
	// Started is when the client connected.
	Started time.Time
	// Service is the door that it came through.
	Service Service
	// Local says that the mail is submitted without a network client. It is trusted, and
	// every objection to it is answered at the end of the message.
	Local bool

	runner *Runner
	policy *Policy
	exempt Bypass // what about it lets mail past checks
	permit permission
}

// Trusted reports whether the client's address is trusted; a login is a matter of the message.
func (c *Connection) Trusted() bool { return c.exempt&BypassTrusted != 0 }

// InboundRelay reports whether the client is one of --inbound-relays.
func (c *Connection) InboundRelay() bool { return c.exempt&BypassRelay != 0 }

// Message is one mail transaction, from MAIL to the end of the message.
type Message struct {
	scope
	MailFacts

	// Conn is the connection that it arrives on.
	Conn *Connection
	// Number counts the transactions of the session from 1; Started is when MAIL came.
	Number  int
	Started time.Time
	// Sender is the reverse-path, in the form of a key.
	Sender address.Address
	// Recipients are those that mailweir has accepted and the MTA has not refused, in order.
	Recipients []*Recipient
	// Fields are the header fields in order, at most maxFields and maxFieldOctets of them.
	Fields []Field
	// FieldsDropped says that the header section was longer than that.
	FieldsDropped bool
	// Octets counts what the message has so far, line ends as CRLF (RFC 1870 section 5).
	Octets int64
	// Unexamined says, for the administrator, which limits an examination of the content has reached. It is no objection; it is
	// recorded when the message is settled.
	Unexamined []Unexamined

	helo        HeloFacts // as it was at MAIL
	fieldOctets int
	exempt      Bypass // what about the sender lets mail past checks
	spf         fact.Fact[mailauth.SPFResult]
	dkim        atomic.Pointer[dkimFuture]
	from        fromOnce
	permit      permission
	mayPermit   Bypass       // the kinds that there may be
	left        departures   // what became of them
	gone        []*Recipient // refused, by whomever, or removed; settled with the message
	broken      []*bound     // checks that panicked over a part of this message
	condemned   bool         // its refusal is certain
	fate        Outcome
}

// Unexamined is something in a message that was not looked at.
type Unexamined struct {
	// Limit is the limit that was reached, in one word.
	Limit string `json:"limit"`
	// Where names limit and place. What a stranger chose is quoted.
	Where string `json:"where"`
}

// Limits of the header fields that a message keeps.
const (
	maxFields      = 10_000
	usualFields    = 32 // room for those of most messages
	maxFieldOctets = 1 << 20
)

// keeps reports whether a header field is kept. Beyond the bounds From fields still are, within bounds of their own: a block
// of a sender must not be got round by fields in front.
func (m *Message) keeps(f Field, octets int) bool {
	if len(m.Fields) < maxFields && m.fieldOctets+octets <= maxFieldOctets {
		return true
	}
	const spare = address.MaxFromOctets
	return strings.EqualFold(f.Name, "From") && len(m.Fields) < maxFields+address.MaxFromAddresses && m.fieldOctets+octets <= maxFieldOctets+spare
}

// Trusted reports whether the sender is trusted: by its net, by a login, or as a local submission.
func (m *Message) Trusted() bool { return (m.exempt|m.Conn.exempt)&BypassTrusted != 0 }

// Values returns the values of every kept field of that name, in order.
func (m *Message) Values(name string) []string {
	var values []string
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// fromOnce is the parsed header From.
type fromOnce struct {
	once sync.Once
	from address.From
}

// HeaderFrom returns the addresses of all From fields, parsed once. Ask only after the end of headers.
func (m *Message) HeaderFrom() address.From {
	m.from.once.Do(func() { m.from.from = address.HeaderFrom(m.Values("From")) })
	return m.from.from
}

// HELO returns the name that the client gave. Later and Settle hooks must ask here: a client may say HELO again while
// they work.
func (m *Message) HELO() string { return m.helo.Name }

// Recipient is one RCPT of a message.
type Recipient struct {
	scope
	RcptFacts

	// Msg is the message that it belongs to.
	Msg *Message
	// Address is the forward-path, in the form of a key.
	Address address.Address
	// Direction is where the mail goes, seen from here.
	Direction Direction

	enforced bool   // in --enforce-for, or there is none
	exempt   Bypass // what lets its mail past checks, as the only recipient
	grants   fact.Fact[[]Grant]
	fate     Outcome
}

// Conn returns the connection of the recipient's message.
func (r *Recipient) Conn() *Connection { return r.Msg.Conn }

// Acquire takes one of limit places under key for as long as the scope lives; the runner gives it back. It reports
// false when all are taken. With shared state it waits for the network, so it is called from [Later].
func Acquire(ctx context.Context, store state.Store, where Scope, key string, limit int) (bool, error) {
	lease, ok, err := store.Acquire(ctx, key, limit)
	if err != nil || !ok {
		return ok, err
	}
	s := where.base()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		lease.Release()
		return true, nil
	}
	s.leases = append(s.leases, lease)
	return true, nil
}

// Reserve keeps what was counted in advance for a recipient. If his mail is not accepted in the end, giveBack is called, once, on the
// session's path: it must not wait. Call it from [Later], when it is counted. It reports false if it was called at once, because he is
// out already.
func Reserve(r *Recipient, giveBack func()) bool {
	r.mu.Lock()
	closed := r.closed
	if !closed {
		r.leases = append(r.leases, place(func() {
			if r.fate.Fate != Accepted {
				giveBack()
			}
		}))
	}
	r.mu.Unlock()
	if !closed || r.fate.Fate == Accepted {
		return true
	}
	giveBack()
	return false
}

// Direction is where mail goes, seen from here.
type Direction uint8

const (
	Inbound  Direction = iota // from a stranger to a local domain
	Outbound                  // from a trusted client to another domain
	Internal                  // from a trusted client to a local domain
	Relay                     // from a stranger to another domain
)

var directionNames = [...]string{"inbound", "outbound", "internal", "relay"}

// String returns the direction as it is written in logs and definition files.
func (d Direction) String() string { return directionNames[d] }

// Service is the door that mail came through.
type Service string

const (
	MX         Service = "mx"
	Submission Service = "submission"
	Reinject   Service = "reinject"
)

// unmapped returns an IPv4-mapped IPv6 address as IPv4, without a zone.
func unmapped(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
