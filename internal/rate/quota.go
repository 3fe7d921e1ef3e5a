package rate

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mailweir/internal/state"
)

// Quota counts what is done within a span of time, so that a bound on it holds exactly: however
// many sessions and hosts count at once, each sees all that was counted before. So all parts of the
// span stand under one key, and whoever changes them swaps the whole.
type Quota struct {
	store state.Store
	clock func() time.Time
	span  time.Duration

	// turn lets one change at a time: what another one is just taking off would still be counted
	// against it.
	turn chan struct{}
	mu   sync.Mutex
	// owed is what was given back and does not stand in the store yet, by key. The next change of
	// the key takes it along.
	owed map[string]tally
}

// NewQuota counts in the store, under whatever keys, what is done within span.
func NewQuota(store state.Store, clock func() time.Time, span time.Duration) *Quota {
	return &Quota{store: store, clock: clock, span: span, turn: make(chan struct{}, 1), owed: map[string]tally{}}
}

// tally is how many of something there were, by the number of the part of the span.
type tally map[int64]int

// Share is one that was counted, for who wants to give it back.
type Share struct {
	of   *Quota
	key  string
	part int64
}

// Take counts one more under key, unless there are most already. It returns how many there are, or
// would have been with this one. The share is nil where nothing was counted.
func (q *Quota) Take(ctx context.Context, key string, most int) (n int, one *Share, err error) {
	part := q.part()
	n, taken, err := q.change(ctx, key, part, 1, most)
	if err != nil || !taken {
		return n, nil, err
	}
	return n, &Share{q, key, part}, nil
}

// GiveBack takes back what was counted. It does not wait: this process knows it at once, others
// when settle has told them.
func (s *Share) GiveBack() { s.of.owe(s.key, tally{s.part: 1}) }

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
	_, _, err := q.change(ctx, key, q.part(), 0, math.MaxInt)
	return err
}

// change adds to the count of a part, unless the sum would then be over most, and takes off what is
// owed.
func (q *Quota) change(ctx context.Context, key string, part int64, adds, most int) (n int, done bool, err error) {
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
	owed := q.collect(key)
	defer func() {
		if !done {
			q.owe(key, owed)
		}
	}()
	value, found, err := q.store.Get(ctx, key)
	for err == nil && ctx.Err() == nil { // each round that is lost, another one's is won
		t := readTally(value)
		t.less(owed)
		t.since(part - Parts)
		if n = t.sum() + adds; n > most {
			return n, false, nil
		}
		t[part] += adds
		if !found {
			value = nil
		}
		var results []state.Result
		results, err = q.store.Do(ctx, state.Swap(key, value, t.value(), Life(q.span)))
		if err != nil {
			break
		}
		if results[0].Done {
			return n, true, nil
		}
		value, found = results[0].Value, results[0].Found
	}
	if err == nil {
		err = ctx.Err()
	}
	return 0, false, err
}

// part is the number of the present part of the span.
func (q *Quota) part() int64 { return partOf(q.clock(), q.span) }

// collect takes what is owed for a key, so that nobody else takes it off again.
func (q *Quota) collect(key string) tally {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.owed[key]
	delete(q.owed, key)
	return t
}

// owe notes what is to be taken off. What has long left the span is forgotten.
func (q *Quota) owe(key string, t tally) {
	q.mu.Lock()
	defer q.mu.Unlock()
	sum := maps.Clone(q.owed[key])
	if sum == nil {
		sum = tally{}
	}
	for part, n := range t {
		sum[part] += n
	}
	sum.since(q.part() - Parts)
	if q.owed[key] = sum; len(sum) == 0 {
		delete(q.owed, key)
	}
}

// less takes off what is still there.
func (t tally) less(owed tally) {
	for part, n := range owed {
		if t[part] -= n; t[part] <= 0 {
			delete(t, part)
		}
	}
}

// since forgets all parts before that one. One that lies ahead is that of a host whose clock is,
// and counts.
func (t tally) since(first int64) {
	maps.DeleteFunc(t, func(part int64, _ int) bool { return part < first })
}

func (t tally) sum() (n int) {
	for _, of := range t {
		n += of
	}
	return n
}

// value is what stands in the state, the latest part first: 8214=3 8213=12.
func (t tally) value() []byte {
	var text []byte
	for _, part := range slices.Backward(slices.Sorted(maps.Keys(t))) {
		if len(text) > 0 {
			text = append(text, ' ')
		}
		text = append(strconv.AppendInt(text, part, 10), '=')
		text = strconv.AppendInt(text, int64(t[part]), 10)
	}
	return text
}

// readTally reads what stands in the state. What cannot be read counts nothing.
func readTally(value []byte) tally {
	t := tally{}
	for word := range strings.FieldsSeq(string(value)) {
		left, right, _ := strings.Cut(word, "=")
		part, err := strconv.ParseInt(left, 10, 64)
		n, failure := strconv.ParseUint(right, 10, 31)
		if err == nil && failure == nil {
			t[part] = int(n)
		}
	}
	return t
}
