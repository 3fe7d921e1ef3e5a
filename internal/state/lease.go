package state

import (
	"math"
	"sync"
)

// places counts the leases that this process holds.
type places struct {
	mu   sync.Mutex
	held map[string]int
}

// take takes one of limit places under key, nil when all are taken.
func (p *places) take(key string, limit int) Lease {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[key] >= limit {
		return nil
	}
	if p.held == nil {
		p.held = map[string]int{}
	}
	p.held[key]++
	return &place{from: p, key: key}
}

// adopt counts a place that was taken elsewhere, whatever the limit was.
func (p *places) adopt(key string) Lease { return p.take(key, math.MaxInt) }

func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, held := range p.held {
		n += held
	}
	return n
}

type place struct {
	from *places
	key  string
	once sync.Once
}

func (l *place) Release() {
	l.once.Do(func() {
		l.from.mu.Lock()
		defer l.from.mu.Unlock()
		if l.from.held[l.key]--; l.from.held[l.key] <= 0 {
			delete(l.from.held, l.key)
		}
	})
}

// adopt goes on with a place that another process has handed over.
func (f *File) adopt(key string) Lease { return f.places.adopt(key) }

func (m *Memory) adopt(key string) Lease { return m.places.adopt(key) }
