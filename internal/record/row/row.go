// Package row turns entries of the record into what stores keep of them, and back.
package row

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/encodedword"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Version is the version of what [Encode] makes. A row of an earlier one is read, too.
const Version = 1

// Row is an entry as a store keeps it: columns that are searched by, and the rest.
type Row struct {
	Position record.Position
	Kind     record.Kind
	// Time is that of the entry, to the microsecond.
	Time time.Time
	// ID is that of a decision, in lower case.
	ID          string
	Session     string
	Transaction int
	Host        string
	// Client is without a zone, Net is the /24 or /64 around it; both are zero where it is unknown.
	Client netip.Addr
	Net    netip.Prefix
	// Sender is a key of package address, "<>" for the null sender, "" where there is none.
	Sender, SenderDomain string
	Login, Check         string
	// Mode, Action and Code are those of a decision.
	Mode   policy.Mode
	Action policy.Action
	Code   int
	// Fates are those of a message and its recipients: the bit 1<<Fate for each.
	Fates   int
	Service policy.Service
	// Direction has each direction of its recipients once, with blanks between.
	Direction string
	// Keys are what the entry is found by besides.
	Keys []Key
	// Shown is what the header fields From and Subject say, where they are encoded.
	Shown string
	// Rest is everything else in JSON, with the names of [policy.Event] or [policy.Transaction].
	Rest []byte
}

// Key is something that an entry is found by and of which it may have several.
type Key struct {
	Kind  KeyKind
	Value string
}

// KeyKind says what a key names. Its numbers stand in files.
type KeyKind uint8

// The kinds of keys.
const (
	KeyRecipient KeyKind = 1 + iota // an address, as package address has it
	KeyDomain                       // the domain of a recipient
	KeyQueue                        // the queue id
	KeyMessage                      // the Message-Id without angle brackets
	KeySession                      // the session
)

// event reads the JSON of an event's rest: what is named here stands in columns, unless it would
// not be the same again. [object] writes it.
type event struct {
	*policy.Event
	ID          string     `json:"id"`
	Time        omitted    `json:"time"`
	Host        omitted    `json:"host"`
	Check       omitted    `json:"check"`
	Mode        omitted    `json:"mode"`
	Action      omitted    `json:"action"`
	Session     omitted    `json:"session"`
	Transaction omitted    `json:"transaction"`
	Client      netip.Addr `json:"client"`
	Service     omitted    `json:"service"`
	Login       string     `json:"login"`
	Direction   omitted    `json:"direction"`
}

// message is the same of a transaction.
type message struct {
	*policy.Transaction
	Ended   omitted    `json:"ended"`
	Host    omitted    `json:"host"`
	Check   omitted    `json:"check"`
	Session omitted    `json:"session"`
	Number  omitted    `json:"transaction"`
	Client  netip.Addr `json:"client"`
	Service omitted    `json:"service"`
	Login   string     `json:"login"`
}

// omitted stands for a field whose value is in a column.
type omitted struct{}

// UnmarshalJSON leaves a value alone that should not be there.
func (omitted) UnmarshalJSON([]byte) error { return nil }

// Encode makes a row of an entry.
func Encode(e record.Entry) (Row, error) {
	if e.Event != nil {
		return encodeEvent(e)
	}
	return encodeMessage(e)
}

func encodeEvent(entry record.Entry) (Row, error) {
	e := entry.Event
	r := Row{
		Position: entry.Position, Kind: record.Decisions, Time: micro(e.Time), ID: clean(strings.ToLower(e.ID)),
		Session: clean(e.Session), Transaction: e.Transaction, Host: clean(e.Host), Login: clean(strings.ToLower(e.Login)), Check: clean(e.Check),
		Mode: e.Mode, Action: e.Action, Code: e.Line.Code(), Service: policy.Service(clean(string(e.Service))), Direction: clean(e.Direction),
		Shown: shown(e.From, e.Subject),
	}
	r.sender(entry)
	r.keys(e.Recipients, e.QueueID, e.MessageID)
	rest := newObject(e.Trace, nil)
	rest.event(e)
	if r.ID != e.ID {
		rest.textIf("id", e.ID)
	}
	rest.address("client", r.client(e.Client))
	if r.Login != e.Login {
		rest.textIf("login", e.Login)
	}
	var err error
	r.Rest, err = rest.rest()
	return r, err
}

func encodeMessage(entry record.Entry) (Row, error) {
	t := entry.Message
	r := Row{
		Position: entry.Position, Kind: record.Messages, Time: micro(t.Ended), Session: clean(t.Session), Transaction: t.Number, Host: clean(t.Host),
		Login: clean(strings.ToLower(t.Login)), Check: clean(t.Check), Service: policy.Service(clean(string(t.Service))),
		Fates: 1 << t.Fate, Shown: shown(t.From, t.Subject),
	}
	r.sender(entry)
	var recipients, directions []string
	for _, one := range t.Recipients {
		r.Fates |= 1 << one.Fate
		recipients = append(recipients, one.Recipient)
		if one.Direction != "" && !slices.Contains(directions, one.Direction) {
			directions = append(directions, one.Direction)
		}
	}
	r.Direction = clean(strings.Join(directions, " "))
	r.keys(recipients, t.QueueID, t.MessageID)
	rest := newObject(t.Queries, t.State)
	rest.message(t)
	rest.address("client", r.client(t.Client))
	if r.Login != t.Login {
		rest.textIf("login", t.Login)
	}
	var err error
	r.Rest, err = rest.rest()
	return r, err
}

// micro is a time as a row has it.
func micro(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

// clean is a text as every database takes it: UTF-8 without NUL.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// shown is what encoded header fields say.
func shown(fields ...string) string {
	var texts []string
	for _, f := range fields {
		if text := encodedword.Decode(f); text != f {
			texts = append(texts, clean(text))
		}
	}
	return strings.Join(texts, "\n")
}

// client sets the columns of a client, and returns it where they do not say all of it.
func (r *Row) client(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return a
	}
	r.Client = a.Unmap().WithZone("")
	bits := 24
	if r.Client.Is6() {
		bits = 64
	}
	r.Net = netip.PrefixFrom(r.Client, bits).Masked()
	if r.Client == a {
		return netip.Addr{}
	}
	return a
}

func (r *Row) sender(e record.Entry) {
	r.Sender = clean(e.Sender())
	r.SenderDomain = r.Sender
	if r.Sender != "" && r.Sender != "<>" {
		r.SenderDomain = clean(address.Parse(r.Sender).Domain)
	}
}

func (r *Row) keys(recipients []string, queue, messageID string) {
	r.Keys = make([]Key, 0, len(recipients)+4)
	for _, one := range recipients {
		a := address.Parse(one)
		r.key(KeyRecipient, a.Key())
		r.key(KeyDomain, a.Domain)
	}
	r.key(KeyQueue, queue)
	r.key(KeyMessage, record.TrimMessageID(messageID))
	r.key(KeySession, r.Session)
	slices.SortFunc(r.Keys, compareKeys)
	r.Keys = slices.Compact(r.Keys)
}

func (r *Row) key(kind KeyKind, value string) {
	if value != "" {
		r.Keys = append(r.Keys, Key{kind, clean(value)})
	}
}

func compareKeys(a, b Key) int {
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	return strings.Compare(a.Value, b.Value)
}
