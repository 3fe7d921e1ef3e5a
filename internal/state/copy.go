package state

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// Copy reads through to a store and writes to itself, so that a decision can be tried without consequences. It keeps
// every key that is written, so it is for a trial and not for a service.
type Copy struct {
	base Store
	own  *Memory

	mu      sync.Mutex
	written map[string]bool // here, also if it was deleted or has ended since
}

// NewCopy returns a copy of base. Closing it leaves base open.
func NewCopy(base Store, clock func() time.Time) *Copy {
	return &Copy{base: base, own: NewMemory(clock, 100_000), written: map[string]bool{}}
}

// Get returns what was written here, else what the base has.
func (c *Copy) Get(ctx context.Context, key string) ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.written[key] {
		return c.own.Get(ctx, key)
	}
	return c.base.Get(ctx, key)
}

// Put sets the value here only.
func (c *Copy) Put(ctx context.Context, key string, value []byte, lifetime time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[key] = true
	return c.own.Put(ctx, key, value, lifetime)
}

// Delete hides the key here only.
func (c *Copy) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[key] = true
	return c.own.Delete(ctx, key)
}

// Add counts here only, from where the base stands.
func (c *Copy) Add(ctx context.Context, key string, n int64, lifetime time.Duration) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.written[key] {
		value, ok, err := c.base.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		if ok {
			start, _ := strconv.ParseInt(string(value), 10, 64)
			n += start
		}
		c.written[key] = true
	}
	return c.own.Add(ctx, key, n, lifetime)
}

// Acquire finds the places free that the base has given to real mail: a trial neither takes one from it nor learns who
// holds them.
func (c *Copy) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	return c.own.Acquire(ctx, key, limit)
}

// Close does nothing.
func (c *Copy) Close() error { return nil }
