package callforward

import (
	"net/netip"
	"strings"
	"sync"
)

// ends knows our own connections, so that we find out when one of them leads back to us: who asks
// himself would be asked for ever.
type ends struct {
	label string // of the name in EHLO, for where addresses are translated; nobody can guess it

	mu    sync.Mutex
	open  map[*conn]netip.AddrPort
	looks map[*conn]bool // has come back
}

func newEnds(label string) *ends {
	return &ends{label: label, open: map[*conn]netip.AddrPort{}, looks: map[*conn]bool{}}
}

// add keeps a connection before the server has read anything of it.
func (e *ends) add(c *conn) {
	end, _ := netip.ParseAddrPort(c.LocalAddr().String()) // a unix socket has none
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[c] = netip.AddrPortFrom(end.Addr().Unmap(), end.Port())
}

func (e *ends) remove(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, c)
	delete(e.looks, c)
}

// seen says that a client of ours is one of our connections, and notes which. By the name alone it
// may be any of them.
func (e *ends) seen(client netip.AddrPort, helo string) bool {
	named := len(helo) >= len(e.label) && strings.EqualFold(helo[:len(e.label)], e.label)
	client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	e.mu.Lock()
	defer e.mu.Unlock()
	found := false
	for c, end := range e.open {
		if end == client && client.Port() != 0 || named {
			e.looks[c], found = true, true
		}
	}
	return found || named
}

// isSelf says that the connection has come back.
func (e *ends) isSelf(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.looks[c]
}
