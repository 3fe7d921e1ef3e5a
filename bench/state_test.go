package main

import (
	"path/filepath"
	"testing"

	"mailweir/internal/state"
)

// What is filled is what greylisting looks for, and what is new is not there.
func TestTripletsAsGreylistingKeepsThem(t *testing.T) {
	dir := t.TempDir()
	const rows = 2000
	if err := fillState(dir, rows); err != nil {
		t.Fatal(err)
	}
	if err := fillState(dir, rows); err != nil {
		t.Fatalf("again: %v", err)
	}
	if err := fillState(dir, rows+1); err == nil {
		t.Error("another number of triplets is no error")
	}
	copied := filepath.Join(dir, "copy")
	if err := copyState(dir, copied); err != nil {
		t.Fatal(err)
	}
	store, err := openState(copied, rows)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p, err := openPolicy(store, greylistingAlone()...)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newTriplet(7)
	for _, c := range []struct {
		name  string
		t     triplet
		waits bool
	}{{"known", knownTriplet(0), false}, {"last", knownTriplet(rows - 1), false}, {"new", stranger, true}} {
		if _, waits, err := p.decide(c.t); err != nil || waits != c.waits {
			t.Errorf("%s: waits %v, %v", c.name, waits, err)
		}
	}
	p.close() // all is learned
	r, err := store.Do(t.Context(), state.Get(stranger.pendingKey()))
	if err != nil || !r[0].Found {
		t.Errorf("%s is not there: %v", stranger.pendingKey(), err)
	}
}
