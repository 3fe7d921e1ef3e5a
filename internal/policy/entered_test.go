package policy

import (
	"context"
	"errors"
	"testing"
	"time"

	"mailweir/internal/state"
)

// breakable is a store that can go out of reach.
type breakable struct {
	state.Store
	down bool
}

func (b *breakable) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	if b.down {
		return nil, state.ErrDown
	}
	return b.Store.List(ctx, prefix, after, limit)
}

func TestEntered(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store := &breakable{Store: state.NewMemory(clock, 5000)}
	w := &Backends{Clock: clock, State: store}
	ctx := t.Context()
	enter := func(key string, life time.Duration) {
		t.Helper()
		if _, err := store.Do(ctx, state.Put(state.Key("space", key), nil, life).Entered()); err != nil {
			t.Fatal(err)
		}
	}
	enter("a", time.Hour)
	e := w.Entered("space")
	if w.Entered("space") != e {
		t.Error("a second one for the same space")
	}
	want := func(key string, want bool) {
		t.Helper()
		if _, ok := e.Find(state.Key("space", key)); ok != want {
			t.Errorf("%s found: %t, want %t", key, ok, want)
		}
	}
	want("a", false) // not read yet
	refresh := func(fails bool) {
		t.Helper()
		if err := e.Refresh(ctx); errors.Is(err, state.ErrDown) != fails {
			t.Fatalf("refresh: %v", err)
		}
	}
	refresh(false)
	want("a", true)
	if e.Stale() {
		t.Error("stale though nothing has changed")
	}
	enter("b", 0)
	if !e.Stale() {
		t.Error("not stale after a change")
	}
	store.down = true
	refresh(true)
	want("a", true) // last known
	want("b", false)
	if !e.Stale() {
		t.Error("not stale after a failure")
	}
	store.down = false
	refresh(false)
	want("b", true)
	now = now.Add(time.Hour)
	want("a", false) // it has ended
	want("b", true)
	for i := range 2 * enteredPage {
		enter("many"+string(rune('A'+i%26))+string(rune('A'+i/26)), 0)
	}
	refresh(false)
	want("manyZ"+string(rune('A'+76)), false)
	want("many"+string(rune('A'+1999%26))+string(rune('A'+1999/26)), true)
}
