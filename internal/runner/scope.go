package runner

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"mailweir/internal/fact"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/spool"
	"mailweir/internal/trace"
)

// scope is what the runner keeps of a connection, a message or a recipient, beside what its checks
// see.
type scope struct {
	findings []*finding

	mu    sync.Mutex
	held  []func(policy.Fate) // leases and the like, each to be given back
	would []string            // monitored checks that objected
	ended bool
	fate  policy.Fate
}

// connection is one SMTP connection under one policy.
type connection struct {
	policy.Connection
	scope
	policy *Policy
	permit permission // of its tables; for a message there may be one of a person, too
	asked  trace.Log  // about the client
}

// message is one mail transaction.
type message struct {
	policy.Message
	scope
	conn   *connection
	runner *Runner

	named       int          // recipients so far
	recipients  []*recipient // that mailweir has accepted and the MTA has not refused, in order
	fieldOctets int          // of the fields kept that are no From fields
	fromFields  int          // that are kept, and their octets with what each costs
	fromOctets  int
	spf         fact.Fact[mailauth.SPFResult]
	wantsBody   bool
	body        *spool.Body                  // nil while it is not kept
	found       *[]*signature                // nil while nobody has asked for them
	signatures  atomic.Pointer[[]*signature] // the same, once they can be verified
	permit      permission                   // of the sender
	client      permission                   // of the client, when MAIL came
	mayPermit   policy.Exemption             // the kinds that there may be
	left        departures                   // what became of them
	gone        []*recipient                 // refused, by whomever, or removed; kept for explain alone
	late        lateGroups
	broken      []*bound // checks that panicked over a part of this message
	condemned   bool     // its refusal is certain
	decided     policy.Outcome
	asked       trace.Log // about sender, recipients and content
	past        Past      // where it is a recorded one
}

// recipient is one RCPT of a message.
type recipient struct {
	policy.Recipient
	scope
	msg    *message
	number int            // of the transaction's, from 1
	end    policy.Outcome // what became of it
	grants fact.Fact[[]policy.Grant]
	// list is what is granted, where asking never waits.
	atOnce  sync.Once
	list    []policy.Grant
	listErr error
	// spared names the checks that only monitor for the recipient (--monitor-for).
	spared string
	// pilotFailed is why it is not known whether the recipient is in --enforce-for or
	// --monitor-for.
	pilotFailed error
}

// Hold has giveBack called once when the scope ends.
func (s *scope) Hold(giveBack func(policy.Fate)) (policy.Fate, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.held = append(s.held, giveBack)
	}
	return s.fate, s.ended
}

// Recipients are those that remain.
func (m *message) Recipients() iter.Seq[*policy.Recipient] {
	return func(yield func(*policy.Recipient) bool) {
		for _, r := range m.recipients {
			if !yield(&r.Recipient) {
				return
			}
		}
	}
}

// AnyRecipient reports whether one of them is such.
func (m *message) AnyRecipient(such func(*policy.Recipient) bool) bool {
	return slices.ContainsFunc(m.recipients, func(r *recipient) bool { return such(&r.Recipient) })
}

// RecipientCount is how many remain.
func (m *message) RecipientCount() int { return len(m.recipients) }

// Limits of the header fields that a message keeps. From fields have one of their own, so that a
// block of a sender is not got round by fields in front.
const (
	maxFields      = 10_000
	usualFields    = 32 // room for those of most messages
	maxFieldOctets = 1 << 20
	maxFromOctets  = 1 << 20
	fieldCosts     = 64 // octets that a short field takes beside its text, about
)

// keep keeps a header field within bounds.
func (m *message) keep(f policy.Field, octets int) {
	switch from := len(f.Froms()) > 0; {
	case from && m.fromOctets+octets+fieldCosts > maxFromOctets:
		m.FieldsDropped, m.FromDropped = true, true
		return
	case from:
		m.fromFields++
		m.fromOctets += octets + fieldCosts
	case len(m.Fields)-m.fromFields >= maxFields || m.fieldOctets+octets > maxFieldOctets:
		m.FieldsDropped = true
		return
	default:
		m.fieldOctets += octets
	}
	if m.Fields == nil {
		m.Fields = make([]policy.Field, 0, usualFields)
	}
	m.Fields = append(m.Fields, f)
}
