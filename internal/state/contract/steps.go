package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/state"
)

func values(t *testing.T, r *run) {
	r.put("a|minute", "x", time.Minute)
	r.put("a|ever", "y", 0)
	r.put("a|empty", "", time.Minute)
	r.want("a|none", "")
	if result := r.step(state.Get("a|empty")); !result.Found || !result.Done || len(result.Value) != 0 {
		t.Errorf("an empty value reads as %+v", result)
	}
	if result := r.step(state.Get("a|minute")); !result.Until.Equal(r.clock.Now().Add(time.Minute)) {
		t.Errorf("ends at %v, want in a minute", result.Until)
	}
	if result := r.step(state.Get("a|ever")); !result.Until.IsZero() {
		t.Errorf("what has no end ends at %v", result.Until)
	}
	r.clock.Move(time.Minute - time.Millisecond)
	r.want("a|minute", "x")
	r.clock.Move(time.Millisecond)
	r.want("a|minute", "")
	r.done(false, state.Delete("a|minute"))
	r.clock.Move(10_000 * time.Hour)
	r.want("a|ever", "y")
	r.done(true, state.Delete("a|ever"))
	r.done(false, state.Delete("a|ever"))
	r.want("a|ever", "")
}

func renewal(_ *testing.T, r *run) {
	r.put("a|k", "x", time.Minute)
	r.put("a|k", "y", time.Hour)
	r.clock.Move(2 * time.Minute)
	r.put("a|other", "x", time.Minute) // may sweep
	r.want("a|k", "y")
	r.put("a|k", "z", time.Minute)
	r.clock.Move(2 * time.Minute)
	r.want("a|k", "")
}

// ended: the place of what has ended in the order of expiry does not take along what is written
// there.
func ended(_ *testing.T, r *run) {
	for i := range 40 { // in each bucket of a backend that has some
		r.put(state.Key("a", fmt.Sprint(i)), "old", time.Second)
	}
	r.clock.Move(time.Minute)
	for i := range 40 {
		r.put(state.Key("a", fmt.Sprint(i)), "new", 0)
	}
	for i := range 200 {
		r.put(state.Key("a", "other", fmt.Sprint(i)), "x", time.Hour) // each may sweep
	}
	r.sweep()
	for i := range 40 {
		r.want(state.Key("a", fmt.Sprint(i)), "new")
	}
}

func copied(_ *testing.T, r *run) {
	value := []byte("abc")
	r.done(true, state.Put("a|k", value, 0))
	value[0] = 'x'
	got, _, _ := r.Get(r.t.Context(), "a|k")
	if len(got) == 3 {
		got[1] = 'x'
	}
	r.want("a|k", "abc")
}

func firstSight(t *testing.T, r *run) {
	r.done(true, state.First("a|k", []byte("one"), time.Minute))
	result := r.done(false, state.First("a|k", []byte("two"), time.Hour))
	if !result.Found || string(result.Value) != "one" || !result.Until.Equal(r.clock.Now().Add(time.Minute)) {
		t.Errorf("the second sight finds %+v", result)
	}
	r.clock.Move(time.Minute)
	result = r.done(true, state.First("a|k", []byte("three"), time.Minute))
	if result.Found {
		t.Errorf("what has ended is found: %+v", result)
	}
	r.want("a|k", "three")
}

func swap(t *testing.T, r *run) {
	r.done(false, state.Swap("a|k", []byte("one"), []byte("two"), time.Minute))
	r.done(false, state.Swap("a|k", []byte{}, []byte("two"), time.Minute))
	r.put("a|k", "one", time.Minute)
	result := r.done(false, state.Swap("a|k", []byte("two"), []byte("three"), time.Minute))
	if string(result.Value) != "one" {
		t.Errorf("what is there instead: %+v", result)
	}
	r.done(true, state.Swap("a|k", []byte("one"), []byte("two"), time.Hour))
	r.clock.Move(time.Minute)
	r.want("a|k", "two")
	r.put("a|empty", "", time.Minute)
	r.done(true, state.Swap("a|empty", []byte{}, []byte("x"), time.Minute))
}

func counters(t *testing.T, r *run) {
	count := func(want int64, s state.Step) {
		t.Helper()
		if result := r.done(true, s); result.N != want {
			t.Errorf("%s is at %d, want %d", s.Key(), result.N, want)
		}
	}
	count(2, state.Add("a|n", 2, time.Minute))
	r.clock.Move(30 * time.Second)
	count(5, state.Add("a|n", 3, time.Minute))
	r.want("a|n", "5")
	r.clock.Move(30 * time.Second) // the first addition began the lifetime
	r.want("a|n", "")
	count(-1, state.Add("a|n", -1, time.Minute))
	r.put("a|text", "7", time.Minute)
	count(8, state.Add("a|text", 1, time.Minute))
	count(0, state.Add("a|zero", 0, time.Minute))
	const large = 1 << 52
	count(large, state.Add("a|large", large, time.Minute))
	count(large+1, state.Add("a|large", 1, time.Minute))
}

func touch(_ *testing.T, r *run) {
	r.done(false, state.Touch("a|k", time.Minute))
	r.put("a|k", "x", time.Minute)
	r.clock.Move(30 * time.Second)
	r.done(true, state.Touch("a|k", time.Minute))
	r.clock.Move(45 * time.Second)
	r.want("a|k", "x")
	r.done(true, state.Touch("a|k", time.Second))
	r.clock.Move(time.Second)
	r.want("a|k", "")
	r.done(false, state.Touch("a|k", time.Minute))
	r.put("a|k", "x", time.Minute)
	r.done(true, state.Touch("a|k", 0))
	r.clock.Move(time.Hour)
	r.want("a|k", "x")
}

// manySteps: one call does many, and steps on one key happen in order.
func manySteps(t *testing.T, r *run) {
	results, err := r.Do(t.Context(),
		state.Get("a|k"), state.First("a|k", []byte("x"), time.Minute), state.Get("a|k"),
		state.Add("b|n", 1, time.Minute), state.Add("b|n", 1, time.Minute),
		state.Delete("a|k"), state.Get("a|k"), state.Put("c|k", []byte("z"), 0))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, x := range results {
		fmt.Fprintf(&got, "%v %s %d;", x.Done, x.Value, x.N)
	}
	const want = "false  0;true  0;true x 0;true  1;true 1 2;true x 0;false  0;true  0;"
	if got.String() != want {
		t.Errorf("results are %s\nwant        %s", &got, want)
	}
	if results, err := r.Do(t.Context()); len(results) != 0 || err != nil {
		t.Errorf("no steps: %v, %v", results, err)
	}
}

func badSteps(t *testing.T, r *run) {
	r.put("a|text", "word", time.Minute)
	for name, step := range map[string]state.Step{
		"a counter of text": state.Add("a|text", 1, time.Minute),
		"no key":            state.Get(""),
		"a huge key":        state.Put(strings.Repeat("k", 5000), nil, 0),
		"a huge value":      state.Put("a|k", make([]byte, 1<<20), 0),
	} {
		if _, err := r.Do(t.Context(), step); err == nil || errors.Is(err, state.ErrDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.want("a|text", "word")
}

func keysOfAllKinds(t *testing.T, r *run) {
	for _, parts := range [][]string{
		{"192.0.2.0/24", "a@example.com", "b@example.net"},
		{"", ""},
		{"a|b", "%7C", "c%"},
		{"line\nend", "\x00", "ü@exämple.de", "{tag}"},
		{"*", "[a-z]", "\\"},
	} {
		key := state.Key("keys", parts...)
		r.put(key, key, time.Minute)
		r.want(key, key)
		space, back := state.Parts(key)
		if space != "keys" || strings.Join(back, "\x01") != strings.Join(parts, "\x01") {
			t.Errorf("%q reads as %q %q", key, space, back)
		}
		r.list(key, "", 10, key)
	}
	long := state.Key("keys", strings.Repeat("|", 1400), strings.Repeat("x", 5000), "b@example.net")
	r.put(long, "long", time.Minute)
	r.want(long, "long")
	r.list(state.Prefix("keys", strings.Repeat("|", 1400)), "", 10, long)
	r.acquire(long, 1, true).Release()
	r.put("plain", "x", 0)
	r.want("plain", "x")
}

func canceled(t *testing.T, r *run) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Do(ctx, state.Put("a|k", []byte("x"), 0).Entered()); err == nil {
		t.Error("a step is done after its context")
	}
	if _, _, err := r.Acquire(ctx, "a|k", 1); err == nil {
		t.Error("a place is taken after its context")
	}
	if _, err := r.List(ctx, "a|", "", 1); err == nil {
		t.Error("a list is read after its context")
	}
	r.put("a|k", "y", 0) // one caller's leaving is no fault of the store
	r.want("a|k", "y")
}

func concurrently(t *testing.T, r *run) {
	var all sync.WaitGroup
	var mu sync.Mutex
	firsts, below := 0, 0
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				results, err := r.Do(t.Context(),
					state.Add("a|n", 1, time.Hour),
					state.First(state.Key("a", fmt.Sprint(j)), []byte{byte(i)}, time.Hour),
					state.Tally("a|limited", 1, 30, time.Hour))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if results[1].Done {
					firsts++
				}
				if results[2].Done {
					below++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	r.want("a|n", "400")
	if firsts != 50 || below != 30 {
		t.Errorf("%d first sights of 50, %d of 30 within the limit", firsts, below)
	}
}
