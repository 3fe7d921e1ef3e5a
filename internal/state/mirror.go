package state

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mirror keeps the entries of one space in memory, for what is asked about with every message. It
// hears of what people enter, on this host and on others, and keeps what it knew last while the
// store is unavailable.
//
// A store that waits is read in the background as soon as something has changed. Who asks meanwhile
// waits for that, for going by what was there before a person's change would be wrong; nobody else
// ever waits.
type Mirror struct {
	store   Store
	clock   func() time.Time
	options MirrorOptions
	stop    func()

	mu      sync.RWMutex
	changes int            // that were heard of, and one for the beginning
	missed  int            // the last of them that was not heard of by key
	keys    map[string]int // of those that were, and are not read yet, with their number
	current image
	added   map[string]addition
	under   *refresh // way; nil when there is none
}

// MirrorOptions say what a mirror keeps.
type MirrorOptions struct {
	// Space is the name of the space.
	Space string
	// Most bounds the entries that are kept, in the order of their keys; 0 is 100,000.
	Most int
	// KeysOnly leaves the values out.
	KeysOnly bool
	// Every is how old the copy may be, for a space in which not only people change things. 0 is
	// any age.
	Every time.Duration
}

// image is what was read, and how much of the changes it has seen.
type image struct {
	entries []Entry // in the order of keys
	partial bool
	seen    int
	loads   int // that have succeeded, up to this one
	at      time.Time
	err     error // of the last reading; what was read before stays
}

// addition is an entry that this process has made since.
type addition struct {
	Entry
	after *refresh // which was under way then, and may have missed it
}

// refresh is one reading of the space.
type refresh struct {
	done chan struct{}
	err  error
}

// mirrorTimeout bounds one reading. It is for all who wait, whoever hangs up.
const mirrorTimeout = 5 * time.Second

// NewMirror returns a mirror, which is empty until it is first asked.
func NewMirror(store Store, clock func() time.Time, options MirrorOptions) *Mirror {
	if options.Most <= 0 {
		options.Most = 100_000
	}
	m := &Mirror{store: store, clock: clock, options: options, changes: 1, missed: 1, keys: map[string]int{}, added: map[string]addition{}}
	m.stop = store.Watch(Prefix(options.Space), m.changed)
	return m
}

// Close ends the watching.
func (m *Mirror) Close() { m.stop() }

// mostChanged bounds the keys of changes that are kept apart.
const mostChanged = 1000

func (m *Mirror) changed(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	if key == "" || len(m.keys) >= mostChanged {
		m.missed = m.changes
	} else {
		m.keys[key] = m.changes
	}
	if m.store.Waits() && m.current.seen > 0 { // else nobody has asked yet
		m.begin()
	}
}

// Fresh reports whether all that was changed so far is in the mirror. If not, [Mirror.Refresh] is
// due.
func (m *Mirror) Fresh() bool {
	m.mu.RLock()
	fresh, old := m.fresh()
	m.mu.RUnlock()
	if old && fresh {
		m.mu.Lock()
		m.begin()
		m.mu.Unlock()
	}
	return fresh
}

// fresh reports besides whether the copy is so old that it should be read again in the background.
// The first who comes after a long silence waits, and so does everyone where that takes no time.
func (m *Mirror) fresh() (fresh, old bool) {
	if m.current.seen != m.changes {
		return false, false
	}
	if m.options.Every <= 0 {
		return true, false
	}
	age := m.clock().Sub(m.current.at)
	old = age >= m.options.Every
	return !old || m.store.Waits() && age < 10*m.options.Every, old
}

// Refresh returns when the mirror is fresh, or says why it cannot be made so: then what was known
// last stays.
func (m *Mirror) Refresh(ctx context.Context) error {
	for {
		m.mu.Lock()
		if fresh, _ := m.fresh(); fresh {
			m.mu.Unlock()
			return nil
		}
		r := m.begin()
		m.mu.Unlock()
		select {
		case <-r.done:
			if r.err != nil {
				return r.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin begins a reading, unless one is under way. The caller has the lock, and loses it for a
// moment where reading takes no time.
func (m *Mirror) begin() *refresh {
	if m.under != nil {
		return m.under
	}
	r := &refresh{done: make(chan struct{})}
	m.under = r
	changes := m.changes
	if m.store.Waits() {
		go m.load(r, changes)
		return r
	}
	m.mu.Unlock()
	m.load(r, changes)
	m.mu.Lock()
	return r
}

// load reads the space, and has with it what was changed before it began.
func (m *Mirror) load(r *refresh, changes int) {
	ctx, cancel := context.WithTimeout(context.Background(), mirrorTimeout)
	defer cancel()
	next := image{seen: changes}
	for e, err := range All(ctx, m.store, Prefix(m.options.Space)) {
		if next.partial = len(next.entries) == m.options.Most; next.partial || err != nil {
			next.err = err
			break
		}
		if m.options.KeysOnly {
			e.Value = nil
		}
		next.entries = append(next.entries, e)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next.at = m.clock()
	if r.err = next.err; r.err != nil {
		m.current.at, m.current.err = next.at, next.err
	} else {
		next.loads = m.current.loads + 1
		m.current = next
		maps.DeleteFunc(m.added, func(_ string, a addition) bool { return a.after != r })
		maps.DeleteFunc(m.keys, func(_ string, change int) bool { return change <= changes })
	}
	m.under = nil
	close(r.done)
}

// ErrPartial says that there are more entries than a mirror keeps, so that only the store knows.
var ErrPartial = errors.New("state: there are more entries than are kept in memory")

// Find returns the living entry under a key, as far as is known. The error is why that may not be
// so: the key is not known, and it is one of those that are not kept ([ErrPartial]), or the space
// could not be read when it was last tried.
func (m *Mirror) Find(key string) (Entry, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if a, ok := m.added[key]; ok && m.lives(a.Entry) {
		return a.Entry, true, nil
	}
	if i, ok := m.search(key); ok && m.lives(m.current.entries[i]) {
		return m.current.entries[i], true, nil
	}
	if n := len(m.current.entries); m.current.partial && key > m.current.entries[n-1].Key {
		return Entry{}, false, ErrPartial
	}
	return Entry{}, false, m.current.err
}

// Has reports whether there is a living entry whose key begins so, as far as is known, or a change
// of one was heard of. It is not certain where there may be others: the space has not been read
// yet, or not whole, or changes may have been missed.
func (m *Mirror) Has(prefix string) (has, certain bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	certain = m.current.seen >= m.missed && !m.current.partial
	for key := range m.keys {
		if strings.HasPrefix(key, prefix) {
			return true, certain
		}
	}
	for key := range m.added {
		if strings.HasPrefix(key, prefix) {
			return true, certain
		}
	}
	i, _ := m.search(prefix)
	for ; i < len(m.current.entries) && strings.HasPrefix(m.current.entries[i].Key, prefix); i++ {
		if m.lives(m.current.entries[i]) {
			return true, certain
		}
	}
	return false, certain
}

// Add puts an entry into the mirror that this process has just put into the store, and that no
// person has entered: nobody else tells. There is room for as many as for what is read, which may
// be full already: an addition before the last key that is kept would else be taken not to be.
func (m *Mirror) Add(e Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.added) < m.options.Most {
		m.added[e.Key] = addition{e, m.under}
	}
}

func (m *Mirror) search(key string) (int, bool) {
	return slices.BinarySearchFunc(m.current.entries, key, func(e Entry, key string) int { return strings.Compare(e.Key, key) })
}

func (m *Mirror) lives(e Entry) bool { return e.Until.IsZero() || m.clock().Before(e.Until) }
