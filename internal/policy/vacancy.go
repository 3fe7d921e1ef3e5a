package policy

import (
	"context"
	"sync/atomic"

	"mailweir/internal/state"
)

// Vacancy knows whether a space of entered things is empty. Most hosts use few of those that are asked about with every message, and
// then need not ask.
type Vacancy struct {
	world   *World
	space   string
	changes atomic.Uint64
	seen    atomic.Uint64 // how many changes there had been when it was last looked, and in the lowest bit: was it empty
}

// Vacancy returns that of a space. It lives and is watched as long as the world.
func (w *World) Vacancy(space string) *Vacancy {
	w.entered.mu.Lock()
	defer w.entered.mu.Unlock()
	if v := w.entered.vacancies[space]; v != nil {
		return v
	}
	v := &Vacancy{world: w, space: space}
	v.changes.Store(1)
	w.State.Watch(state.Prefix(space), func(string) { v.changes.Add(1) })
	if w.entered.vacancies == nil {
		w.entered.vacancies = map[string]*Vacancy{}
	}
	w.entered.vacancies[space] = v
	return v
}

// Vacant reports whether the space is empty. After a change it waits for the state; an error means that it could not tell.
func (v *Vacancy) Vacant(ctx context.Context) (bool, error) {
	now := v.changes.Load()
	if seen := v.seen.Load(); seen>>1 == now {
		return seen&1 == 1, nil
	}
	some, err := v.world.State.List(ctx, state.Prefix(v.space), "", 1)
	if err != nil {
		return false, err
	}
	seen := now << 1
	if len(some) == 0 {
		seen |= 1
	}
	v.seen.Store(seen)
	return len(some) == 0, nil
}
