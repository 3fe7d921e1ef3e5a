package dialog

import (
	"sync"

	"mailweir/test/testbed"
)

// pool keeps MTAs between dialogs: those of one configuration serve one dialog
// after another, and one at a time.
type pool struct {
	parent testbed.TB // MTAs live as long as its test

	mu   sync.Mutex
	idle map[poolKey][]*testbed.MTA
}

type poolKey struct {
	mta    string
	config testbed.MTAConfig
}

// take returns an idle MTA or starts one.
func (p *pool) take(tb testbed.TB, key poolKey) *testbed.MTA {
	tb.Helper()
	p.mu.Lock()
	idle := p.idle[key]
	if len(idle) > 0 {
		m := idle[len(idle)-1]
		p.idle[key] = idle[:len(idle)-1]
		p.mu.Unlock()
		return m
	}
	p.mu.Unlock()
	return testbed.StartMTA(lasting{TB: tb, parent: p.parent}, key.mta, key.config)
}

// give returns an MTA that has nothing left to do.
func (p *pool) give(key poolKey, m *testbed.MTA) {
	m.Sink.Clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[key] = append(p.idle[key], m)
}

// lasting is a test whose clean-up, and what may be said then, is its parent's.
type lasting struct {
	testbed.TB
	parent testbed.TB
}

func (l lasting) Cleanup(f func())                  { l.parent.Cleanup(f) }
func (l lasting) Errorf(format string, args ...any) { l.parent.Errorf(format, args...) }
