package state

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a store that forgets everything with its process: for trials, tests, and hosts where
// that is enough. It is bounded: beyond the greatest number of keys of a space the one that ends
// first is forgotten.
type Memory struct {
	single
	clock func() time.Time
	limit int

	mu     sync.Mutex
	spaces map[string]*memorySpace

	watchers watchers
	places   places
}

// NewMemory returns an empty store that keeps at most limit keys in each space.
func NewMemory(clock func() time.Time, limit int) *Memory {
	m := &Memory{clock: clock, limit: limit, spaces: map[string]*memorySpace{}}
	m.single.doer = m
	return m
}

// Do does the steps; here they are atomic as a whole.
func (m *Memory) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return Failed(steps, err)
	}
	results := m.do(steps)
	m.watchers.tell(enteredKeys(steps, results)...)
	return results, firstError(results)
}

func (m *Memory) do(steps []Step) []Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock().UnixMilli()
	results := make([]Result, len(steps))
	for i, s := range steps {
		if err := s.check(); err != nil {
			results[i].Err = err
			continue
		}
		results[i] = m.step(s, now)
	}
	return results
}

func (m *Memory) step(s Step, now int64) Result {
	space := m.space(spaceOf(s.key))
	was, ok := space.rows[s.key]
	r, next, effect, err := s.apply(was, ok && was.alive(now), now)
	switch {
	case err != nil:
		return Result{Err: err}
	case effect == writes:
		next.value = append([]byte{}, next.value...)
		space.set(s.key, next, now)
	case effect == removes:
		delete(space.rows, s.key)
	}
	return r
}

func (m *Memory) space(name string) *memorySpace {
	s := m.spaces[name]
	if s == nil {
		s = &memorySpace{limit: m.limit, rows: map[string]row{}}
		m.spaces[name] = s
	}
	return s
}

// Acquire takes one of limit places under key.
func (m *Memory) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	lease := m.places.take(key, limit)
	return lease, lease != nil, nil
}

// List returns entries in the order of keys. Each call looks at all keys of the space.
func (m *Memory) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	space, ok := m.spaces[spaceOf(prefix)]
	if !ok {
		return nil, nil
	}
	now := m.clock().UnixMilli()
	var keys []string
	for key, r := range space.rows {
		if key > after && strings.HasPrefix(key, prefix) && r.alive(now) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return space.entries(keys[:min(len(keys), limit)]), nil
}

// Ending returns what ends before that time, soonest first.
func (m *Memory) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.spaces[space]
	if !ok {
		return nil, nil
	}
	keys := s.ending(before.UnixMilli(), m.clock().UnixMilli())
	return s.entries(keys[:min(len(keys), limit)]), nil
}

// Watch calls changed with each key that an entered step changes.
func (m *Memory) Watch(prefix string, changed func(string)) (stop func()) {
	return m.watchers.add(prefix, changed)
}

// Waits is false: everything is in memory.
func (m *Memory) Waits() bool { return false }

// Stats counts rows and evictions.
func (m *Memory) Stats(context.Context) (Stats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stats := Stats{Leases: m.places.count(), Notes: []string{"memory: forgets everything with the process"}}
	for name, s := range m.spaces {
		stats.Pending += len(s.rows)
		stats.Spaces = append(stats.Spaces, SpaceStats{Space: name, Rows: int64(len(s.rows)), Evicted: s.evicted})
	}
	sortSpaces(stats.Spaces)
	return stats, nil
}

// Close does nothing: what the store holds ends with the process.
func (m *Memory) Close() error { return nil }

func sortSpaces(spaces []SpaceStats) {
	slices.SortFunc(spaces, func(a, b SpaceStats) int { return strings.Compare(a.Space, b.Space) })
}
