package greylist

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// The spaces of the state. Each has entries of one lifetime, so that a flood of unknown clients
// never evicts who is known.
const (
	knownSpace   = "greylist"         // greylist|192.0.2.0/24|a@example.com|b@example.net
	pendingSpace = "greylist-pending" // greylist-pending|a@example.com|b@example.net|192.0.2.0/24
	clientSpace  = "greylist-client"  // greylist-client|192.0.2.0/24: how many triplets have passed
)

// triplet is what greylisting knows mail by.
type triplet struct {
	net, sender, recipient string
}

func (t triplet) String() string {
	return fmt.Sprintf("%s %s %s", t.net, strconv.QuoteToASCII(t.sender), strconv.QuoteToASCII(t.recipient))
}

func (t triplet) knownKey() string {
	return state.Key(knownSpace, t.net, t.sender, t.recipient)
}

// pendingKey has the net last: whether a sender has come back is asked for all nets.
func (t triplet) pendingKey() string {
	return state.Key(pendingSpace, t.sender, t.recipient, t.net)
}

func clientPassesKey(net string) string { return state.Key(clientSpace, net) }

// passCount reads a counter, or a number that a person entered, behind which stands who it was.
func passCount(value []byte) int {
	number, _, _ := strings.Cut(string(value), " ")
	n, _ := strconv.Atoi(number) // what is no number counts nothing
	return n
}

// pendingTriplet is a triplet that is not known yet.
type pendingTriplet struct {
	first time.Time
	// refused says that its mail was deferred, and not only monitored.
	refused bool
	// retried says that it came back too soon.
	retried bool
	// passed says that it came back and is known.
	passed bool
}

const pendingTime = "2006-01-02T15:04:05.000Z"

// value writes it as it stands in the state: 2026-11-23T12:00:00.000Z refused retried.
func (p pendingTriplet) value() []byte {
	words := []string{p.first.UTC().Format(pendingTime)}
	for _, f := range []struct {
		is   bool
		word string
	}{{p.refused, "refused"}, {p.retried, "retried"}, {p.passed, "passed"}} {
		if f.is {
			words = append(words, f.word)
		}
	}
	return []byte(strings.Join(words, " "))
}

func readPending(value []byte) (p pendingTriplet, ok bool) {
	words := strings.Fields(string(value))
	if len(words) == 0 {
		return p, false
	}
	var err error
	if p.first, err = time.Parse(pendingTime, words[0]); err != nil {
		return p, false
	}
	for _, word := range words[1:] {
		switch word {
		case "refused":
			p.refused = true
		case "retried":
			p.retried = true
		case "passed":
			p.passed = true
		}
	}
	return p, true
}

// grace is how long a pending triplet stays beyond its window, to be visited by tick.
const grace = time.Hour

// waited remembers mail that waits. Errors only mean that it is not remembered: the next attempt is
// then the first.
func (m memory) waited(ctx context.Context, s tripletState, refused bool) {
	key, now := s.pendingKey(), m.clock()
	fresh := pendingTriplet{first: s.at, refused: refused}.value()
	life := m.window + grace - now.Sub(s.at)
	var step state.Step
	switch s.kind {
	case stateNew:
		step = state.First(key, fresh, life)
	case stateLate:
		step = state.Swap(key, s.raw, fresh, life)
	default:
		again := s.pending
		again.refused, again.retried = again.refused || refused, true
		if s.pending == again || !s.until.After(now) {
			return
		}
		step = state.Swap(key, s.raw, again.value(), s.until.Sub(now)) // its clock stays
	}
	_, _ = m.store.Do(ctx, step)
}

// passed remembers mail that was let on, and renews what is known. If there is anything to write, a
// valid client's net becomes a known one in the same round trip. Errors only mean that it is not
// remembered this time.
func (m memory) passed(ctx context.Context, s tripletState, client netip.Addr) {
	var steps []state.Step
	switch s.kind {
	case statePasses:
		done := s.pending
		done.passed = true
		steps = append(steps,
			state.Put(s.knownKey(), []byte(s.at.UTC().Format(pendingTime)), m.keep),
			state.Put(s.pendingKey(), done.value(), m.window+grace),
			state.Add(clientPassesKey(s.net), 1, m.keep))
	case stateKnown:
		if m.old(s.until) {
			steps = append(steps, state.Touch(s.knownKey(), m.keep))
		}
	}
	if m.old(s.client) {
		steps = append(steps, state.Touch(clientPassesKey(s.net), m.keep))
	}
	if len(steps) == 0 {
		return
	}
	if client.IsValid() {
		steps = append(steps, history.KnownNet(client))
	}
	_, _ = m.store.Do(ctx, steps...)
}

// old reports whether an entry is to be renewed: not with each use, which would cost a write each.
func (m memory) old(until time.Time) bool {
	return !until.IsZero() && until.Sub(m.clock()) < m.keep-m.keep/36
}

// tickPage is how many ended triplets are visited at once.
const tickPage = 500

// tick tells of mail that was deferred and did not come back within the window, from any net. Of
// several hosts, the one that takes the entry away tells.
func (m memory) tick(ctx context.Context, tell func(*policy.Event)) {
	for {
		ended, err := m.store.Ending(ctx, pendingSpace, m.clock().Add(grace), tickPage)
		if err != nil {
			return // the next tick sees them
		}
		for _, e := range ended {
			if err := m.visit(ctx, e, tell); err != nil {
				return
			}
		}
		if len(ended) < tickPage {
			return
		}
	}
}

func (m memory) visit(ctx context.Context, e state.Entry, tell func(*policy.Event)) error {
	p, readable := readPending(e.Value)
	t, whole := pendingOf(e.Key)
	gone, err := m.store.Do(ctx, state.Delete(e.Key))
	if err != nil || !gone[0].Done {
		return err
	}
	if !readable || !whole || !p.refused || p.retried || p.passed {
		return nil
	}
	others, err := m.store.List(ctx, state.Prefix(pendingSpace, t.sender, t.recipient), "", tickPage)
	if err != nil {
		return err
	}
	for _, other := range others {
		if o, ok := readPending(other.Value); ok && other.Key != e.Key && (o.passed || !o.first.Before(p.first)) {
			return nil // it came back from another net
		}
	}
	tell(&policy.Event{
		Stage: policy.StageRcpt, Action: policy.ActionNotRetried, Reply: reply.ID, Row: reply.Row,
		Cause:  fmt.Sprintf("first seen on %s from %s", p.first.UTC().Format(time.DateTime), t.net),
		Sender: strings.Trim(t.sender, "<>"), HasSender: true, Recipients: []string{t.recipient}, Count: 1,
	})
	return nil
}

// pendingOf reads the key of a pending triplet.
func pendingOf(key string) (t triplet, ok bool) {
	_, parts := state.Parts(key)
	if len(parts) != 3 {
		return t, false
	}
	return triplet{sender: parts[0], recipient: parts[1], net: parts[2]}, true
}

// knownOf reads the key of a known triplet.
func knownOf(key string) (t triplet, ok bool) {
	_, parts := state.Parts(key)
	if len(parts) != 3 {
		return t, false
	}
	return triplet{net: parts[0], sender: parts[1], recipient: parts[2]}, true
}
