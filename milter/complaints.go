package milter

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Peers make no more lines of the log than this, whatever they do: of each, and of each kind, the
// first of a minute, and then one that counts the others. So what happens all the time hides
// nothing else.
const (
	complaintSpan  = time.Minute
	complaintLines = 10
	complaintPeers = 20 // that have lines of their own; the others count as one
	complaintKinds = 10 // of a peer, in the same way
)

// complaints tells of what peers do wrong.
type complaints struct {
	mu    sync.Mutex
	tell  func(error)
	peers map[string]map[string]int // lines about each, by kind, in this span
	end   *time.Timer               // nil while there are none
}

// about tells what is wrong with a peer, or counts it.
func (c *complaints) about(peer string, err error, tell func(error)) {
	if tell == nil {
		return
	}
	c.mu.Lock()
	if c.end == nil {
		c.peers, c.tell = map[string]map[string]int{}, tell
		c.end = time.AfterFunc(complaintSpan, c.sum)
	}
	if _, known := c.peers[peer]; !known && len(c.peers) >= complaintPeers {
		peer = "other peers"
	}
	kinds := c.peers[peer]
	if kinds == nil {
		kinds = map[string]int{}
		c.peers[peer] = kinds
	}
	kind := kindOf(err)
	if _, known := kinds[kind]; !known && len(kinds) >= complaintKinds {
		kind = "of other kinds"
	}
	kinds[kind]++
	lines := kinds[kind]
	c.mu.Unlock()
	switch {
	case lines == complaintLines:
		tell(fmt.Errorf("%w (further such lines about %s are counted for a minute)", err, peer))
	case lines < complaintLines:
		tell(err)
	}
}

// sum ends the span and tells what was left out.
func (c *complaints) sum() {
	c.mu.Lock()
	peers, tell := c.peers, c.tell
	c.peers = nil
	if c.end != nil {
		c.end.Stop()
		c.end = nil
	}
	c.mu.Unlock()
	var left []string
	for peer, kinds := range peers {
		for kind, lines := range kinds {
			if lines > complaintLines {
				left = append(left, fmt.Sprintf("%d more lines about %s (%s) were left out", lines-complaintLines, peer, kind))
			}
		}
	}
	slices.Sort(left)
	for _, text := range left {
		tell(fmt.Errorf("%s within a minute", text))
	}
}

// longKind bounds what is kept of a kind, in octets.
const longKind = 80

// kindOf is what an error says at its root, without what may differ each time: numbers, and what is
// quoted.
func kindOf(err error) string {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text := err.Error()
	if i := strings.IndexAny(text, "\"'\n0123456789"); i >= 0 {
		text = text[:i] + "…"
	}
	if len(text) > longKind {
		text = strings.ToValidUTF8(text[:longKind], "") + "…"
	}
	return text
}

// peerNet names the peer of a connection for the log: its address, an IPv6 one by its /64, where
// any other costs nothing; on a unix socket, the socket.
func peerNet(nc net.Conn) string {
	tcp, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return peerName(nc)
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}
