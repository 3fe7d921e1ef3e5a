package contract

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/state"
)

func renew(t *testing.T, r *run) {
	s := state.Renew("a|k", []byte("one"), time.Hour, 10*time.Minute)
	again := state.Renew("a|k", []byte("two"), time.Hour, 10*time.Minute)
	r.done(true, s)
	r.clock.Move(10*time.Minute - time.Millisecond)
	if result := r.done(false, again); !result.Found || string(result.Value) != "one" {
		t.Errorf("what is there: %+v", result)
	}
	r.clock.Move(time.Millisecond)
	r.done(true, again)
	if result := r.step(state.Get("a|k")); string(result.Value) != "one" || !result.Until.Equal(r.clock.Now().Add(time.Hour)) {
		t.Errorf("renewed: %+v", result)
	}
	r.clock.Move(time.Hour)
	if result := r.done(true, again); result.Found {
		t.Errorf("what has ended is found: %+v", result)
	}
	r.want("a|k", "two")
	r.put("a|ever", "x", 0)
	r.done(false, state.Renew("a|ever", nil, time.Minute, 0))
	r.put("a|some", "x", time.Minute)
	r.done(true, state.Renew("a|some", nil, 0, time.Hour))
	if result := r.step(state.Get("a|some")); !result.Until.IsZero() {
		t.Errorf("what was made to stay ends at %v", result.Until)
	}
}

func tally(t *testing.T, r *run) {
	const span = 10 * time.Second // in parts of two
	count := func(done bool, sum, n, limit int64) {
		t.Helper()
		if result := r.done(done, state.Tally("a|n", n, limit, span)); result.N != sum {
			t.Errorf("the sum is %d, want %d", result.N, sum)
		}
	}
	count(true, 0, 0, 5)
	count(true, 3, 3, 5)
	r.clock.Move(2 * time.Second)
	count(true, 5, 2, 5)
	count(false, 5, 1, 5)
	count(true, 5, 0, 5)
	count(false, 5, 0, 4)
	r.clock.Move(10*time.Second - time.Millisecond)
	count(true, 6, 1, 6) // the first part counts still
	r.clock.Move(time.Millisecond)
	count(true, 3, 0, 6)
	r.clock.Move(2 * time.Second)
	count(true, 1, 0, 6)
	r.clock.Move(6 * time.Second)
	count(true, 1, 0, 6)
	r.clock.Move(2 * time.Second)
	count(true, 0, 0, 6)
	at := r.clock.Now().Add(-3 * time.Second)
	r.done(true, state.Tally("a|past", 2, math.MaxInt64, span).At(at))
	r.done(true, state.Tally("a|past", 4, math.MaxInt64, span).At(at.Add(-time.Hour))) // it counts no more
	r.clock.Move(6 * time.Second)
	if n := r.step(state.Tally("a|past", 0, 0, span)).N; n != 2 {
		t.Errorf("what was counted for an earlier time is %d, want 2", n)
	}
	r.clock.Move(2 * time.Second)
	if n := r.step(state.Tally("a|past", 0, 0, span)).N; n != 0 {
		t.Errorf("what was counted for an earlier time is %d at the end of its span", n)
	}
	r.put("a|text", "no tally 1=2 x=3 "+strconv.FormatInt(r.clock.Now().Unix()/2, 10)+"=7", time.Minute)
	if n := r.step(state.Tally("a|text", 1, 10, span)).N; n != 8 {
		t.Errorf("a tally that another hand has spoilt is %d, want the 7 that can be read and 1", n)
	}
}

func tallyTakesOff(t *testing.T, r *run) {
	const span = 10 * time.Second
	early := r.clock.Now()
	r.done(false, state.Tally("a|n", -1, 0, span).At(early))
	r.want("a|n", "")
	r.done(true, state.Tally("a|n", 3, 9, span))
	r.clock.Move(4 * time.Second)
	r.done(true, state.Tally("a|n", 2, 9, span))
	if n := r.done(true, state.Tally("a|n", -1, 0, span).At(early)).N; n != 4 {
		t.Errorf("without one: %d, want 4", n)
	}
	if n := r.done(true, state.Tally("a|n", -5, 0, span).At(early)).N; n != 2 {
		t.Errorf("without more than there were: %d, want 2", n)
	}
	r.done(false, state.Tally("a|n", -1, 0, span).At(early))
	if n := r.done(true, state.Tally("a|n", -1, 0, span)).N; n != 1 {
		t.Errorf("without one of now: %d, want 1", n)
	}
	results, err := r.Do(t.Context(), state.Tally("a|n", -1, 0, span), state.Tally("a|n", 5, 5, span))
	if err != nil || !results[1].Done || results[1].N != 5 {
		t.Errorf("to take off and add in one call: %+v, %v", results, err)
	}
}

func update(t *testing.T, r *run) {
	appended := func(hint state.Result, more string, life time.Duration) state.Step {
		return state.Update("a|k", hint, func(was state.Result) ([]byte, time.Duration) {
			return append(was.Value, more...), life
		})
	}
	if result := r.done(true, appended(state.Result{}, "a", time.Minute)); result.Found {
		t.Errorf("the first finds %+v", result)
	}
	r.want("a|k", "a")
	seen := r.step(state.Get("a|k"))
	if result := r.done(true, appended(state.Result{}, "b", time.Minute)); string(result.Value) != "a" {
		t.Errorf("the second finds %+v", result)
	}
	r.done(true, appended(seen, "c", time.Hour)) // a hint that is out of date
	r.clock.Move(time.Minute)
	r.want("a|k", "abc")
	r.done(true, appended(r.step(state.Get("a|k")), "d", time.Minute))
	stay := func(state.Result) ([]byte, time.Duration) { return nil, time.Hour }
	for _, hint := range []state.Result{{}, seen, r.step(state.Get("a|k"))} {
		if result := r.done(false, state.Update("a|k", hint, stay)); string(result.Value) != "abcd" || !result.Found {
			t.Errorf("what stays is %+v", result)
		}
	}
	r.want("a|k", "abcd")
	r.clock.Move(time.Minute)
	r.want("a|k", "")
	r.done(false, state.Update("a|k", seen, stay))
	r.done(true, state.Update("a|k", seen, func(state.Result) ([]byte, time.Duration) { return []byte{}, 0 }))
	r.done(true, state.Update("a|k", state.Result{Found: true}, func(was state.Result) ([]byte, time.Duration) {
		return fmt.Appendf(nil, "%v %q", was.Found, was.Value), 0
	}))
	r.want("a|k", `true ""`)
	huge := func(state.Result) ([]byte, time.Duration) { return make([]byte, 1<<20), 0 }
	if _, err := r.Do(t.Context(), state.Update("a|k", state.Result{}, huge)); err == nil || errors.Is(err, state.ErrDown) {
		t.Errorf("a huge value: %v", err)
	}
	r.want("a|k", `true ""`)
}

func updateRaces(t *testing.T, r *run) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				mark := fmt.Sprintf("%d.%d ", i, j)
				_, err := r.Do(t.Context(),
					state.Update("a|k", state.Result{}, func(was state.Result) ([]byte, time.Duration) {
						return append(was.Value, mark...), time.Hour
					}),
					state.Tally("a|n", 1, 100, time.Hour))
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	value, _, err := r.Get(t.Context(), "a|k")
	seen := map[string]bool{}
	for _, mark := range strings.Fields(string(value)) {
		seen[mark] = true
	}
	if err != nil || len(seen) != 160 || len(strings.Fields(string(value))) != 160 {
		t.Errorf("%d different updates of 160 are there, %v: %s", len(seen), err, value)
	}
	if n := r.step(state.Tally("a|n", 0, 0, time.Hour)).N; n != 100 {
		t.Errorf("%d are counted up to the limit of 100", n)
	}
}

// ownErrors: a step that is not possible takes no other with it.
func ownErrors(t *testing.T, r *run) {
	r.put("a|text", "word", time.Minute)
	results, err := r.Do(t.Context(),
		state.Put("a|before", []byte("x"), 0), state.Get(""), state.Add("a|text", 1, 0), state.Get("a|text"), state.Put("a|after", []byte("y"), 0))
	if err == nil || len(results) != 5 {
		t.Fatalf("%+v, %v", results, err)
	}
	for i, wrong := range []bool{false, true, true, false, false} {
		if (results[i].Err != nil) != wrong || wrong == results[i].Done {
			t.Errorf("step %d: %+v", i, results[i])
		}
	}
	if !errors.Is(err, results[1].Err) {
		t.Errorf("Do returns %v, want the first error: %v", err, results[1].Err)
	}
	r.want("a|before", "x")
	r.want("a|after", "y")
}
