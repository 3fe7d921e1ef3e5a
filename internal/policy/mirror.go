package policy

import (
	"sync"

	"mailweir/internal/state"
)

// mirrors are the spaces of the state that are kept in memory. They belong to the backends, so that
// a reload forgets nothing.
type mirrors struct {
	mu  sync.Mutex
	all map[string]*state.Mirror
}

// Mirror returns the mirror of a space. It lives as long as the backends, and has the options of
// whoever asked first.
func (b *Backends) Mirror(options state.MirrorOptions) *state.Mirror {
	b.mirrors.mu.Lock()
	defer b.mirrors.mu.Unlock()
	m := b.mirrors.all[options.Space]
	if m == nil {
		m = state.NewMirror(b.State, b.Clock, options)
		if b.mirrors.all == nil {
			b.mirrors.all = map[string]*state.Mirror{}
		}
		b.mirrors.all[options.Space] = m
	}
	return m
}
