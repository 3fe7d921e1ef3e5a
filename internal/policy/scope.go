package policy

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/mailauth"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// Scope is one of the three things that are judged: *Connection, *Message, *Recipient.
type Scope interface {
	base() *Base
}

// Base is what the three have in common. The runner drops a scope whole, so no check resets
// anything.
type Base struct {
	// Holder keeps what a check holds as long as the scope lives. The runner is one.
	Holder

	mu    sync.Mutex
	slots []any
}

// Holder keeps what is held for a scope until that has ended.
type Holder interface {
	// Hold has giveBack called once when the scope ends, on the session's path: it must not wait.
	// Where the scope has ended already, nothing is kept, ended is true and fate is what became of
	// it.
	Hold(giveBack func(Fate)) (fate Fate, ended bool)
}

func (b *Base) base() *Base { return b }

// slot is where a check's own thing stands. The caller holds the lock.
func (b *Base) slot(index int, common *Common) *any {
	if b.slots == nil {
		b.slots = make([]any, common.slots)
	}
	return &b.slots[index]
}

// Slot is a check's own typed place in a scope. Make one in Build; each scope then has a T of its
// own, made when it is first asked for. Only hooks on the session's path and Settle hooks may use
// it, not Later and Grant. Settle hooks run beside the session: what they share with others in a
// connection's T needs a lock of its own. A message and its recipients stand still once they are
// settled.
type Slot[T any] struct {
	index  int
	common *Common
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
	slot := s.slot(sl.index, sl.common)
	if *slot == nil {
		*slot = new(T)
	}
	return (*slot).(*T)
}

// Connection is one SMTP connection as one policy sees it.
type Connection struct {
	Base
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
	// Exempt is what about the client lets its mail past checks.
	Exempt Exemption
	// Permitted says that the administrator permits the client (--permit-clients).
	Permitted bool
}

// Trusted reports whether the client's address is trusted; a login is a matter of the message.
func (c *Connection) Trusted() bool { return c.Exempt&ExemptTrusted != 0 }

// InboundRelay reports whether the client is one of --inbound-relays.
func (c *Connection) InboundRelay() bool { return c.Exempt&ExemptRelay != 0 }

// LookUp looks the client up in a list, by its address and its verified name. An unknown client is
// in none.
func (c *Connection) LookUp(ctx context.Context, list *table.List) (table.Match, error) {
	if !c.Client.IsValid() {
		return table.Match{}, nil
	}
	return list.Client(ctx, c.Client, c.ConnectFacts.Name)
}

// Bounds of [Message.Attachments].
const (
	MaxAttachments    = 100
	MaxAttachmentName = 255
)

// Message is one mail transaction, from MAIL to the end of the message.
type Message struct {
	Base
	MailFacts
	// Inquiry answers what is not known without asking.
	Inquiry

	// Conn is the connection that it arrives on.
	Conn *Connection
	// Number counts the transactions of the session from 1; Started is when MAIL came.
	Number  int
	Started time.Time
	// Sender is the reverse-path, in the form of a key.
	Sender address.Address
	// Helo is what HELO or EHLO had brought by then. Later and Settle hooks must look here: a
	// client may say HELO again while they work.
	Helo HeloFacts
	// Exempt is what about the sender lets its mail past checks.
	Exempt Exemption
	// Fields are the header fields in order, at most so many as the runner keeps.
	Fields []Field
	// FieldsDropped says that the header section was longer than that, FromDropped that some of
	// what is missing are From fields.
	FieldsDropped, FromDropped bool
	// FromUnknown is why the From fields of a recorded message are not known; nil for any other.
	// HeaderFrom panics with it then: that is an error of the check that asks.
	FromUnknown error
	// Octets counts what the message has so far, line ends as CRLF (RFC 1870 section 5).
	Octets int64
	// Unexamined says, for the administrator, which limits an examination of the content has
	// reached. It is no objection; it is recorded when the message is settled.
	Unexamined []Unexamined
	// Attachments are the names of the message's files, where something has examined it: the first
	// [MaxAttachments], cleaned, each of at most [MaxAttachmentName] octets.
	Attachments []string

	from fromOnce
}

// Inquiry is what a check may ask about a message. What has a context waits for the DNS or the
// state: ask in a [Question.Later], a Grant or a Settle hook. An error means that it could not be
// found out.
type Inquiry interface {
	// Recipients are those that mailweir has accepted and the MTA has not refused, in order.
	Recipients() iter.Seq[*Recipient]
	// RecipientCount is how many they are.
	RecipientCount() int
	// AnyRecipient reports whether one of them is such.
	AnyRecipient(such func(*Recipient) bool) bool

	// SPF returns the SPF result for the envelope sender's domain, or for HELO's under the null
	// sender (RFC 7208 section 2.4). It is none where SPF has nothing to say: the client's address
	// is unknown or that of an inbound relay, or the sender has no domain.
	SPF(context.Context) (mailauth.SPFResult, error)
	// SPFOf returns the SPF result that the client has for another domain than the sender's:
	// whether that domain lets the client send its mail. The rest is as for SPF.
	SPFOf(ctx context.Context, domain string) (mailauth.SPFResult, error)
	// Keep has the body kept for whoever is to be shown the message. It is called in a Headers
	// hook; of a message whose refusal is certain by then nothing is kept.
	Keep()
	// Open returns a reader of the message, header section and body, OpenBody one of its body
	// alone, for a [Question.Later] of a Message or MessageFor hook. Each call begins at the first
	// octet, and several may be read at once; lines end as the MTA sent them. What could not be
	// kept is an error of the reader, and so the check's own: that there is no more room
	// (--scan-spool-max), or that nobody called Keep.
	Open() io.Reader
	OpenBody() io.Reader
	// KeepSigned is Keep for a message with a DKIM signature (RFC 6376) of one of the domains, or
	// of one aligned with it.
	KeepSigned(domains ...string)
	// SignedBy reports, after KeepSigned and at the end of the message, whether it has a valid DKIM
	// signature of one of the domains, or of one aligned with it. Signatures of others are not
	// looked at. An error means that there is none as far as is known, and that not all is known: a
	// key could not be had, or more than ten signatures are there.
	SignedBy(ctx context.Context, domains ...string) (bool, error)
	// Vouched reports whether the envelope sender is who it says: the client is permitted, SPF
	// passes for the sender's domain, or, at the end of a message whose signatures are looked at,
	// DKIM passes for a domain aligned with it.
	Vouched(context.Context) (bool, error)
	// PermitHonoured reports whether the administrator permits the sender and SPF passes for it:
	// such mail is known to be good.
	PermitHonoured(context.Context) bool
	// AutoAllowHonoured reports whether a recipient has written to the sender (auto-allow) and SPF
	// passes for it: such mail is known to be good, too.
	AutoAllowHonoured(context.Context) bool
}

// Unexamined is something in a message that was not looked at.
type Unexamined struct {
	// Limit is the limit that was reached, in one word.
	Limit string `json:"limit"`
	// Where names limit and place. What an untrusted client chose is quoted.
	Where string `json:"where"`
}

// Trusted reports whether the sender is trusted: by its net, by a login, or as a local submission.
func (m *Message) Trusted() bool { return (m.Exempt|m.Conn.Exempt)&ExemptTrusted != 0 }

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

	firstOnce sync.Once
	first     []address.Address
	more      bool
}

// HeaderFrom returns what the kept From fields name. Ask only after the end of headers. Who blocks
// by it looks at FromDropped, too.
func (m *Message) HeaderFrom() address.From {
	if m.FromUnknown != nil {
		panic(m.FromUnknown)
	}
	m.from.once.Do(func() {
		var texts []string
		for _, f := range m.Fields {
			texts = append(texts, f.Froms()...)
		}
		m.from.from = address.HeaderFrom(texts)
	})
	return m.from.from
}

// MaxFirstFrom bounds the addresses of [Message.FirstFrom].
const MaxFirstFrom = 200

// FirstFrom returns the first authors that HeaderFrom names, once each, for whoever asks for each
// of them something that takes time. More says that there are others.
func (m *Message) FirstFrom() (authors []address.Address, more bool) {
	m.from.firstOnce.Do(func() { m.from.first, m.from.more = m.HeaderFrom().First(MaxFirstFrom, false) })
	return m.from.first, m.from.more || m.FromDropped
}

// Recipient is one RCPT of a message.
type Recipient struct {
	Base
	RcptFacts

	// Msg is the message that it belongs to.
	Msg *Message
	// Address is the forward-path, in the form of a key.
	Address address.Address
	// Direction is where the mail goes, seen from here.
	Direction Direction
	// Enforced says that checks are enforced for it: it is in --enforce-for, or there is none.
	Enforced bool
	// Exempt is what lets its mail past checks, if it is the only recipient.
	Exempt Exemption
}

// Conn returns the connection of the recipient's message.
func (r *Recipient) Conn() *Connection { return r.Msg.Conn }

// AlwaysAccepted reports whether the recipient is one of --always-accept, as the only one of the
// message. Ask in Settle hooks: before the end of the message another one may follow.
func (r *Recipient) AlwaysAccepted() bool {
	return r.Exempt&ExemptAlwaysAccept != 0 && !r.Msg.AnyRecipient(func(other *Recipient) bool { return other != r })
}

// Acquire takes one of limit leases under key for as long as the scope lives; the runner gives it
// back. It reports false when all are taken. With shared state it waits for the network, so it is
// called from [Question.Later].
func Acquire(ctx context.Context, store state.Store, where Scope, key string, limit int) (bool, error) {
	lease, ok, err := store.Acquire(ctx, key, limit)
	if err != nil || !ok {
		return ok, err
	}
	if _, ended := where.base().Hold(func(Fate) { lease.Release() }); ended {
		lease.Release()
	}
	return true, nil
}

// Reserve keeps what was counted in advance for a recipient. If his mail is not accepted in the
// end, giveBack is called, once, on the session's path: it must not wait. Call it from
// [Question.Later], when it is counted. It reports false if it was called at once, because he is
// out already.
func Reserve(r *Recipient, giveBack func()) bool {
	fate, ended := r.Hold(func(fate Fate) {
		if fate != Accepted {
			giveBack()
		}
	})
	if !ended || fate == Accepted {
		return true
	}
	giveBack()
	return false
}

// AdmitWithin is for Admit hooks: it takes a place from a channel that has one free element for
// each, waiting at most until the context ends. It returns how to give the place back, nil without
// one.
func AdmitWithin(ctx context.Context, places chan struct{}) (leave func()) {
	select {
	case places <- struct{}{}:
		return func() { <-places }
	case <-ctx.Done():
		return nil
	}
}

// Grant is a permit for one recipient's mail. It is a fact, never a verdict: it takes force where
// an objection of a check that gives way to it is resolved.
type Grant struct {
	// By is the one kind of permit that this is.
	By Exemption
	// Vouched says that nothing has to vouch for the sender. Without it the grant counts only when
	// SPF passes for the sender's domain, or the client is permitted.
	Vouched bool
	// Source tells the administrator which entry it is.
	Source string
}

// Direction is where mail goes, seen from here.
type Direction uint8

const (
	Inbound  Direction = iota // from an untrusted client to a local domain
	Outbound                  // from a trusted client to another domain
	Internal                  // from a trusted client to a local domain
	Relay                     // from an untrusted client to another domain
)

var directionNames = [...]string{"inbound", "outbound", "internal", "relay"}

// String returns the direction as it is written in logs and definition files.
func (d Direction) String() string { return directionNames[d] }

// ParseDirections reads directions as they are written, of which there must be one. Known are those
// that may be named.
func ParseDirections(words []string, known ...Direction) (list []Direction, err error) {
	for _, word := range words {
		i := slices.IndexFunc(known, func(d Direction) bool { return d.String() == word })
		if i < 0 {
			return nil, fmt.Errorf("%q is none of %s", word, directionsText(known))
		}
		list = append(list, known[i])
	}
	if list == nil {
		return nil, fmt.Errorf("no direction; want some of %s", directionsText(known))
	}
	return list, nil
}

func directionsText(list []Direction) string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.String()
	}
	return strings.Join(names, ", ")
}

// Service is the door that mail came through.
type Service string

const (
	MX         Service = "mx"
	Submission Service = "submission"
	Reinject   Service = "reinject"
)

// Unmapped returns an IPv4-mapped IPv6 address as IPv4, without a zone.
func Unmapped(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
