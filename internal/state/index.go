package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Index is what is made of all entries of a mirror, for whoever looks them up by something else
// than whole keys. It is made again when they have changed. Entries that have ended stay in it
// until then: who looks one up looks at its end, too. What [Mirror.Add] has put there is not in it.
type Index[T any] struct {
	mirror *Mirror
	build  func([]Entry) T

	building sync.Mutex
	built    atomic.Pointer[built[T]]
	tired    atomic.Int64 // when nobody waits for the store again, in Unix nanoseconds
}

// built is an index, and of which reading it is.
type built[T any] struct {
	loads int
	what  T
}

// NewIndex returns an index of a mirror. build must not keep the slice.
func NewIndex[T any](m *Mirror, build func([]Entry) T) *Index[T] {
	return &Index[T]{mirror: m, build: build}
}

// ErrUnread says that a space has never been read, so that nothing is known of it.
var ErrUnread = errors.New("what stands in it is not known yet")

const (
	// indexPatience is how long it is waited to hear of changes before what is known counts.
	indexPatience = time.Second
	// indexRest is how long nobody waits again after that was in vain.
	indexRest = 2 * time.Second
)

// Latest returns the index, with all that people have changed so far. It waits for that no longer
// than a second, and returns what was known last then. The error is [ErrUnread], with the reason,
// where nothing ever was.
func (x *Index[T]) Latest(ctx context.Context) (T, error) {
	var why error
	if !x.mirror.Fresh() {
		why = x.refresh(ctx)
	}
	x.mirror.mu.RLock()
	loads := x.mirror.current.loads
	x.mirror.mu.RUnlock()
	if loads == 0 {
		var none T
		return none, unread(x.mirror.options.Space, why)
	}
	if b := x.built.Load(); b != nil && b.loads == loads {
		return b.what, nil
	}
	return x.rebuild(), nil
}

func unread(space string, why error) error {
	if why == nil {
		return fmt.Errorf("state %s: %w", space, ErrUnread)
	}
	return fmt.Errorf("state %s: %w: %w", space, ErrUnread, why)
}

func (x *Index[T]) refresh(ctx context.Context) error {
	m := x.mirror
	if !m.store.Waits() {
		return m.Refresh(ctx)
	}
	if m.clock().UnixNano() < x.tired.Load() {
		return ErrDown
	}
	ctx, cancel := context.WithTimeout(ctx, indexPatience)
	defer cancel()
	err := m.Refresh(ctx)
	if err != nil {
		x.tired.Store(m.clock().Add(indexRest).UnixNano())
	}
	return err
}

func (x *Index[T]) rebuild() T {
	x.building.Lock()
	defer x.building.Unlock()
	x.mirror.mu.RLock()
	entries, loads := x.mirror.current.entries, x.mirror.current.loads
	x.mirror.mu.RUnlock()
	if b := x.built.Load(); b != nil && b.loads == loads {
		return b.what
	}
	b := &built[T]{loads, x.build(entries)}
	x.built.Store(b)
	return b.what
}

// Fresh reports whether Latest does not wait.
func (x *Index[T]) Fresh() bool { return x.mirror.Fresh() }
