package callforward

import (
	"slices"
	"sync"
	"time"

	"mailweir/internal/backend"
)

// idleFor is how long a connection is used: after that it may speak of what is no longer so. The
// process behind it has read Postfix's tables when the connection began, and knows no mailbox that
// has been made since.
const idleFor = 10 * time.Second

// idle are the connections that wait for a question, the last one used on top. The zero value is
// ready.
type idle struct {
	mu      sync.Mutex
	conns   []*conn
	renewed time.Time // those that are older are not kept
	closed  bool
}

// put keeps a connection for a while.
func (i *idle) put(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	left := idleFor - time.Since(c.opened)
	if i.closed || left <= 0 || c.opened.Before(i.renewed) {
		c.quit()
		return
	}
	i.conns = append(i.conns, c)
	c.expire = time.AfterFunc(left, func() {
		if i.remove(c) {
			c.quit()
		}
	})
}

func (i *idle) remove(c *conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := slices.Index(i.conns, c)
	if n >= 0 {
		i.conns = slices.Delete(i.conns, n, n+1)
	}
	return n >= 0
}

// take returns a connection on which the server has said nothing since, nil if there is none:
// whatever it says unasked is not the answer to the next question.
func (i *idle) take() *conn {
	for c := i.pop(); c != nil; c = i.pop() {
		if backend.Quiet(c.raw) {
			return c
		}
		c.close()
	}
	return nil
}

func (i *idle) pop() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.conns)
	if n == 0 {
		return nil
	}
	c := i.conns[n-1]
	i.conns = i.conns[:n-1]
	c.expire.Stop()
	return c
}

// renew gives up the connections that there are, those in use when they are free.
func (i *idle) renew() {
	i.mu.Lock()
	i.renewed = time.Now()
	i.mu.Unlock()
	for c := i.pop(); c != nil; c = i.pop() {
		c.quit()
	}
}

// close gives all connections up.
func (i *idle) close() {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	for c := i.pop(); c != nil; c = i.pop() {
		c.quit()
	}
}
