package state

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// Memory is a store that forgets everything with its process: for trials, tests, and hosts where that is enough.
// It is bounded: beyond the greatest number of keys the one that ends first is forgotten, and any where none ends.
type Memory struct {
	clock func() time.Time
	limit int

	mu      sync.Mutex
	entries map[string]entry
	ends    expiry
	leases  map[string]int
}

type entry struct {
	value []byte
	count int64
	until time.Time // zero: until it is deleted
}

func (e entry) alive(now time.Time) bool { return e.until.IsZero() || now.Before(e.until) }

// NewMemory returns an empty store that keeps at most limit keys.
func NewMemory(clock func() time.Time, limit int) *Memory {
	return &Memory{clock: clock, limit: limit, entries: map[string]entry{}, leases: map[string]int{}}
}

// Get returns the value under key. A counter reads as its number in decimal.
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.live(key)
	if !ok {
		return nil, false, nil
	}
	if e.value == nil {
		return strconv.AppendInt(nil, e.count, 10), true, nil
	}
	return append([]byte(nil), e.value...), true, nil
}

func (m *Memory) live(key string) (entry, bool) {
	e, ok := m.entries[key]
	return e, ok && e.alive(m.clock())
}

// Put sets the value under key.
func (m *Memory) Put(_ context.Context, key string, value []byte, lifetime time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(key, entry{value: append([]byte{}, value...), until: m.until(lifetime)})
	return nil
}

// Delete forgets the key.
func (m *Memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
	return nil
}

// Add adds n to the counter under key.
func (m *Memory) Add(_ context.Context, key string, n int64, lifetime time.Duration) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.live(key)
	if !ok {
		e = entry{until: m.until(lifetime)}
	}
	if e.value != nil { // a number that was put
		e.count, _ = strconv.ParseInt(string(e.value), 10, 64)
		e.value = nil
	}
	e.count += n
	m.set(key, e)
	return e.count, nil
}

func (m *Memory) until(lifetime time.Duration) time.Time {
	if lifetime <= 0 {
		return time.Time{}
	}
	return m.clock().Add(lifetime)
}

func (m *Memory) set(key string, e entry) {
	was, ok := m.entries[key]
	m.entries[key] = e
	if !e.until.IsZero() && !(ok && was.until.Equal(e.until)) {
		m.ends.push(key, e.until)
	}
	m.forget()
	m.forgetAny(key)
	if len(m.ends) > 2*len(m.entries)+64 {
		m.compact()
	}
}

// compact drops the places in the order of expiry that no longer count.
func (m *Memory) compact() {
	m.ends = m.ends[:0]
	for key, e := range m.entries {
		if !e.until.IsZero() {
			m.ends = append(m.ends, ending{key, e.until})
		}
	}
	m.ends.order()
}

// forget drops what has ended, and what ends first while there are too many keys. A key that was set anew stands in the order of
// expiry more than once; only its latest place counts.
func (m *Memory) forget() {
	now := m.clock()
	for len(m.ends) > 0 {
		first := m.ends[0]
		e, ok := m.entries[first.key]
		current := ok && e.until.Equal(first.until)
		if current && e.alive(now) && len(m.entries) <= m.limit {
			return
		}
		m.ends.pop()
		if current {
			delete(m.entries, first.key)
		}
	}
}

// forgetAny keeps the bound where keys without an end alone exceed it.
func (m *Memory) forgetAny(but string) {
	for key := range m.entries {
		if len(m.entries) <= m.limit {
			return
		}
		if key != but {
			delete(m.entries, key)
		}
	}
}

// Acquire takes one of limit places under key.
func (m *Memory) Acquire(_ context.Context, key string, limit int) (Lease, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leases[key] >= limit {
		return nil, false, nil
	}
	m.leases[key]++
	return &memoryLease{memory: m, key: key}, true, nil
}

// Close does nothing: what the store holds ends with the process.
func (m *Memory) Close() error { return nil }

type memoryLease struct {
	memory *Memory
	key    string
	once   sync.Once
}

func (l *memoryLease) Release() {
	l.once.Do(func() {
		l.memory.mu.Lock()
		defer l.memory.mu.Unlock()
		l.memory.leases[l.key]--
		if l.memory.leases[l.key] <= 0 {
			delete(l.memory.leases, l.key)
		}
	})
}
