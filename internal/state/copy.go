package state

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// Copy reads through to a store and writes to itself, so that a decision can be tried without consequences.
type Copy struct {
	base Store
	own  *Memory

	mu      sync.Mutex
	deleted map[string]bool
}

// NewCopy returns a copy of base. Closing it leaves base open.
func NewCopy(base Store, clock func() time.Time) *Copy {
	return &Copy{base: base, own: NewMemory(clock, 100_000), deleted: map[string]bool{}}
}

// Get returns what was written here, else what the base has.
func (c *Copy) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if value, ok, err := c.own.Get(ctx, key); ok || err != nil {
		return value, ok, err
	}
	if c.isDeleted(key) {
		return nil, false, nil
	}
	return c.base.Get(ctx, key)
}

func (c *Copy) isDeleted(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deleted[key]
}

// Put sets the value here only.
func (c *Copy) Put(ctx context.Context, key string, value []byte, lifetime time.Duration) error {
	return c.own.Put(ctx, key, value, lifetime)
}

// Delete hides the key here only.
func (c *Copy) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	c.deleted[key] = true
	c.mu.Unlock()
	return c.own.Delete(ctx, key)
}

// Add counts here only, from where the base stands.
func (c *Copy) Add(ctx context.Context, key string, n int64, lifetime time.Duration) (int64, error) {
	if _, ok, _ := c.own.Get(ctx, key); !ok && !c.isDeleted(key) {
		value, ok, err := c.base.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		if ok {
			start, _ := strconv.ParseInt(string(value), 10, 64)
			n += start
		}
	}
	return c.own.Add(ctx, key, n, lifetime)
}

// Acquire always finds a place: a trial neither takes one from real mail nor learns who holds them.
func (c *Copy) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	return c.own.Acquire(ctx, key, limit)
}

// Close does nothing.
func (c *Copy) Close() error { return nil }
