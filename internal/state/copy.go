package state

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Copy reads through to a store and writes to itself, so that a decision can be tried without
// consequences.
type Copy struct {
	single
	base  Store
	own   *Memory
	clock func() time.Time

	mu      sync.Mutex
	written map[string]bool // keys whose truth is here
}

// copyRows bounds what one trial may write.
const copyRows = 100_000

// NewCopy returns a copy of base. Closing it leaves base open. What has ended by the copy's own
// clock is not there.
func NewCopy(base Store, clock func() time.Time) *Copy {
	c := &Copy{base: base, own: NewMemory(clock, copyRows), clock: clock, written: map[string]bool{}}
	c.single.doer = c
	return c
}

// Do reads from the base, in one round trip, what has not been written here, and does the steps
// here.
func (c *Copy) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ask []Step
	asked := map[string]int{}
	for _, s := range steps {
		if _, again := asked[s.key]; !again && !c.written[s.key] {
			asked[s.key] = len(ask)
			ask = append(ask, Get(s.key))
		}
	}
	var there []Result
	if len(ask) > 0 {
		there, _ = c.base.Do(ctx, ask...) // each step has its own error
	}
	results := make([]Result, len(steps))
	for j, s := range steps {
		var base Result
		if i, ok := asked[s.key]; ok && !c.ended(there[i].Until) {
			base = there[i]
		}
		results[j] = c.step(ctx, s, base)
	}
	return results, firstError(results)
}

// step does one step on what the base has, unless the key has been written here.
func (c *Copy) step(ctx context.Context, s Step, base Result) Result {
	if !c.written[s.key] {
		if base.Err != nil {
			return Result{Err: base.Err}
		}
		if s.reads() {
			return s.on(base, c.clock())
		}
		c.written[s.key] = true
		if base.Found {
			c.own.load(s.key, base)
		}
	}
	r, _ := c.own.single.do(ctx, s)
	return r
}

// on does a step that reads on what another one has found.
func (s Step) on(found Result, now time.Time) Result {
	r, _, _, err := s.apply(row{value: found.Value}, found.Found, now.UnixMilli())
	r.Until, r.Err = found.Until, err
	return r
}

// load takes over what another store has.
func (m *Memory) load(key string, found Result) {
	r := row{value: slices.Clone(found.Value)}
	if !found.Until.IsZero() {
		r.until = found.Until.UnixMilli()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.space(spaceOf(key)).set(key, r, m.clock().UnixMilli())
}

// Acquire always finds a place: a trial neither takes one from real mail nor learns who holds them.
func (c *Copy) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	return c.own.Acquire(ctx, key, limit)
}

// List shows the base's entries with what was done here.
func (c *Copy) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	own, err := c.own.List(ctx, prefix, after, limit)
	if err != nil {
		return nil, err
	}
	all, err := c.fromBase(limit, func(last Entry, page int) ([]Entry, error) {
		return c.base.List(ctx, prefix, max(after, last.Key), page)
	})
	if err != nil {
		return nil, err
	}
	all = append(all, own...)
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return all[:min(len(all), limit)], nil
}

// fromBase reads pages until there are limit entries that have not been written here, or no more.
func (c *Copy) fromBase(limit int, read func(last Entry, page int) ([]Entry, error)) ([]Entry, error) {
	var all []Entry
	var last Entry
	for len(all) < limit {
		page, err := read(last, limit)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if !c.isWritten(e.Key) && !c.ended(e.Until) {
				all = append(all, e)
			}
		}
		if len(page) < limit {
			break
		}
		last = page[len(page)-1]
	}
	return all, nil
}

func (c *Copy) ended(until time.Time) bool { return !until.IsZero() && !c.clock().Before(until) }

func (c *Copy) isWritten(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written[key]
}

// Ending shows what ends in the base and here.
func (c *Copy) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	own, err := c.own.Ending(ctx, space, before, limit)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	hidden := len(c.written)
	c.mu.Unlock()
	there, err := c.base.Ending(ctx, space, before, limit+hidden)
	if err != nil {
		return nil, err
	}
	all := own
	for _, e := range there {
		if !c.isWritten(e.Key) && !c.ended(e.Until) {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return a.Until.Compare(b.Until) })
	return all[:min(len(all), limit)], nil
}

// Watch tells of changes to the base and of those made here.
func (c *Copy) Watch(prefix string, changed func(string)) (stop func()) {
	stopBase, stopOwn := c.base.Watch(prefix, changed), c.own.Watch(prefix, changed)
	return func() { stopBase(); stopOwn() }
}

// Waits reports what the base does.
func (c *Copy) Waits() bool { return c.base.Waits() }

// Stats counts what the base holds.
func (c *Copy) Stats(ctx context.Context) (Stats, error) { return c.base.Stats(ctx) }

// Close does nothing.
func (c *Copy) Close() error { return nil }
