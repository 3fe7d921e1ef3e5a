// Package resource keeps what outlives a policy: connections, automata, tables. Policies hold what
// they use; what two of them name alike is one thing, so that a reload takes over what has not
// changed. It is closed when the last one lets it go.
package resource

import (
	"errors"
	"io"
	"sync"
)

// Pool is the resources in use. The zero Pool is empty and ready; it is safe for use by many at
// once.
type Pool struct {
	mu      sync.Mutex
	entries map[key]*entry
}

// key tells resources apart: by type, and among those of one type by name.
type key struct {
	kind any // a nil *T
	name string
}

type entry struct {
	users int
	ready chan struct{} // closed when it is open, or could not be opened
	value any
	err   error
}

// Holder is what one policy holds of a pool.
type Holder struct {
	pool     *Pool
	held     map[key]*entry
	released bool
}

// Hold returns a holder that holds nothing yet. It must be released.
func (p *Pool) Hold() *Holder { return &Holder{pool: p, held: map[key]*entry{}} }

// errReleased is the error of a holder that has been released.
var errReleased = errors.New("resource: the holder has been released")

// Get returns the T of that name, and opens it if nobody holds one. The name must tell all that
// open depends on: who changes a setting or a file asks for another name. A T with a method Close()
// error is closed by its last holder's Release. What could not be opened is tried again by the next
// one who asks.
func Get[T any](h *Holder, name string, open func() (T, error)) (value T, err error) {
	k := key{kind: (*T)(nil), name: name}
	e, first, err := h.take(k)
	if err != nil {
		return value, err
	}
	defer func() {
		if e.err != nil {
			h.drop(k, e)
		}
	}()
	if first {
		e.open(func() (any, error) { return open() })
	}
	if <-e.ready; e.err != nil {
		return value, e.err
	}
	return e.value.(T), nil
}

// take counts the holder among the entry's users; first says that it has to open it.
func (h *Holder) take(k key) (e *entry, first bool, err error) {
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.released {
		return nil, false, errReleased
	}
	if e = h.held[k]; e != nil {
		return e, false, nil
	}
	if e = p.entries[k]; e == nil {
		e, first = &entry{ready: make(chan struct{})}, true
		if p.entries == nil {
			p.entries = map[key]*entry{}
		}
		p.entries[k] = e
	}
	e.users++
	h.held[k] = e
	return e, first, nil
}

var errPanic = errors.New("resource: panic while it was opened")

// open runs outside the pool's lock, because it may take long.
func (e *entry) open(open func() (any, error)) {
	e.err = errPanic // unless open returns
	defer close(e.ready)
	e.value, e.err = open()
}

// drop forgets an entry that could not be opened.
func (h *Holder) drop(k key, e *entry) {
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.held[k] == e {
		delete(h.held, k)
	}
	if p.entries[k] == e {
		delete(p.entries, k)
	}
}

// Release lets everything go, and closes what nobody else holds. It may be called more than once.
func (h *Holder) Release() error {
	var last []*entry
	p := h.pool
	p.mu.Lock()
	for k, e := range h.held {
		if e.users--; e.users > 0 {
			continue
		}
		last = append(last, e)
		if p.entries[k] == e {
			delete(p.entries, k)
		}
	}
	h.held, h.released = nil, true
	p.mu.Unlock()
	var failed error
	for _, e := range last {
		<-e.ready
		if closer, ok := e.value.(io.Closer); ok && e.err == nil {
			failed = errors.Join(failed, closer.Close())
		}
	}
	return failed
}

// Len is how many resources are in use.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.entries)
}
