package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// overJSON is a view of a store whose questions and answers go through their JSON form, as between
// processes.
func overJSON(t *testing.T, base Store) *View {
	t.Helper()
	through := func(from, to any) {
		text, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal(text, to)
		}
		if err != nil {
			t.Error(err)
		}
	}
	return NewView(func(ctx context.Context, q Question) (a Answer, err error) {
		var asked Question
		through(q, &asked)
		said, err := asked.Answer(ctx, base)
		through(said, &a)
		return a, err
	})
}

func viewOf(base Store) *View {
	return NewView(func(ctx context.Context, q Question) (Answer, error) { return q.Answer(ctx, base) })
}

func TestViewReads(t *testing.T) {
	h := newHand()
	base := NewMemory(h.time, 10_000)
	ctx := t.Context()
	odd := Key("s", "a\xff\x00@example.com", "\xfe")
	if _, err := base.Do(ctx, Put(odd, []byte("\x00\xff"), time.Hour).Entered(), Add("s|n", 5, 0)); err != nil {
		t.Fatal(err)
	}
	v := overJSON(t, base)
	got, err := v.Do(ctx, Get("s|n"), Get("s|none"), Get(odd), Get("s|n"))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := base.Do(ctx, Get("s|n"), Get("s|none"), Get(odd), Get("s|n"))
	if fmt.Sprint(utc(got)) != fmt.Sprint(utc(want)) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if none, err := v.Do(ctx); len(none) != 0 || err != nil {
		t.Errorf("no steps: %v, %v", none, err)
	}
	ends, err := v.Ending(ctx, "s", h.time().Add(2*time.Hour), 10)
	if err != nil || len(ends) != 1 || ends[0].Key != odd || !ends[0].Entered || !ends[0].Until.Equal(h.time().Add(time.Hour)) {
		t.Errorf("ending: %+v, %v", ends, err)
	}
}

func utc(results []Result) []Result {
	for i := range results {
		results[i].Until = results[i].Until.UTC()
	}
	return results
}

// A list is whole however many rows it has, and however long they are.
func TestViewLists(t *testing.T) {
	base := NewMemory(newHand().time, 10_000)
	long := strings.Repeat("x", maxValue)
	for i := range 2500 {
		value := "x"
		if i < 70 {
			value = long
		}
		put(t, base, Key("s", fmt.Sprintf("%04d", i)), value, 0)
	}
	put(t, base, "t|x", "x", 0)
	v := viewOf(base)
	for _, limit := range []int{1, 70, 1000, 1001, 2500, 2501} {
		want, err := base.List(t.Context(), "s|", "s|0003", limit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.List(t.Context(), "s|", "s|0003", limit)
		same := slices.EqualFunc(got, want, func(a, b Entry) bool { return a.Key == b.Key && string(a.Value) == string(b.Value) })
		if err != nil || !same {
			t.Errorf("limit %d: %d entries, want %d; %v", limit, len(got), len(want), err)
		}
	}
}

func TestViewChangesNothing(t *testing.T) {
	base := NewMemory(newHand().time, 100)
	put(t, base, "s|k", "base", 0)
	v := viewOf(base)
	for _, s := range []Step{Put("s|k", nil, 0), Delete("s|k"), First("s|new", nil, 0), Swap("s|k", []byte("base"), nil, 0), Add("s|n", 1, 0), Touch("s|k", time.Hour), Put("s|k", nil, 0).Entered()} {
		if _, err := v.Do(t.Context(), Get("s|k"), s); !errors.Is(err, errView) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, _, err := v.Acquire(t.Context(), "s|k", 1); err == nil {
		t.Error("it takes a place")
	}
	c := NewCopy(v, newHand().time)
	put(t, c, "s|k", "own", 0)
	wantValue(t, c, "s|k", "own")
	wantValue(t, v, "s|k", "base")
	stats, _ := base.Stats(t.Context())
	if len(stats.Spaces) != 1 || stats.Spaces[0].Rows != 1 {
		t.Errorf("the base has %+v", stats)
	}
}

func TestViewBounds(t *testing.T) {
	base := NewMemory(newHand().time, 1000)
	var many []Step
	for i := range mostAsked + 1 {
		many = append(many, Get(fmt.Sprint("s|", i)))
	}
	for i := range 70 {
		put(t, base, fmt.Sprint("s|", i), strings.Repeat("x", maxValue), 0)
	}
	v := viewOf(base)
	for name, steps := range map[string][]Step{"keys": many, "octets": many[:70], "no key": {Get("")}} {
		if _, err := v.Do(t.Context(), steps...); err == nil {
			t.Errorf("too many %s: no error", name)
		}
	}
	for _, q := range []Question{{}, {Limit: 1}, {Prefix: []byte("s|")}, {Space: "s", Limit: -1}} {
		if a, err := q.Answer(t.Context(), base); err == nil {
			t.Errorf("%+v: %+v", q, a)
		}
	}
}

// A daemon that does not answer is a store unavailable, which no check takes for an empty one.
func TestViewOutOfReach(t *testing.T) {
	v := NewView(func(context.Context, Question) (Answer, error) { return Answer{}, errors.New("gone") })
	_, err := v.Do(t.Context(), Get("s|k"))
	_, listed := v.List(t.Context(), "s|", "", 1)
	_, ending := v.Ending(t.Context(), "s", time.Now(), 1)
	for _, err := range []error{err, listed, ending} {
		if !errors.Is(err, ErrDown) || !strings.Contains(err.Error(), "gone") {
			t.Errorf("error %v", err)
		}
	}
}
