package managed

import (
	"context"
	"sync"
	"sync/atomic"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// owners knows which recipients have run-time entries, so that the state is not asked about all
// others, whose mail does not depend on it then. It may know more than there are: whose entries are
// gone stays in it as long as the policy.
type owners struct {
	store state.Store
	stop  func()
	stale atomic.Bool // changes may have been missed

	mu    sync.RWMutex
	known bool // all have been read once
	names map[string]bool
	many  bool // too many to know them all
}

// mostOwners bounds the entries that are read, and the recipients that are known: some 10 MiB.
const mostOwners = 100_000

func newOwners(store state.Store) *owners {
	o := &owners{store: store, names: map[string]bool{}}
	o.stale.Store(true)
	o.stop = store.Watch(state.Prefix(space), o.changed)
	return o
}

func (o *owners) close() { o.stop() }

// changed hears of an entry, here or on another host; "" is that it may have missed some.
func (o *owners) changed(key string) {
	if key == "" {
		o.stale.Store(true)
		return
	}
	o.add(key)
}

func (o *owners) add(key string) {
	_, parts := state.Parts(key)
	if len(parts) != 2 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.names) >= mostOwners {
		o.many = true
		return
	}
	o.names[parts[0]] = true
}

// mayInclude reports whether one of these may have run-time entries, as far as is known.
func (o *owners) mayInclude(names []address.Address) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.stale.Load() || !o.known || o.many {
		return true
	}
	for _, name := range names {
		if o.names[name.Key()] {
			return true
		}
	}
	return false
}

func (o *owners) tick(ctx context.Context, _ func(*policy.Event)) { o.refresh(ctx) }

// ownersPage is how many entries are read at once.
const ownersPage = 1000

// refresh reads all entries if some may be unknown. After an error they still are.
func (o *owners) refresh(ctx context.Context) {
	if !o.stale.Load() {
		return
	}
	o.read(false)
	o.stale.Store(false) // what changes from here on is heard of
	last := ""
	for n := 0; n < mostOwners; n += ownersPage {
		page, err := o.store.List(ctx, state.Prefix(space), last, ownersPage)
		if err != nil {
			o.stale.Store(true)
			return
		}
		for _, entry := range page {
			o.add(entry.Key)
			last = entry.Key
		}
		if len(page) < ownersPage {
			o.read(true)
			return
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.many = true
}

// read notes whether all entries have been read.
func (o *owners) read(all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known = all
}
