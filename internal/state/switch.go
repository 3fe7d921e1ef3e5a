package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Switch is a store of this process whose place another one takes while it is used: when a process
// hands what it remembers over to its successor. Whoever asks meanwhile waits, and sees no error of
// that. Places that are held and those who watch go with it.
type Switch struct {
	single

	mu     sync.Mutex
	store  Store
	using  int           // calls that are under way
	idle   chan struct{} // closed when using comes to 0; nil while nobody waits for that
	open   chan struct{} // closed when calls may begin again; nil while they may
	leases map[*switchLease]bool
	next   int
	all    map[int]*switchWatch
}

// adopter is a store that can go on with a place that was taken elsewhere, whatever the limit is.
type adopter interface{ adopt(key string) Lease }

// NewSwitch returns a switch that begins with a store.
func NewSwitch(s Store) *Switch {
	w := &Switch{store: s, leases: map[*switchLease]bool{}, all: map[int]*switchWatch{}}
	w.single.doer = w
	return w
}

// enter waits until the store may be used, and returns it. leave is due afterwards.
func (w *Switch) enter(ctx context.Context) (Store, error) {
	for {
		w.mu.Lock()
		open := w.open
		if open == nil {
			w.using++
			store := w.store
			w.mu.Unlock()
			return store, nil
		}
		w.mu.Unlock()
		select {
		case <-open:
		case <-ctx.Done():
			return nil, ctx.Err()
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

// quietWithin is how long an exchange waits for calls that are under way: a disk may be slow.
const quietWithin = 5 * time.Second

// ErrBusy is the error of an exchange that cannot begin: calls that are under way do not end.
var ErrBusy = errors.New("state: calls that are under way do not end")

// Exchange has replace give another store in the place of the one that is used, while nobody uses
// it. held are the keys of the places that are held, each as often as it is. The error is that of
// replace, which returns a store to go on with even then. An exchange that does not begin leaves
// everything as it is. Only one may be under way.
func (w *Switch) Exchange(replace func(was Store, held []string) (Store, error)) error {
	held, err := w.close()
	if err != nil {
		return err
	}
	was := w.store // nobody else exchanges it
	next, failed := replace(was, held)
	var missed []func(string)
	w.mu.Lock()
	if next != was {
		missed = w.take(next)
	}
	for lease := range w.leases {
		if lease.released { // meanwhile
			delete(w.leases, lease)
			lease.inner.Release()
		}
	}
	close(w.open)
	w.open = nil
	w.mu.Unlock()
	for _, changed := range missed {
		changed("")
	}
	return failed
}

// close keeps calls from beginning, waits for those that are under way, and returns the keys of
// what is held.
func (w *Switch) close() (held []string, err error) {
	w.mu.Lock()
	open := make(chan struct{})
	w.open = open
	var idle chan struct{}
	if w.using > 0 {
		idle = make(chan struct{})
		w.idle = idle
	}
	w.mu.Unlock()
	if idle != nil {
		timer := time.NewTimer(quietWithin)
		defer timer.Stop()
		select {
		case <-idle:
		case <-timer.C:
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.using == 0 {
		for lease := range w.leases {
			held = append(held, lease.key)
		}
		return held, nil
	}
	w.idle, w.open = nil, nil
	close(open)
	return nil, fmt.Errorf("%w within %v", ErrBusy, quietWithin)
}

// take goes on with another store, which gets what the old one had besides its rows. It returns
// those who may have missed changes. The caller has the lock.
func (w *Switch) take(next Store) (missed []func(string)) {
	w.store = next
	to, adopts := next.(adopter)
	for lease := range w.leases {
		lease.inner = nowhere{}
		if adopts {
			lease.inner = to.adopt(lease.key)
		}
	}
	for _, watch := range w.all {
		watch.stop()
		watch.stop = next.Watch(watch.prefix, watch.changed)
		missed = append(missed, watch.changed)
	}
	return missed
}

// Checkpoint writes everything to the disk now, if the store has one ([File.Checkpoint]).
func (w *Switch) Checkpoint() error {
	store, err := w.enter(context.Background())
	if err != nil {
		return err
	}
	defer w.leave()
	if file, is := store.(*File); is {
		return file.Checkpoint()
	}
	return nil
}

// Do does the steps.
func (w *Switch) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	store, err := w.enter(ctx)
	if err != nil {
		return Failed(steps, err)
	}
	defer w.leave()
	return store.Do(ctx, steps...)
}

// switchLease is a place that goes over to another store.
type switchLease struct {
	of  *Switch
	key string
	// What follows is under the lock of the switch.
	inner    Lease
	released bool
}

// Acquire takes one of limit places under key.
func (w *Switch) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	store, err := w.enter(ctx)
	if err != nil {
		return nil, false, err
	}
	defer w.leave()
	inner, ok, err := store.Acquire(ctx, key, limit)
	if !ok || err != nil {
		return nil, ok, err
	}
	return w.hold(key, inner), true, nil
}

// hold keeps a place. The caller is within a call.
func (w *Switch) hold(key string, inner Lease) Lease {
	lease := &switchLease{of: w, key: key, inner: inner}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases[lease] = true
	return lease
}

// adopt goes on with a place that was taken elsewhere.
func (w *Switch) adopt(key string) Lease {
	store, _ := w.enter(context.Background()) // it has no end
	defer w.leave()
	inner := Lease(nowhere{})
	if to, adopts := store.(adopter); adopts {
		inner = to.adopt(key)
	}
	return w.hold(key, inner)
}

// nowhere is a place of a store that counts none.
type nowhere struct{}

func (nowhere) Release() {}

// Release gives the place back, to the store that counts it by now. During an exchange that is done
// at its end.
func (l *switchLease) Release() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	switch {
	case l.released:
		return
	case l.of.open == nil:
		delete(l.of.leases, l)
		l.inner.Release()
	}
	l.released = true
}

// List returns entries in the order of keys.
func (w *Switch) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	store, err := w.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer w.leave()
	return store.List(ctx, prefix, after, limit)
}

// Ending returns what ends before that time.
func (w *Switch) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	store, err := w.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer w.leave()
	return store.Ending(ctx, space, before, limit)
}

type switchWatch struct {
	prefix  string
	changed func(string)
	stop    func()
}

// Watch calls changed with each key that an entered step changes.
func (w *Switch) Watch(prefix string, changed func(string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.next
	w.next++
	w.all[id] = &switchWatch{prefix, changed, w.store.Watch(prefix, changed)}
	return func() {
		w.mu.Lock()
		watch := w.all[id]
		delete(w.all, id)
		w.mu.Unlock()
		if watch != nil {
			watch.stop()
		}
	}
}

// Waits is false: a store of this process is in use, or for a while its successor's, which answers
// within microseconds.
func (w *Switch) Waits() bool { return false }

// Stats counts what the store holds.
func (w *Switch) Stats(ctx context.Context) (Stats, error) {
	store, err := w.enter(ctx)
	if err != nil {
		return Stats{}, err
	}
	defer w.leave()
	return store.Stats(ctx)
}

// Close closes the store.
func (w *Switch) Close() error {
	store, _ := w.enter(context.Background())
	defer w.leave()
	return store.Close()
}
