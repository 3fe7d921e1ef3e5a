// Package state is what checks remember between messages: counters, marks and leases under keys
// with a lifetime.
//
// Every step that reads and writes is one atomic step of the store, so that several processes can share one
// store without locks of their own.
package state

import (
	"context"
	"time"
)

// Store keeps values under keys. Its methods may be called from any goroutine.
type Store interface {
	// Get returns the value under key, false when there is none.
	Get(ctx context.Context, key string) ([]byte, bool, error)
	// Put sets the value under key for that time; 0 keeps it until it is deleted.
	Put(ctx context.Context, key string, value []byte, lifetime time.Duration) error
	// Delete forgets the key.
	Delete(ctx context.Context, key string) error
	// Add adds n to the counter under key and returns its new value. The first addition starts the
	// lifetime, after which the counter is 0 again.
	Add(ctx context.Context, key string, n int64, lifetime time.Duration) (int64, error)
	// Acquire takes one of limit places under key, false when all are taken. Places and counters do not
	// share their keys.
	Acquire(ctx context.Context, key string, limit int) (Lease, bool, error)
	// Close ends the use of the store.
	Close() error
}

// Lease is one place that is held.
type Lease interface {
	// Release gives the place back. It never waits, and releasing twice is harmless.
	Release()
}
