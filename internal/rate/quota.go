package rate

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"mailweir/internal/state"
)

// Quota counts what is done within a span of time, so that a bound on it holds exactly: however
// many sessions and hosts count at once, each sees all that was counted before ([state.Tally]).
// What was counted can be given back.
type Quota struct {
	store state.Store
	clock func() time.Time
	span  time.Duration

	mu sync.Mutex
	// owed is what was given back and does not stand in the store yet, by key and by the part of
	// the span. The next count of the key takes it along.
	owed map[string]debts
	// paying are the keys of which a count is just taking something along; others wait for its end,
	// for what it takes off would still be counted against them.
	paying map[string]chan struct{}
}

// debts are how many to take off, and when they were counted, by the number of the part of the
// span.
type debts map[int64]debt

type debt struct {
	at time.Time
	n  int64
}

// NewQuota counts in the store, under whatever keys, what is done within span.
func NewQuota(store state.Store, clock func() time.Time, span time.Duration) *Quota {
	return &Quota{store: store, clock: clock, span: span, owed: map[string]debts{}, paying: map[string]chan struct{}{}}
}

// Share is one that was counted, for who wants to give it back.
type Share struct {
	of  *Quota
	key string
	at  time.Time
}

// Take counts one more under key, unless there are most already. It returns how many there are, or
// would have been with this one. The share is nil where nothing was counted.
func (q *Quota) Take(ctx context.Context, key string, most int) (n int, one *Share, err error) {
	at := q.clock()
	counted, err := q.count(ctx, key, state.Tally(key, 1, int64(most), q.span).At(at))
	switch {
	case err != nil:
		return 0, nil, err
	case !counted.Done:
		return int(counted.N) + 1, nil, nil
	}
	return int(counted.N), &Share{q, key, at}, nil
}

// GiveBack takes back what was counted. It does not wait: this process knows it at once, others
// when settle has told them.
func (s *Share) GiveBack() { s.of.owe(s.key, debt{s.at, 1}) }

// Settle writes what was given back under the share's key.
func (s *Share) Settle(ctx context.Context) error { return s.of.Settle(ctx, s.key) }

// Settle writes what was given back under key, if anything.
func (q *Quota) Settle(ctx context.Context, key string) error {
	q.mu.Lock()
	owes := len(q.owed[key]) > 0
	q.mu.Unlock()
	if !owes {
		return nil
	}
	_, err := q.count(ctx, key, state.Tally(key, 0, math.MaxInt64, q.span))
	return err
}

// SettleAll writes what was given back under any key and could not be written then. It ends with
// the first error: what is left is owed on.
func (q *Quota) SettleAll(ctx context.Context) error {
	q.mu.Lock()
	keys := slices.Collect(maps.Keys(q.owed))
	q.mu.Unlock()
	for _, key := range keys {
		if err := q.Settle(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// count does a step on the count of a key, after taking off what is owed, in one call.
func (q *Quota) count(ctx context.Context, key string, step state.Step) (state.Result, error) {
	owed, done, err := q.collect(ctx, key)
	if err != nil {
		return state.Result{}, err
	}
	defer done()
	steps := make([]state.Step, 0, len(owed)+1)
	for _, d := range owed {
		steps = append(steps, state.Tally(key, -d.n, 0, q.span).At(d.at))
	}
	results, _ := q.store.Do(ctx, append(steps, step)...) // each has an error of its own
	for i, d := range owed {
		if results[i].Err != nil {
			q.owe(key, d)
		}
	}
	counted := results[len(owed)]
	return counted, counted.Err
}

// collect takes what is owed for a key, so that nobody else takes it off again. While there is any,
// others wait until done is called.
func (q *Quota) collect(ctx context.Context, key string) (owed []debt, done func(), err error) {
	for {
		q.mu.Lock()
		paying := q.paying[key]
		if paying == nil {
			break
		}
		q.mu.Unlock()
		select {
		case <-paying:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	defer q.mu.Unlock()
	for part, d := range q.owed[key] {
		if part >= state.TallyPart(q.clock(), q.span)-state.TallyParts { // else it counts no more
			owed = append(owed, d)
		}
	}
	delete(q.owed, key)
	if len(owed) == 0 {
		return nil, func() {}, nil
	}
	paid := make(chan struct{})
	q.paying[key] = paid
	return owed, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.paying, key)
		close(paid)
	}, nil
}

// owe notes what is to be taken off.
func (q *Quota) owe(key string, d debt) {
	part := state.TallyPart(d.at, q.span)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.owed[key] == nil {
		q.owed[key] = debts{}
	}
	d.n += q.owed[key][part].n
	q.owed[key][part] = d
}
