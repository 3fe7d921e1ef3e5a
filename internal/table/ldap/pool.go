package ldap

import (
	"slices"
	"sync"
	"time"
)

const (
	// maxConnections is how many questions are asked at once, each on a connection of its own.
	maxConnections = 8
	// idleFor is how long a connection is kept that nobody uses: servers, and what stands between,
	// drop them sooner or later, and some do so in silence.
	idleFor = time.Minute
)

// pool keeps connections that are idle. The zero pool is empty.
type pool struct {
	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// take returns the connection that was used last, or nil.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := len(p.idle) - 1
		c := p.idle[last]
		p.idle = slices.Delete(p.idle, last, last+1)
		c.old.Stop()
		if !c.ldap.IsClosing() {
			return c
		}
		c.close()
	}
	return nil
}

// give takes a connection back.
func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxConnections {
		c.close()
		return
	}
	c.old = time.AfterFunc(idleFor, func() { p.drop(func(other *conn) bool { return other == c }) })
	p.idle = append(p.idle, c)
}

// drop closes the idle connections that are meant.
func (p *pool) drop(meant func(*conn) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		if !meant(c) {
			return false
		}
		c.old.Stop()
		c.close()
		return true
	})
}

// close closes them all, and those that are still in use when they come back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.drop(func(*conn) bool { return true })
}
