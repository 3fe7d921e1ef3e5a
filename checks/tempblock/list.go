package tempblock

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// mirror is a copy of the temporary block list, at hand for every connection. It is read again at once when a person has changed
// the list, on whatever host, and every listAge for what the rules of other hosts have put there.
type mirror struct {
	store state.Store
	clock func() time.Time
	stop  func()
	// changes counts what people have changed, seen those that the copy has: whoever asks while it is being read waits for it.
	changes, seen atomic.Int64

	reading sync.Mutex // one reads, the others find it done

	mu   sync.RWMutex
	read time.Time // when the copy was made
	err  error     // why it could not be
	nets map[string]Entry
}

const (
	listAge     = 2 * time.Second
	listTimeout = 2 * time.Second
	listPage    = 1000
	// listMost bounds the copy. Whoever is beyond it is not turned away.
	listMost = 100_000
)

func newMirror(store state.Store, clock func() time.Time) *mirror {
	l := &mirror{store: store, clock: clock}
	l.changes.Store(1)
	l.stop = store.Watch(state.Prefix(listSpace), func(string) { l.changes.Add(1) })
	return l
}

func (l *mirror) close() { l.stop() }

// due reports whether the copy is to be read again, which takes waiting.
func (l *mirror) due() bool {
	if l.changes.Load() != l.seen.Load() {
		return true
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.clock().Sub(l.read) >= listAge
}

// refresh reads the list, if nobody else has meanwhile. What could not be read leaves the copy as it was.
func (l *mirror) refresh(ctx context.Context) {
	l.reading.Lock()
	defer l.reading.Unlock()
	if !l.due() {
		return
	}
	changes := l.changes.Load()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout) // it is for all, whoever hangs up
	defer cancel()
	entries, err := readList(ctx, l.store, listMost)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read, l.err = l.clock(), err
	l.seen.Store(changes)
	if err != nil {
		return
	}
	l.nets = make(map[string]Entry, len(entries))
	for _, e := range entries {
		l.nets[e.Net] = e
	}
}

// add puts an entry into the copy that was just put into the state.
func (l *mirror) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nets == nil {
		l.nets = map[string]Entry{}
	}
	if len(l.nets) < listMost {
		l.nets[e.Net] = e
	}
}

// find returns the entry of a net. It is an error when the net is not in the copy and the list could not be read.
func (l *mirror) find(net string) (Entry, bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	e, ok := l.nets[net]
	if ok && (e.Until.IsZero() || l.clock().Before(e.Until)) {
		return e, true, nil
	}
	return Entry{}, false, l.err
}

// readList reads at most that many entries.
func readList(ctx context.Context, store state.Store, most int) (list []Entry, err error) {
	for after := ""; len(list) < most; {
		page, err := store.List(ctx, state.Prefix(listSpace), after, min(listPage, most-len(list)))
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			if _, parts := state.Parts(row.Key); len(parts) == 1 {
				e := Entry{}
				_ = json.Unmarshal(row.Value, &e) // another hand's words change nothing about the block
				e.Net, e.Until = parts[0], row.Until
				list = append(list, e)
			}
			after = row.Key
		}
		if len(page) < listPage {
			break
		}
	}
	return list, nil
}

// List returns the temporary block list, at most 10,000 entries, in the order of their names.
func List(ctx context.Context, store state.Store) ([]Entry, error) {
	return readList(ctx, store, entry.MaxListed)
}

// Add puts a client on the list for that time, or with 0 until it is taken off. It takes the place of an entry that is
// there.
func Add(ctx context.Context, store state.Store, client netip.Addr, life time.Duration, by entry.Origin) error {
	by.Note = policy.Clean(by.Note)
	_, err := store.Do(ctx, state.Put(listKey(history.Net(client)), Entry{Origin: by}.value(), life).Entered())
	return err
}

// Remove takes a client off the list, and reports whether it was there. What was counted against it is forgotten, else its
// next offence would bring it back.
func Remove(ctx context.Context, store state.Store, client netip.Addr) (bool, error) {
	net := history.Net(client)
	counts, err := store.List(ctx, state.Prefix(countSpace, net), "", listPage)
	if err != nil {
		return false, err
	}
	steps := []state.Step{state.Delete(listKey(net)).Entered(), state.Delete(pastKey(net))}
	for _, row := range counts {
		steps = append(steps, state.Delete(row.Key))
	}
	results, err := store.Do(ctx, steps...)
	if err != nil {
		return false, err
	}
	return results[0].Done, nil
}
