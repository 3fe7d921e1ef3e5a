package policy

import (
	"context"
	"sync"
	"sync/atomic"

	"mailweir/internal/state"
)

// Entered holds what people have entered in one space of the state, for spaces that are small and asked about with every
// message. It hears of changes, on this host and on others, and while the state is out of reach it keeps what it knew last.
type Entered struct {
	world *Backends
	space string
	stale atomic.Bool
	known atomic.Pointer[map[string]state.Entry]
	turn  sync.Mutex // one reads, the others find it done
}

// entered are the spaces that are watched. They belong to the world, so that a reload forgets nothing.
type entered struct {
	mu     sync.Mutex
	spaces map[string]*Entered
}

// Entered returns what people have entered in a space. It lives and is watched as long as the world.
func (w *Backends) Entered(space string) *Entered {
	w.entered.mu.Lock()
	defer w.entered.mu.Unlock()
	if e := w.entered.spaces[space]; e != nil {
		return e
	}
	e := &Entered{world: w, space: space}
	e.stale.Store(true)
	w.State.Watch(state.Prefix(space), func(string) { e.stale.Store(true) })
	if w.entered.spaces == nil {
		w.entered.spaces = map[string]*Entered{}
	}
	w.entered.spaces[space] = e
	return e
}

// Stale reports whether something has changed since it was last read; then [Entered.Refresh] is due, which waits.
func (e *Entered) Stale() bool { return e.stale.Load() }

// enteredPage is how many entries are read at once.
const enteredPage = 1000

// Refresh reads the space if it has changed. After an error what was known stays, and it is still stale.
func (e *Entered) Refresh(ctx context.Context) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if !e.stale.Swap(false) {
		return nil
	}
	found := map[string]state.Entry{}
	for last := ""; ; {
		page, err := e.world.State.List(ctx, state.Prefix(e.space), last, enteredPage)
		if err != nil {
			e.stale.Store(true)
			return err
		}
		for _, entry := range page {
			found[entry.Key] = entry
			last = entry.Key
		}
		if len(page) < enteredPage {
			break
		}
	}
	e.known.Store(&found)
	return nil
}

// Find returns the entry under a key, as it was last known, if it has not ended since.
func (e *Entered) Find(key string) (state.Entry, bool) {
	known := e.known.Load()
	if known == nil {
		return state.Entry{}, false
	}
	entry, ok := (*known)[key]
	if ok && !entry.Until.IsZero() && !e.world.Clock().Before(entry.Until) {
		return state.Entry{}, false
	}
	return entry, ok
}
