package greylist

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// memory is what greylisting remembers, and the times that it goes by.
type memory struct {
	store               state.Store
	clock               func() time.Time
	delay, window, keep time.Duration
	passes              int
}

// look looks a triplet up, in one round trip. imported is the key under which it may have been
// taken over without its sender's extension, "" for none.
func (m memory) look(ctx context.Context, t triplet, imported string) (tripletState, error) {
	steps := []state.Step{state.Get(t.knownKey()), state.Get(t.pendingKey()), state.Get(clientPassesKey(t.net))}
	if imported != "" {
		steps = append(steps, state.Get(imported))
	}
	found, err := m.store.Do(ctx, steps...)
	if err != nil {
		return tripletState{}, err
	}
	known, pending, client := found[0], found[1], found[2]
	s := tripletState{triplet: t, at: m.clock(), client: client.Until, known: t.knownKey()}
	if imported != "" && !known.Found && isImported(found[3].Value) {
		known, s.known = found[3], imported
	}
	first, readable := readPending(pending.Value)
	switch {
	case known.Found:
		s.kind, s.until = stateKnown, known.Until
		return s, nil
	case m.passes > 0 && client.Found && passCount(client.Value) >= m.passes:
		s.kind = stateClient
		return s, nil
	case !pending.Found:
		return s, nil
	}
	s.kind, s.pending, s.raw, s.until, s.age = stateLate, first, pending.Value, pending.Until, s.at.Sub(first.first)
	switch {
	case !readable || s.age > m.window || first.passed:
	case s.age < m.delay:
		s.kind = stateEarly
	default:
		s.kind = statePasses
	}
	return s, nil
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
			steps = append(steps, state.Touch(s.known, m.keep))
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
