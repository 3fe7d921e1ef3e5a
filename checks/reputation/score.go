package reputation

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// Book are the histories of clients in the state.
type Book struct {
	Store state.Store
	Clock func() time.Time
	// HalfLife is in what time events lose half of their weight.
	HalfLife time.Duration
	// MinEvents is how many events it takes to be judged, and the doubt of which everyone has the
	// benefit.
	MinEvents int
}

// scored are what a history is made of.
var scored = [...]policy.Offence{
	policy.OffenceInvalidRcpt, policy.OffenceBlocked, policy.OffenceListed, policy.OffenceVirus, policy.OffenceSpam,
	policy.NoOffence,
}

// weights is what a client has done, by its weight at present.
type weights [policy.Offences]float64

// lives is after how many half-lives without an event a history is forgotten: of a thousand events
// one is left then.
const lives = 10

// mostEvents is more than any client has.
const mostEvents = 1e12

// learn adds a transaction to the client's history.
func (b *Book) learn(ctx context.Context, client netip.Addr, done history.Transaction) error {
	relevant := 0
	for _, d := range scored {
		relevant += done[d]
	}
	if relevant == 0 {
		return nil
	}
	_, err := b.Store.Do(ctx, state.Update(historyKey(client), state.Result{}, func(was state.Result) ([]byte, time.Duration) {
		h := b.read(was.Value)
		for _, d := range scored {
			h[d] += float64(done[d])
		}
		return h.value(b.Clock()), lives * b.HalfLife
	}))
	return err
}

// grain is the unit of events in the state: what weighs less is forgotten.
const grain = 1000

// value is what stands in the state: a time, and what there was then in thousandths of an event.
// 2026-11-23T12:00:00Z invalid-rcpt=3500 good=1000
func (h *weights) value(now time.Time) []byte {
	text := now.UTC().AppendFormat(nil, time.RFC3339)
	for _, d := range scored {
		if n := int64(math.Round(h[d] * grain)); n > 0 {
			text = strconv.AppendInt(append(append(append(text, ' '), d.String()...), '='), n, 10)
		}
	}
	return text
}

// read brings a history up to the present. What cannot be read counts for nothing.
func (b *Book) read(value []byte) (h weights) {
	if len(value) == 0 {
		return h // nothing is known
	}
	when, rest, _ := strings.Cut(string(value), " ")
	at, err := time.Parse(time.RFC3339, when)
	if err != nil {
		return h
	}
	weight := math.Exp2(-max(b.Clock().Sub(at), 0).Seconds() / b.HalfLife.Seconds())
	for word := range strings.FieldsSeq(rest) {
		name, number, _ := strings.Cut(word, "=")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > mostEvents*grain {
			continue // written by another hand
		}
		for _, d := range scored {
			if d.String() == name {
				h[d] = float64(n) / grain * weight
			}
		}
	}
	return h
}

// Summary is a client's score with all that led to it.
type Summary struct {
	// Net is an IPv4 address or an IPv6 /64.
	Net string `json:"net"`
	// Score is from 0 to 100: the sum of the points of its parts, at least 0.
	Score float64 `json:"score"`
	// Parts are the kinds of events that there were, bad ones first.
	Parts []Part `json:"parts"`
	// Events is how many there were, by their present weight, and Least how many it takes to be
	// judged.
	Events float64 `json:"events"`
	Least  int     `json:"least"`
	// Known says that wanted mail has come from there lately, and no more than ten times as much
	// that was bad, so that the client is not judged.
	Known bool `json:"known"`
	// Judged says that the score counts.
	Judged bool `json:"judged"`

	good float64 // events
}

func (r Summary) bad() float64 { return r.Events - r.good }

// Part is what one kind of events adds to a score.
type Part struct {
	Name   string  `json:"name"`
	Events float64 `json:"events"`
	Points float64 `json:"points"`
}

// Show returns a client's score as it is now.
func (b *Book) Show(ctx context.Context, client netip.Addr) (Summary, error) {
	results, err := b.Store.Do(ctx, state.Get(historyKey(client)), state.Get(history.KnownNetKey(client)))
	if err != nil {
		return Summary{}, err
	}
	r := b.score(b.read(results[0].Value))
	r.Net, r.Known = history.Net(client), results[1].Found && !history.Outnumbered(r.bad(), r.good)
	r.Judged = !r.Known && r.Events > 0 && math.Round(r.Events) >= float64(b.MinEvents)
	return r, nil
}

// forget clears a client's history, and reports whether there was any. Who did it stays on record
// as long as the history would have.
func (b *Book) forget(ctx context.Context, client netip.Addr, by entry.Origin) (bool, error) {
	_, found, err := b.Store.Get(ctx, historyKey(client))
	if err != nil || !found {
		return false, err
	}
	_, err = b.Store.Do(ctx,
		state.Put(forgottenKey(client), by.Value(), lives*b.HalfLife).Entered(),
		state.Delete(historyKey(client)).Entered())
	return true, err
}

// forgotten returns who has cleared a client's history, as far as that is on record.
func (b *Book) forgotten(ctx context.Context, client netip.Addr) (by entry.Origin, found bool, err error) {
	value, found, err := b.Store.Get(ctx, forgottenKey(client))
	return entry.Read(value), found, err
}

// score is the formula: 100 × (bad − good) / (bad + good + MinEvents), at least 0.
func (b *Book) score(h weights) Summary {
	r := Summary{Least: b.MinEvents, good: h[policy.NoOffence]}
	for _, d := range scored {
		r.Events += h[d]
	}
	for _, d := range scored {
		n := h[d]
		if n == 0 {
			continue
		}
		points := 100 * n / (r.Events + float64(b.MinEvents))
		if d == policy.NoOffence {
			points = -points
		}
		r.Parts = append(r.Parts, Part{Name: d.String(), Events: n, Points: points})
		r.Score += points
	}
	r.Score = max(r.Score, 0)
	return r
}

// String tells the score and its parts in one line.
func (r Summary) String() string {
	var parts []string
	for _, p := range r.Parts {
		parts = append(parts, fmt.Sprintf("%s %+.1f of %.1f", p.Name, p.Points, p.Events))
	}
	text := fmt.Sprintf("%s has score %.0f", r.Net, math.Floor(r.Score))
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	switch {
	case r.Known:
		text += ", not judged: wanted mail has come from there"
	case !r.Judged:
		text += fmt.Sprintf(", not judged: %.1f events, it takes %d", r.Events, r.Least)
	}
	return text
}
