package greylist

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// choice is what a person has chosen of all that is remembered: a triplet in which what is empty
// stands for any.
type choice struct{ triplet }

// choose makes keys of what a person has written, as the check makes them of mail, or says what is
// wrong with the client.
func choose(r request, nets nets, delimiter string) (c choice, err error) {
	switch client, failure := netip.ParseAddr(r.Client); {
	case r.Client == "" || r.Client == "unknown":
		c.net = r.Client
	case failure == nil:
		c.net = nets.of(client)
	default:
		net, err := netip.ParsePrefix(r.Client)
		if err != nil {
			return c, fmt.Errorf("%q is neither an address nor a net such as 192.0.2.0/24", r.Client)
		}
		// Keys have nets of one length. A part of such a net is remembered as the whole.
		if wanted := nets.bits(net.Addr()); net.Bits() < wanted {
			return c, fmt.Errorf("%s is wider than the nets that are remembered: give a /%d in it, or an address", r.Client, wanted)
		}
		c.net = nets.of(net.Addr())
	}
	if r.Sender != "" {
		c.sender = address.Parse(r.Sender).SenderKey()
	}
	if r.Recipient != "" {
		c.recipient = address.Parse(r.Recipient).Base(delimiter).Key()
	}
	return c, nil
}

// has reports whether a triplet is among those of the choice.
func (c choice) has(t triplet) bool {
	return (c.net == "" || c.net == t.net) && (c.sender == "" || c.sender == t.sender) && (c.recipient == "" || c.recipient == t.recipient)
}

// space is how the triplets of one space are found and shown.
type space struct {
	prefix string
	read   func(key string) (triplet, bool)
	row    func(triplet, state.Entry) (Row, bool)
}

// spaces are those that the choice is from; the prefix is as long as it allows.
func (c choice) spaces() []space {
	clients := state.Prefix(clientSpace)
	if c.net != "" {
		clients = state.Key(clientSpace, c.net)
	}
	return []space{
		{clients, clientOf, clientRow},
		{prefixOf(knownSpace, c.net, c.sender, c.recipient), knownOf, knownRow},
		{prefixOf(pendingSpace, c.sender, c.recipient, c.net), pendingOf, pendingRow},
	}
}

// prefixOf makes a prefix of the first parts that are there. One of all parts would name no
// entries.
func prefixOf(space string, parts ...string) string {
	n := 0
	for n < len(parts)-1 && parts[n] != "" {
		n++
	}
	return state.Prefix(space, parts[:n]...)
}

// walk calls visit for the entries of the choice in a span, until it returns false. next is where
// a walk would continue, "" at the end.
func (c choice) walk(ctx context.Context, store state.Store, span policy.Span, visit func(triplet, state.Entry, space) (bool, error)) (next string, err error) {
	last, seen := span.Begin(), 0
	for _, space := range c.spacesFrom(last) {
		for e, err := range state.AllAfter(ctx, store, space.prefix, last) {
			if err != nil {
				return "", err
			}
			if seen == span.Look && span.Look > 0 {
				return policy.After(last), nil
			}
			if found, ok := space.read(e.Key); ok && c.has(found) {
				if more, err := visit(found, e, space); err != nil || !more {
					return policy.After(last), err
				}
			}
			last, seen = e.Key, seen+1
		}
	}
	return "", nil
}

// spacesFrom are the spaces where entries may come after a key.
func (c choice) spacesFrom(key string) []space {
	spaces := c.spaces()
	for i, space := range spaces {
		if strings.HasPrefix(key, space.prefix) {
			return spaces[i:]
		}
	}
	return spaces
}
