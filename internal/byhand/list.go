package byhand

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/trace"
)

// Kind is a kind of list, and the space of the state that holds it: block|sender|example.net,
// permit|client|192.0.2.0/24.
type Kind string

const (
	// Block lists whom nobody here is to hear from.
	Block Kind = "block"
	// Permit lists clients, and senders whom something vouches for.
	Permit Kind = "permit"
)

// The two sorts of subjects, as they stand in keys.
const (
	sortSender = "sender"
	sortClient = "client"
)

// Entry is one that a person has made.
type Entry struct {
	Subject Subject
	entry.Origin
	// Until is when it ends by itself; zero is never.
	Until time.Time
}

// List is what people have entered of one kind.
type List struct {
	kind     Kind
	index    *state.Index[*subjects]
	clock    func() time.Time
	recorded state.Store // where recorded mail is judged
}

// NewList returns the list in the state of the backends.
func NewList(b *policy.Backends, kind Kind) *List {
	l := &List{kind: kind, clock: b.Clock}
	switch {
	case b.Recorded:
		l.recorded = b.State
	case b.State != nil:
		l.index = state.NewIndex(b.Mirror(state.MirrorOptions{Space: string(kind)}), subjectsOf)
	}
	return l
}

// subjects are the entries of a list, by what they are about.
type subjects struct {
	senders map[string]state.Entry
	clients map[netip.Prefix]state.Entry
	// lengths of the nets of IPv4 and IPv6, the longest first.
	lengths4, lengths6 []int
}

func subjectsOf(entries []state.Entry) *subjects {
	s := &subjects{}
	lengths4, lengths6 := map[int]bool{}, map[int]bool{}
	for _, e := range entries {
		subject, ok := subjectOfKey(e.Key)
		switch {
		case !ok:
		case subject.Sender != "":
			if s.senders == nil {
				s.senders = map[string]state.Entry{}
			}
			s.senders[subject.Sender] = e
		default:
			if s.clients == nil {
				s.clients = map[netip.Prefix]state.Entry{}
			}
			s.clients[subject.Clients] = e
			if subject.Clients.Addr().Is4() {
				lengths4[subject.Clients.Bits()] = true
			} else {
				lengths6[subject.Clients.Bits()] = true
			}
		}
	}
	longest := func(lengths map[int]bool) []int {
		return slices.SortedFunc(maps.Keys(lengths), func(a, b int) int { return b - a })
	}
	s.lengths4, s.lengths6 = longest(lengths4), longest(lengths6)
	return s
}

func subjectOfKey(key string) (Subject, bool) {
	_, parts := state.Parts(key)
	if len(parts) != 2 {
		return Subject{}, false
	}
	switch parts[0] {
	case sortSender:
		return Subject{Sender: parts[1]}, parts[1] != ""
	case sortClient:
		net, err := netip.ParsePrefix(parts[1])
		return Subject{Clients: net}, err == nil
	}
	return Subject{}, false
}

// key is where the entry about a subject stands.
func (k Kind) key(s Subject) string {
	if s.Sender != "" {
		return state.Key(string(k), sortSender, s.Sender)
	}
	return state.Key(string(k), sortClient, s.Clients.String())
}

// Sender is the entry about an envelope sender or an address of header From, the most specific one;
// nil where there is none, and always for the null sender. The error says that none of the list is
// known.
func (l *List) Sender(ctx context.Context, a address.Address, delimiter string) (*Entry, error) {
	if a.IsNull() || a.Domain == "" {
		return nil, nil
	}
	if l.recorded != nil {
		return l.recall(ctx, sendersAsSubjects(SendersOf(a, delimiter)))
	}
	all, err := l.latest(ctx)
	if err != nil || len(all.senders) == 0 {
		return nil, err
	}
	for _, key := range SendersOf(a, delimiter) {
		if e, ok := all.senders[key]; ok && !ended(e.Until, l.clock()) {
			return l.found(ctx, Subject{Sender: key}, e), nil
		}
	}
	return nil, nil
}

func sendersAsSubjects(keys []string) (list []Subject) {
	for _, key := range keys {
		list = append(list, Subject{Sender: key})
	}
	return list
}

// Client is the entry about a client, that of the longest net.
func (l *List) Client(ctx context.Context, client netip.Addr) (*Entry, error) {
	client = policy.Unmapped(client)
	if !client.IsValid() {
		return nil, nil
	}
	if l.recorded != nil {
		return l.recall(ctx, netsAround(client))
	}
	all, err := l.latest(ctx)
	if err != nil || len(all.clients) == 0 {
		return nil, err
	}
	lengths := all.lengths6
	if client.Is4() {
		lengths = all.lengths4
	}
	for _, length := range lengths {
		net, err := client.Prefix(length)
		if err != nil {
			continue // no net of this family is so long
		}
		if e, ok := all.clients[net]; ok && !ended(e.Until, l.clock()) {
			return l.found(ctx, Subject{Clients: net}, e), nil
		}
	}
	return nil, nil
}

// netsAround are all nets that a client is in, the longest first.
func netsAround(client netip.Addr) (list []Subject) {
	for length := client.BitLen(); length >= 0; length-- {
		net, _ := client.Prefix(length) // of its own family
		list = append(list, Subject{Clients: net})
	}
	return list
}

func (l *List) latest(ctx context.Context) (*subjects, error) {
	if l.index == nil {
		return &subjects{}, nil
	}
	return l.index.Latest(ctx)
}

// found tells the record, too, so that the same can be found when the mail is judged once more.
func (l *List) found(ctx context.Context, s Subject, e state.Entry) *Entry {
	state.Tell(ctx, e)
	return &Entry{Subject: s, Origin: entry.Read(e.Value), Until: e.Until}
}

// recall is what was found then: the record has each entry that acted, and no other. Where a part
// of the record is left out, one that is not there may have acted all the same.
func (l *List) recall(ctx context.Context, list []Subject) (*Entry, error) {
	var leftOut error
	for _, s := range list {
		switch value, ok, err := l.recorded.Get(ctx, l.kind.key(s)); {
		case errors.Is(err, trace.ErrLeftOut):
			leftOut = err
		case err != nil && !errors.Is(err, trace.ErrNotRecorded):
			return nil, err
		case ok && err == nil:
			return &Entry{Subject: s, Origin: entry.Read(value)}, nil
		}
	}
	return nil, leftOut
}

// Ready reads the list for the first time.
func (l *List) Ready(ctx context.Context) {
	if l.recorded == nil {
		_, _ = l.latest(ctx) // who looks up is told why it is not known
	}
}

// Cause tells in words which entry of a list it is: "example.net" is blocked until …, by ….
func (e *Entry) Cause(done string) string {
	return fmt.Sprintf("%s is %s %s, %s", strconv.QuoteToASCII(e.Subject.String()), done, entry.Until(e.Until), e.Origin)
}

// Narrower reports whether the entry is about less than another one about the same mail.
func (e *Entry) Narrower(other *Entry) bool {
	switch {
	case e.Subject.Sender == "":
		return e.Subject.Clients.Bits() > other.Subject.Clients.Bits()
	case e.Subject.IsDomain() != other.Subject.IsDomain():
		return !e.Subject.IsDomain()
	}
	return len(e.Subject.Sender) > len(other.Subject.Sender)
}

// Fresh reports whether the list can be looked at without waiting for what others have changed.
func (l *List) Fresh() bool { return l.index == nil || l.index.Fresh() }

// LessThan reports whether the key of a table is about less than an entry about senders: an
// address, or a domain below.
func LessThan(key string, e *Entry) bool {
	if !e.Subject.IsDomain() {
		return false
	}
	return strings.Contains(key, "@") || len(strings.TrimPrefix(key, ".")) > len(e.Subject.Sender)
}

// HasSenders reports whether there may be an entry about senders, and HasClients one about clients:
// usually there is none, and then nothing need be looked up.
func (l *List) HasSenders(ctx context.Context) bool {
	all, err := l.latest(ctx)
	return l.recorded != nil || err != nil || len(all.senders) > 0
}

// HasClients reports whether there may be an entry about clients.
func (l *List) HasClients(ctx context.Context) bool {
	all, err := l.latest(ctx)
	return l.recorded != nil || err != nil || len(all.clients) > 0
}
