// Package connections bounds how many connections a server of HTTP holds.
package connections

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// Bound is how many there may be: the oldest makes room for a new one. So whoever holds many open
// keeps neither the scraper nor a browser out, as making the new one wait would.
type Bound struct {
	limit int
	mu    sync.Mutex
	open  []net.Conn // in the order in which they came
}

// NewBound returns a bound of so many connections.
func NewBound(limit int) *Bound { return &Bound{limit: limit} }

// Changed is told of every connection that comes or goes ([http.Server.ConnState]).
func (b *Bound) Changed(conn net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(b.open) >= b.limit {
			_ = b.open[0].Close() // the server sees it and tells of it
			b.open = slices.Delete(b.open, 0, 1)
		}
		b.open = append(b.open, conn)
	case http.StateClosed:
		if i := slices.Index(b.open, conn); i >= 0 {
			b.open = slices.Delete(b.open, i, i+1)
		}
	}
}
