package state

import (
	"strings"
	"sync"
)

// watchers are those who want to hear of entered changes.
type watchers struct {
	mu   sync.Mutex
	next int
	all  map[int]watcher
}

type watcher struct {
	prefix  string
	changed func(key string)
}

func (w *watchers) add(prefix string, changed func(string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[int]watcher{}
	}
	id := w.next
	w.next++
	w.all[id] = watcher{prefix, changed}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, id)
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
