package policytest

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mailweir/internal/state"
)

// Fallible is a store whose reading can fail.
type Fallible struct {
	state.Store
	Down atomic.Bool
	But  string // a space that can be read all the same
}

// List fails while the store is down.
func (f *Fallible) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	if f.Down.Load() {
		return nil, state.ErrDown
	}
	return f.Store.List(ctx, prefix, after, limit)
}

// Do fails while the store is down.
func (f *Fallible) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	if space, _ := state.Parts(steps[0].Key()); f.Down.Load() && space != f.But {
		return state.Failed(steps, state.ErrDown)
	}
	return f.Store.Do(ctx, steps...)
}

// brokenStore is a store in which some spaces are unavailable.
type brokenStore struct {
	*state.Memory
	spaces []string
}

func (b brokenStore) down(key string) error {
	space, _, _ := strings.Cut(key, "|")
	if slices.Contains(b.spaces, space) {
		return state.ErrDown
	}
	return nil
}

func (b brokenStore) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	for _, step := range steps {
		if err := b.down(step.Key()); err != nil {
			return state.Failed(steps, err)
		}
	}
	return b.Memory.Do(ctx, steps...)
}

func (b brokenStore) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	if err := b.down(prefix); err != nil {
		return nil, err
	}
	return b.Memory.List(ctx, prefix, after, limit)
}

func (b brokenStore) Acquire(ctx context.Context, key string, limit int) (state.Lease, bool, error) {
	if err := b.down(key); err != nil {
		return nil, false, err
	}
	return b.Memory.Acquire(ctx, key, limit)
}

// Broken makes stores in which these spaces are unavailable, for HostOn.
func Broken(spaces ...string) func(clock func() time.Time) state.Store {
	return func(clock func() time.Time) state.Store {
		return brokenStore{state.NewMemory(clock, 1000), spaces}
	}
}
