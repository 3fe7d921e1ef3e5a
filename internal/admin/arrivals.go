package admin

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// arrivals are connections on which no request has been taken up yet. A server that is shut down
// closes them without an answer, whatever has been sent there (net/http looks whether it is ending
// between reading a request and answering it).
type arrivals struct {
	mu   sync.Mutex
	new  map[net.Conn]bool
	none chan struct{} // closed when there is none any more; nil while nobody waits for that
}

func newArrivals() *arrivals { return &arrivals{new: map[net.Conn]bool{}} }

// arrived says that there is a connection, over that it is no arrival any more.
func (a *arrivals) arrived(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.new[c] = true
}

func (a *arrivals) over(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.new, c)
	if len(a.new) == 0 && a.none != nil {
		close(a.none)
		a.none = nil
	}
}

// wait waits until all are over, or for the end of the context.
func (a *arrivals) wait(ctx context.Context) {
	none := make(chan struct{})
	a.mu.Lock()
	if len(a.new) == 0 {
		close(none)
	} else {
		a.none = none
	}
	a.mu.Unlock()
	select {
	case <-none:
	case <-ctx.Done():
	}
}

type connKey struct{}

// serving has a handler say of each request that its connection is no arrival any more.
func (a *arrivals) serving(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, known := r.Context().Value(connKey{}).(net.Conn); known {
			a.over(c)
		}
		h.ServeHTTP(w, r)
	})
}
