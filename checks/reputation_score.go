package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"mailweir/internal/state"
)

// Reputations are the histories of clients in the state.
type Reputations struct {
	Store state.Store
	Clock func() time.Time
	// HalfLife is in what time events lose half of their weight.
	HalfLife time.Duration
	// MinEvents is how many events it takes to be judged, and the doubt of which everyone has the benefit.
	MinEvents int
}

// reputationDeeds are what a history is made of.
var reputationDeeds = []deed{deedInvalidRcpt, deedBlocked, deedListed, deedVirus, deedSpam, deedGood}

// history is what stands in the state: how much of what there was at a time.
type history struct {
	At     time.Time          `json:"at"`
	Events map[string]float64 `json:"events"`
}

// reputationLives is after how many half-lives without an event a history is forgotten: of a thousand events one is left then.
const reputationLives = 10

// mostEvents is more than any client has.
const mostEvents = 1e12

// learn adds a transaction to the client's history.
func (b *Reputations) learn(ctx context.Context, client netip.Addr, done conduct) error {
	relevant := 0
	for _, d := range reputationDeeds {
		relevant += done[d]
	}
	if relevant == 0 {
		return nil
	}
	key := reputationKey(client)
	old, found, err := b.Store.Get(ctx, key)
	if err != nil {
		return err
	}
	for ctx.Err() == nil { // each round that is lost, another transaction's is won
		h := b.read(old)
		for _, d := range reputationDeeds {
			if done[d] > 0 {
				h.Events[d.String()] += float64(done[d])
			}
		}
		text, _ := json.Marshal(h) // numbers and a time
		if !found {
			old = nil
		}
		results, err := b.Store.Do(ctx, state.Swap(key, old, text, reputationLives*b.HalfLife))
		if err != nil || results[0].Done {
			return err
		}
		old, found = results[0].Value, results[0].Found
	}
	return ctx.Err()
}

// read brings a history up to the present. What cannot be read is an empty one.
func (b *Reputations) read(value []byte) history {
	now := b.Clock()
	h := history{At: now, Events: map[string]float64{}}
	var old history
	if json.Unmarshal(value, &old) != nil {
		return h
	}
	weight := math.Exp2(-max(now.Sub(old.At), 0).Seconds() / b.HalfLife.Seconds())
	for _, d := range reputationDeeds {
		// Anything that is no sum of events was written by another hand.
		if n := old.Events[d.String()] * weight; n > 0 && n < mostEvents {
			h.Events[d.String()] = n
		}
	}
	return h
}

// ReputationScore is a client's score with all that led to it.
type ReputationScore struct {
	// Net is an IPv4 address or an IPv6 /64.
	Net string `json:"net"`
	// Score is from 0 to 100: the sum of the points of its parts, at least 0.
	Score float64 `json:"score"`
	// Parts are the kinds of events that there were, bad ones first.
	Parts []ReputationPart `json:"parts"`
	// Events is how many there were, by their present weight, and Least how many it takes to be judged.
	Events float64 `json:"events"`
	Least  int     `json:"least"`
	// Known says that wanted mail has come from there lately, so that the client is not judged.
	Known bool `json:"known"`
	// Judged says that the score counts.
	Judged bool `json:"judged"`
}

// ReputationPart is what one kind of events adds to a score.
type ReputationPart struct {
	Name   string  `json:"name"`
	Events float64 `json:"events"`
	Points float64 `json:"points"`
}

// Show returns a client's score as it is now.
func (b *Reputations) Show(ctx context.Context, client netip.Addr) (ReputationScore, error) {
	results, err := b.Store.Do(ctx, state.Get(reputationKey(client)), state.Get(knownNetKey(client)))
	if err != nil {
		return ReputationScore{}, err
	}
	r := b.score(b.read(results[0].Value))
	r.Net, r.Known = clientNet(client), results[1].Found
	r.Judged = !r.Known && r.Events > 0 && math.Round(r.Events) >= float64(b.MinEvents)
	return r, nil
}

// score is the formula: 100 × (bad − good) / (bad + good + MinEvents), at least 0.
func (b *Reputations) score(h history) ReputationScore {
	r := ReputationScore{Least: b.MinEvents}
	for _, d := range reputationDeeds {
		r.Events += h.Events[d.String()]
	}
	for _, d := range reputationDeeds {
		n := h.Events[d.String()]
		if n == 0 {
			continue
		}
		points := 100 * n / (r.Events + float64(b.MinEvents))
		if d == deedGood {
			points = -points
		}
		r.Parts = append(r.Parts, ReputationPart{Name: d.String(), Events: n, Points: points})
		r.Score += points
	}
	r.Score = max(r.Score, 0)
	return r
}

// String tells the score and its parts in one line.
func (r ReputationScore) String() string {
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
