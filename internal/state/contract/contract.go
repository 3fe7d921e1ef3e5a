// Package contract is what every store must do, as a test suite. Each backend runs it against the
// real thing.
package contract

import (
	"sync"
	"testing"
	"time"

	"mailweir/internal/state"
)

// Clock stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Suite says how the stores that are tried are made.
type Suite struct {
	// Open returns an empty store that keeps at most rows rows in a space and is closed with the
	// test.
	Open func(t *testing.T, clock *Clock, rows int) state.Store
	// Slack is how many rows beyond a bound the backend may keep.
	Slack int
	// Sweep, if not nil, makes the store sweep now.
	Sweep func(state.Store) error
	// Trial says that places are not shared with the base (a copy).
	Trial bool
}

// many is more rows than any test of the suite writes.
const many = 100_000

// Run runs the suite.
func Run(t *testing.T, suite Suite) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *run)
	}{
		{"values live and end", values},
		{"a new value has a new lifetime", renewal},
		{"what has ended makes room for what stays", ended},
		{"values are copied", copied},
		{"first sight", firstSight},
		{"swap", swap},
		{"counters", counters},
		{"touch", touch},
		{"many steps at once", manySteps},
		{"renew", renew},
		{"tally", tally},
		{"tally takes off", tallyTakesOff},
		{"update", update},
		{"many updates at once", updateRaces},
		{"bad steps", badSteps},
		{"what is wrong with a step is its own", ownErrors},
		{"as the model", asModel},
		{"keys of all kinds", keysOfAllKinds},
		{"places", places},
		{"list in pages", listInPages},
		{"list leaves out what ended", listLive},
		{"ending in order", ending},
		{"only one takes what ends", takeOnce},
		{"watch", watch},
		{"bounded", bounded},
		{"entered rows stay", enteredStay},
		{"many at once", concurrently},
		{"a context that is over", canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := NewClock()
			test.run(t, &run{t: t, suite: suite, clock: clock, Store: suite.Open(t, clock, many)})
		})
	}
}

// run is one test of the suite with its store.
type run struct {
	t     *testing.T
	suite Suite
	clock *Clock
	state.Store
}

func (r *run) want(key, want string) {
	r.t.Helper()
	value, ok, err := r.Get(r.t.Context(), key)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := string(value); ok != (want != "") || got != want {
		r.t.Errorf("%s is %q, %v; want %q", key, got, ok, want)
	}
}

func (r *run) put(key, value string, lifetime time.Duration) {
	r.t.Helper()
	r.done(true, state.Put(key, []byte(value), lifetime))
}

// step does one step and returns its result.
func (r *run) step(s state.Step) state.Result {
	r.t.Helper()
	results, err := r.Do(r.t.Context(), s)
	if err != nil {
		r.t.Fatal(err)
	}
	return results[0]
}

// done does one step, which must or must not be done.
func (r *run) done(want bool, s state.Step) state.Result {
	r.t.Helper()
	result := r.step(s)
	if result.Done != want {
		r.t.Errorf("a step on %s: done %v, want %v", s.Key(), result.Done, want)
	}
	return result
}

func (r *run) acquire(key string, limit int, want bool) state.Lease {
	r.t.Helper()
	lease, ok, err := r.Acquire(r.t.Context(), key, limit)
	if err != nil || ok != want {
		r.t.Fatalf("a place under %s: %v, %v; want %v", key, ok, err, want)
	}
	return lease
}

func (r *run) list(prefix, after string, limit int, want ...string) {
	r.t.Helper()
	entries, err := r.List(r.t.Context(), prefix, after, limit)
	if err != nil {
		r.t.Fatal(err)
	}
	r.keys("list of "+prefix, entries, want)
}

func (r *run) ending(space string, before time.Time, limit int, want ...string) []state.Entry {
	r.t.Helper()
	entries, err := r.Ending(r.t.Context(), space, before, limit)
	if err != nil {
		r.t.Fatal(err)
	}
	r.keys("what ends in "+space, entries, want)
	return entries
}

func (r *run) keys(what string, entries []state.Entry, want []string) {
	r.t.Helper()
	got := make([]string, len(entries))
	for i, e := range entries {
		got[i] = e.Key
	}
	if len(got) != len(want) {
		r.t.Fatalf("%s: %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			r.t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
}
