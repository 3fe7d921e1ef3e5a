package door

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// connections bounds how many there are: the oldest makes room for a new one. So whoever holds many
// open keeps nobody out, as making the new one wait would.
type connections struct {
	limit int
	mu    sync.Mutex
	open  []net.Conn // in the order in which they came
}

// changed is told of every connection that comes or goes.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(c.open) >= c.limit {
			_ = c.open[0].Close() // the server sees it and tells of it
			c.open = slices.Delete(c.open, 0, 1)
		}
		c.open = append(c.open, conn)
	case http.StateClosed:
		if i := slices.Index(c.open, conn); i >= 0 {
			c.open = slices.Delete(c.open, i, i+1)
		}
	}
}
