package greylist

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"mailweir/internal/state"
)

// The spaces of the state. Each has entries of one lifetime, so that a flood of unknown clients
// never evicts who is known.
const (
	knownSpace   = "greylist"         // greylist|192.0.2.0/24|a@example.com|b@example.net
	pendingSpace = "greylist-pending" // greylist-pending|a@example.com|b@example.net|192.0.2.0/24
	clientSpace  = "greylist-client"  // greylist-client|192.0.2.0/24: how many triplets have passed
)

// triplet is what greylisting knows mail by.
type triplet struct {
	net, sender, recipient string
}

func (t triplet) String() string {
	return fmt.Sprintf("%s %s %s", t.net, strconv.QuoteToASCII(t.sender), strconv.QuoteToASCII(t.recipient))
}

func (t triplet) knownKey() string {
	return state.Key(knownSpace, t.net, t.sender, t.recipient)
}

// pendingKey has the net last: whether a sender has come back is asked for all nets.
func (t triplet) pendingKey() string {
	return state.Key(pendingSpace, t.sender, t.recipient, t.net)
}

func clientPassesKey(net string) string { return state.Key(clientSpace, net) }

// passCount reads a counter, or a number that a person entered, behind which stands who it was.
func passCount(value []byte) int {
	number, _, _ := strings.Cut(string(value), " ")
	n, _ := strconv.Atoi(number) // what is no number counts nothing
	return n
}

// pendingOf reads the key of a pending triplet.
func pendingOf(key string) (t triplet, ok bool) {
	_, parts := state.Parts(key)
	if len(parts) != 3 {
		return t, false
	}
	return triplet{sender: parts[0], recipient: parts[1], net: parts[2]}, true
}

// knownOf reads the key of a known triplet.
func knownOf(key string) (t triplet, ok bool) {
	_, parts := state.Parts(key)
	if len(parts) != 3 {
		return t, false
	}
	return triplet{net: parts[0], sender: parts[1], recipient: parts[2]}, true
}

// clientOf reads the key of a client that is known as a whole.
func clientOf(key string) (triplet, bool) {
	_, parts := state.Parts(key)
	return triplet{net: parts[0]}, len(parts) == 1
}

// nets are the lengths of the nets by which greylisting knows clients.
type nets struct{ ipv4, ipv6 int }

// of names the client's net; one without an address is unknown like all others of that kind.
func (n nets) of(client netip.Addr) string {
	if !client.IsValid() {
		return "unknown"
	}
	client = client.Unmap().WithZone("")
	return netip.PrefixFrom(client, n.bits(client)).Masked().String()
}

// bits is how long the net of a client is.
func (n nets) bits(client netip.Addr) int {
	if client.Is4() {
		return n.ipv4
	}
	return n.ipv6
}
