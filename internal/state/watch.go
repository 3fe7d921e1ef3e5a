package state

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// watchers are those who want to hear of entered changes.
type watchers struct {
	mu   sync.Mutex
	next int
	all  map[int]watcher
	// live says that what other hosts enter has been heard of.
	live bool
}

type watcher struct {
	prefix  string
	changed func(key string)
}

// add also tells whoever comes when changes of other hosts are heard of already: what happened
// before may have been missed.
func (w *watchers) add(prefix string, changed func(string)) (stop func()) {
	id, live := w.join(watcher{prefix, changed})
	if live {
		changed("")
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, id)
	}
}

func (w *watchers) join(one watcher) (id int, live bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[int]watcher{}
	}
	id = w.next
	w.next++
	w.all[id] = one
	return id, w.live
}

// listens is told each time that changes of other hosts are heard of from now on.
func (w *watchers) listens() {
	w.mu.Lock()
	w.live = true
	all := slices.Collect(maps.Values(w.all))
	w.mu.Unlock()
	for _, to := range all {
		to.changed("")
	}
}

// tell calls those whose prefix a key has; the empty key is for all. They are called without the
// lock: they may watch, list and stop.
func (w *watchers) tell(keys ...string) {
	for _, key := range keys {
		for _, to := range w.listening(key) {
			to.changed(key)
		}
	}
}

func (w *watchers) listening(key string) []watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	var to []watcher
	for _, x := range w.all {
		if key == "" || strings.HasPrefix(key, x.prefix) {
			to = append(to, x)
		}
	}
	return to
}
