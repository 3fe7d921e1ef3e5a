package state

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Question asks a store for what it holds and can ask for nothing else: for keys, for what begins
// with a prefix, or for what ends. Its JSON form goes from one process to the one that holds the
// store. Keys are octets, for untrusted clients chose parts of them.
type Question struct {
	Keys [][]byte `json:"keys,omitempty"` // as Get

	Prefix []byte `json:"prefix,omitempty"` // as List
	After  []byte `json:"after,omitempty"`

	Space  string    `json:"space,omitempty"` // as Ending
	Before time.Time `json:"before,omitzero"`

	Limit int `json:"limit,omitempty"`
}

// Answer is what a store holds of what a question asks for: for keys, those that are there.
type Answer struct {
	Rows []AnswerRow `json:"rows,omitempty"`
	// More says that a bound of ours ended the list, and not the limit of the question.
	More bool `json:"more,omitempty"`
}

// AnswerRow is one row of an answer.
type AnswerRow struct {
	Key     []byte    `json:"key"`
	Value   []byte    `json:"value,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Entered bool      `json:"entered,omitempty"`
}

// The bounds of one question and its answer.
const (
	mostAsked  = 1000    // keys and rows
	mostOctets = 4 << 20 // of values
)

// Answer asks the store.
func (q Question) Answer(ctx context.Context, s Store) (Answer, error) {
	switch {
	case len(q.Keys) > mostAsked:
		return Answer{}, fmt.Errorf("state: a question is about %d keys at most, not %d", mostAsked, len(q.Keys))
	case len(q.Keys) > 0:
		return q.get(ctx, s)
	case q.Limit < 1:
		return Answer{}, errors.New("state: a question for a list has a limit of at least 1")
	case q.Space != "":
		entries, err := s.Ending(ctx, q.Space, q.Before, min(q.Limit, mostAsked))
		return answerOf(entries), err
	case len(q.Prefix) > 0:
		limit := min(q.Limit, mostAsked)
		entries, err := s.List(ctx, string(q.Prefix), string(q.After), limit)
		a := answerOf(entries)
		a.More = a.More || limit < q.Limit && len(entries) == limit
		return a, err
	}
	return Answer{}, errors.New("state: the question asks for nothing")
}

func (q Question) get(ctx context.Context, s Store) (Answer, error) {
	steps := make([]Step, 0, len(q.Keys))
	for _, key := range q.Keys {
		steps = append(steps, Get(string(key)))
	}
	results, err := s.Do(ctx, steps...)
	if err != nil {
		return Answer{}, err
	}
	var entries []Entry
	for i, r := range results {
		if r.Found {
			entries = append(entries, Entry{Key: steps[i].key, Value: r.Value, Until: r.Until})
		}
	}
	a := answerOf(entries)
	if a.More {
		return Answer{}, fmt.Errorf("state: the values of these keys have more than %d octets", mostOctets)
	}
	return a, nil
}

func answerOf(entries []Entry) (a Answer) {
	octets := 0
	for _, e := range entries {
		if octets += len(e.Value); octets > mostOctets {
			a.More = true
			break
		}
		a.Rows = append(a.Rows, AnswerRow{Key: []byte(e.Key), Value: e.Value, Until: e.Until, Entered: e.Entered})
	}
	return a
}

// View reads what another process holds. It changes nothing, here or there: a [Copy] of it can be
// tried with.
type View struct {
	single
	ask func(context.Context, Question) (Answer, error)
}

// NewView returns a view of the store whose owner answers ask.
func NewView(ask func(context.Context, Question) (Answer, error)) *View {
	v := &View{ask: ask}
	v.single.doer = v
	return v
}

var errView = errors.New("state: what another process holds is read here and not changed")

// question asks the owner. Whatever keeps it from answering, its state is unavailable.
func (v *View) question(ctx context.Context, q Question) (Answer, error) {
	a, err := v.ask(ctx, q)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrDown, err)
	}
	return a, nil
}

// Do does steps that read; any other is an error, and then nothing is asked.
func (v *View) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	var q Question
	for _, s := range steps {
		if err := s.check(); err != nil {
			return Failed(steps, err)
		}
		if !s.reads() {
			return Failed(steps, errView)
		}
		q.Keys = append(q.Keys, []byte(s.key))
	}
	results := make([]Result, len(steps))
	if len(steps) == 0 {
		return results, nil
	}
	a, err := v.question(ctx, q)
	if err != nil {
		return Failed(steps, err)
	}
	found := make(map[string]AnswerRow, len(a.Rows))
	for _, row := range a.Rows {
		found[string(row.Key)] = row
	}
	now := time.Now() // the owner has left out what has ended
	for i, s := range steps {
		row, ok := found[s.key]
		results[i] = s.on(Result{Found: ok, Value: row.Value, Until: row.Until}, now)
	}
	return results, firstError(results)
}

// List asks for one part after the other.
func (v *View) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	var all []Entry
	for len(all) < limit {
		a, err := v.question(ctx, Question{Prefix: []byte(prefix), After: []byte(after), Limit: limit - len(all)})
		if err != nil {
			return nil, err
		}
		all = append(all, a.entries()...)
		if !a.More || len(a.Rows) == 0 {
			break
		}
		after = all[len(all)-1].Key
	}
	return all, nil
}

// Ending shows at most 1,000 entries.
func (v *View) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	a, err := v.question(ctx, Question{Space: space, Before: before, Limit: limit})
	return a.entries(), err
}

func (a Answer) entries() []Entry {
	entries := make([]Entry, 0, len(a.Rows))
	for _, row := range a.Rows {
		entries = append(entries, Entry{Key: string(row.Key), Value: row.Value, Until: row.Until, Entered: row.Entered})
	}
	return entries
}

// Acquire takes no place: that would be a change.
func (v *View) Acquire(context.Context, string, int) (Lease, bool, error) { return nil, false, errView }

// Watch tells of nothing: whoever looks at a view does not look for long.
func (v *View) Watch(string, func(string)) (stop func()) { return func() {} }

// Waits is true: another process is asked.
func (v *View) Waits() bool { return true }

// Stats counts nothing; the owner's own command does.
func (v *View) Stats(context.Context) (Stats, error) { return Stats{}, errView }

// Close does nothing.
func (v *View) Close() error { return nil }
