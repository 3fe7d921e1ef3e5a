package record

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Switch is a store whose place another one takes while it is used: when a process hands the record
// over to its successor. Meanwhile what is written waits, and all else is unavailable.
type Switch struct {
	mu    sync.Mutex
	store Store // nil while there is none
	using int
	idle  chan struct{} // closed when using comes to 0
	put   chan struct{} // closed by the next Put
}

// NewSwitch returns a switch that begins with a store, or with nil for none yet.
func NewSwitch(s Store) *Switch { return &Switch{store: s, put: make(chan struct{})} }

var errBetween = fmt.Errorf("%w: it is being handed over to another process", ErrUnavailable)

func (w *Switch) enter() (Store, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.store == nil {
		return nil, errBetween
	}
	w.using++
	return w.store, nil
}

// await enters once there is a store. An entry whose process ends now has no other chance.
func (w *Switch) await(ctx context.Context) (Store, error) {
	for {
		w.mu.Lock()
		put := w.put
		w.mu.Unlock()
		store, err := w.enter()
		if err == nil {
			return store, nil
		}
		select {
		case <-put:
		case <-ctx.Done():
			return nil, err
		}
	}
}

func (w *Switch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.using--; w.using == 0 && w.idle != nil {
		close(w.idle)
		w.idle = nil
	}
}

// quietWithin is how long [Switch.Take] waits for calls that are under way.
const quietWithin = 5 * time.Second

// Take takes the store out, once nobody uses it any more. If that does not come, all stays as it
// is.
func (w *Switch) Take() (Store, error) {
	w.mu.Lock()
	store, idle := w.store, make(chan struct{})
	if w.store = nil; w.using == 0 {
		close(idle)
	} else {
		w.idle = idle
	}
	w.mu.Unlock()
	timer := time.NewTimer(quietWithin)
	defer timer.Stop()
	select {
	case <-idle:
		return store, nil
	case <-timer.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.using == 0 {
		return store, nil
	}
	w.store, w.idle = store, nil
	return nil, fmt.Errorf("record: what is asked of it does not end within %v", quietWithin)
}

// Put puts another store in its place.
func (w *Switch) Put(s Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.store = s
	close(w.put)
	w.put = make(chan struct{})
}

// Write keeps entries and rows of the audit. Between two stores it waits for the second one.
func (w *Switch) Write(ctx context.Context, entries []Entry, changes []Change) error {
	store, err := w.await(ctx)
	if err != nil {
		return err
	}
	defer w.leave()
	return store.Write(ctx, entries, changes)
}

// Retain drops what is too old, or too much.
func (w *Switch) Retain(ctx context.Context, now time.Time) error {
	store, err := w.enter()
	if err != nil {
		return err
	}
	defer w.leave()
	return store.Retain(ctx, now)
}

// Delete takes out everything about an address.
func (w *Switch) Delete(ctx context.Context, address string) (int, error) {
	store, err := w.enter()
	if err != nil {
		return 0, err
	}
	defer w.leave()
	return store.Delete(ctx, address)
}

// Search returns a page of entries.
func (w *Switch) Search(ctx context.Context, q Query) (Page, error) {
	store, err := w.enter()
	if err != nil {
		return Page{}, err
	}
	defer w.leave()
	return store.Search(ctx, q)
}

// Counts sums the rollup.
func (w *Switch) Counts(ctx context.Context, since, until time.Time, bucket time.Duration) ([]Count, error) {
	store, err := w.enter()
	if err != nil {
		return nil, err
	}
	defer w.leave()
	return store.Counts(ctx, since, until, bucket)
}

// Changes returns rows of the audit.
func (w *Switch) Changes(ctx context.Context, q ChangeQuery) ([]Change, error) {
	store, err := w.enter()
	if err != nil {
		return nil, err
	}
	defer w.leave()
	return store.Changes(ctx, q)
}

// Extent says what is kept.
func (w *Switch) Extent(ctx context.Context) (Extent, error) {
	store, err := w.enter()
	if err != nil {
		return Extent{}, err
	}
	defer w.leave()
	return store.Extent(ctx)
}

// Close closes the store, if there is one.
func (w *Switch) Close() error {
	store, err := w.Take()
	if err != nil {
		return err
	}
	if store == nil {
		return nil
	}
	return store.Close()
}
