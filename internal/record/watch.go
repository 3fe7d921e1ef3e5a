package record

import (
	"context"
	"sync"
)

// watchEntries bounds what waits for one watch.
const watchEntries = 1000

// Watch gives what is committed to somebody who looks on. Whoever is too slow loses entries, the
// oldest first, and is told how many.
type Watch struct {
	sink *Sink

	mu      sync.Mutex
	entries []Entry
	lost    int
	over    bool
	more    chan struct{}
}

// Watch begins to look on; Close ends it.
func (s *Sink) Watch() *Watch {
	w := &Watch{sink: s, more: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		w.end()
	}
	s.watches[w] = true
	return w
}

// Next waits for entries and returns them in the order of their commits, and how many were lost
// before them. An error is the context's, or says that the record is closed.
func (w *Watch) Next(ctx context.Context) (entries []Entry, lost int, err error) {
	for {
		w.mu.Lock()
		entries, lost, over := w.entries, w.lost, w.over
		w.entries, w.lost = nil, 0
		w.mu.Unlock()
		switch {
		case len(entries) > 0:
			return entries, lost, nil
		case over:
			return nil, 0, errClosed
		}
		select {
		case <-w.more:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// Close ends the watch.
func (w *Watch) Close() {
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	delete(w.sink.watches, w)
}

func (w *Watch) push(entries []Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, entries...)
	if n := len(w.entries) - watchEntries; n > 0 {
		w.entries, w.lost = w.entries[n:], w.lost+n
	}
	w.tell()
}

func (w *Watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.tell()
}

func (w *Watch) tell() {
	select {
	case w.more <- struct{}{}:
	default:
	}
}
