package state

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Step is one atomic thing that a store does to one key. [Get], [Put], [Delete], [First], [Swap],
// [Add], [Touch], [Renew], [Tally] and [Update] make them.
type Step struct {
	op       op
	key      string
	value    []byte
	old      []byte
	n, limit int64 // of Add and Tally
	lifetime time.Duration
	slack    time.Duration // of Renew
	span     time.Duration // of Tally
	at       int64         // instead of a lifetime: when it ends, as in row; of Tally: when it happened; 0 is now
	hint     Result        // of Update
	update   func(Result) ([]byte, time.Duration)
	entered  bool
}

type op byte

const (
	opGet op = iota
	opPut
	opDelete
	opSwap
	opAdd
	opTouch
	opRenew
	opTally
	opUpdate
)

// Result is what one step did and found.
type Result struct {
	// Err is why the step was not done, or why that is not known. An entered step whose entry is
	// not safe yet has all of its result and an error.
	Err error
	// Done says that the step did what its name says; of Get, that there is an entry.
	Done bool
	// Found says that there was a living entry before the step; Value and Until are what it held
	// then.
	Found bool
	Value []byte
	Until time.Time
	// N is what the counter stands at after Add, and the sum after Tally.
	N int64
}

// Get reads.
func Get(key string) Step { return Step{op: opGet, key: key} }

// Put sets the value for that time; 0 keeps it until it is deleted.
func Put(key string, value []byte, lifetime time.Duration) Step {
	return Step{op: opPut, key: key, value: value, lifetime: lifetime}
}

// PutUntil sets the value until that time; zero keeps it until it is deleted.
func PutUntil(key string, value []byte, until time.Time) Step {
	s := Step{op: opPut, key: key, value: value}
	if !until.IsZero() {
		s.at = until.UnixMilli()
	}
	return s
}

// Delete forgets the key; it is done if the key was there, so of several hosts one is told.
func Delete(key string) Step { return Step{op: opDelete, key: key} }

// First sets the value if there is none: Done means that this was the first sight, else the result
// has what was there, untouched.
func First(key string, value []byte, lifetime time.Duration) Step {
	return Swap(key, nil, value, lifetime)
}

// Swap sets the value if the present one is old (nil: there is none); else the result has what is
// there instead.
func Swap(key string, old, value []byte, lifetime time.Duration) Step {
	return Step{op: opSwap, key: key, old: old, value: value, lifetime: lifetime}
}

// Add adds n to a counter. The first addition starts its lifetime.
func Add(key string, n int64, lifetime time.Duration) Step {
	return Step{op: opAdd, key: key, n: n, lifetime: lifetime}
}

// Touch gives what is there a new lifetime from now; it is not done if nothing is there.
func Touch(key string, lifetime time.Duration) Step {
	return Step{op: opTouch, key: key, lifetime: lifetime}
}

// Renew sets the value if there is none. What is there keeps its value, and lives again as long as
// a new one if it has used up more of its lifetime than slack: so what is often seen is not often
// written. Done says that anything was written.
func Renew(key string, value []byte, lifetime, slack time.Duration) Step {
	return Step{op: opRenew, key: key, value: value, lifetime: lifetime, slack: slack}
}

// Entered returns the step as one that a person ordered: it is on disk before it is acknowledged,
// those who watch are told, and the entry that it leaves is not evicted.
func (s Step) Entered() Step {
	s.entered = true
	return s
}

// Key returns the key that the step is about.
func (s Step) Key() string { return s.key }

// maxValue bounds a value in octets.
const maxValue = 64 << 10

// check says what makes the step impossible for every store.
func (s Step) check() error {
	if s.key == "" || len(s.key) > maxKey {
		return fmt.Errorf("state: a key has 1 to %d octets, not %d", maxKey, len(s.key))
	}
	if len(s.value) > maxValue {
		return fmt.Errorf("state: the value of %s has %d octets; %d are allowed", s.key, len(s.value), maxValue)
	}
	return nil
}

// row is an entry as the backends keep it. A counter's value is its number in decimal.
type row struct {
	value   []byte
	until   int64 // Unix milliseconds; 0 is never
	entered bool
}

func (r row) alive(now int64) bool { return r.until == 0 || now < r.until }

// end is the row's place in the order of expiry: what has no end is last.
func (r row) end() int64 {
	if r.until == 0 {
		return math.MaxInt64
	}
	return r.until
}

func (r row) entry(key string) Entry {
	return Entry{Key: key, Value: bytes.Clone(r.value), Until: timeOf(r.until), Entered: r.entered}
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// effect is what a step makes of its row.
type effect byte

const (
	keeps effect = iota
	writes
	removes
)

// apply does a step to the row that is there (alive) and returns what becomes of it; after an error
// the row stays. The backends differ only in where rows are; the script for Redis says the same in
// Lua.
func (s Step) apply(was row, alive bool, now int64) (Result, row, effect, error) {
	var r Result
	if alive {
		r = Result{Found: true, Value: bytes.Clone(was.value), Until: timeOf(was.until)}
	}
	next := row{value: s.value, until: s.until(now), entered: s.entered}
	switch s.op {
	case opGet:
		r.Done = alive
		return r, was, keeps, nil
	case opPut:
		r.Done = true
		return r, next, writes, nil
	case opDelete:
		r.Done = alive
		return r, row{}, removes, nil
	case opSwap:
		r.Done = alive == (s.old != nil) && (!alive || bytes.Equal(was.value, s.old))
		if !r.Done {
			return r, was, keeps, nil
		}
		return r, next, writes, nil
	case opTouch:
		r.Done = alive
		if !alive {
			return r, was, keeps, nil
		}
		was.until, was.entered = next.until, was.entered || s.entered
		return r, was, writes, nil
	case opRenew:
		return s.renew(r, was, next)
	case opTally:
		return s.tally(r, was, now)
	case opUpdate:
		return s.change(r, was, now)
	default:
		return s.add(r, was, next)
	}
}

func (s Step) renew(r Result, was, next row) (Result, row, effect, error) {
	if !r.Found {
		r.Done = true
		return r, next, writes, nil
	}
	if was.until == 0 || next.until != 0 && was.until > next.until-s.slack.Milliseconds() {
		return r, was, keeps, nil
	}
	r.Done = true
	was.until, was.entered = next.until, was.entered || s.entered
	return r, was, writes, nil
}

func (s Step) add(r Result, was, next row) (Result, row, effect, error) {
	if r.Found {
		var err error
		if r.N, err = strconv.ParseInt(string(was.value), 10, 64); err != nil {
			return r, was, keeps, fmt.Errorf("state: %s holds no number to add to", s.key)
		}
		next.until, next.entered = was.until, was.entered || s.entered
	}
	r.Done = true
	r.N += s.n
	next.value = strconv.AppendInt(nil, r.N, 10)
	return r, next, writes, nil
}

func (s Step) until(now int64) int64 {
	if s.at != 0 || s.lifetime <= 0 {
		return s.at
	}
	return now + max(s.lifetime.Milliseconds(), 1)
}

// reads says that the step changes nothing.
func (s Step) reads() bool { return s.op == opGet || s.op == opTally && s.n == 0 }

// Failed returns what Do returns when none of the steps was done.
func Failed(steps []Step, err error) ([]Result, error) {
	results := make([]Result, len(steps))
	for i := range results {
		results[i].Err = err
	}
	return results, err
}

// firstError is the first of the steps' errors.
func firstError(results []Result) error {
	for i := range results {
		if results[i].Err != nil {
			return results[i].Err
		}
	}
	return nil
}

// enteredKeys returns the keys that the steps of a person changed.
func enteredKeys(steps []Step, results []Result) []string {
	var keys []string
	for i, s := range steps {
		if s.entered && !s.reads() && results[i].Done && results[i].Err == nil {
			keys = append(keys, s.key)
		}
	}
	return keys
}

// doer is the one method that the others are made of.
type doer interface {
	Do(ctx context.Context, steps ...Step) ([]Result, error)
}

// single gives a store the methods for one step.
type single struct{ doer doer }

func (o single) do(ctx context.Context, s Step) (Result, error) {
	results, err := o.doer.Do(ctx, s)
	if err != nil {
		return Result{Err: err}, err
	}
	return results[0], nil
}

// Get returns the value under key, false when there is none.
func (o single) Get(ctx context.Context, key string) ([]byte, bool, error) {
	r, err := o.do(ctx, Get(key))
	return r.Value, r.Found, err
}
