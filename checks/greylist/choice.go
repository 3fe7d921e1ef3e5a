package greylist

import (
	"context"
	"fmt"
	"net/netip"

	"mailweir/internal/address"
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
	return []space{
		{prefixOf(clientSpace), clientOf, clientRow},
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

// pageSize is how many entries are read at once.
const pageSize = 1000

// each calls visit for every entry of the choice, until it returns false.
func (c choice) each(ctx context.Context, store state.Store, visit func(triplet, state.Entry, space) (bool, error)) error {
	for _, space := range c.spaces() {
		for last := ""; ; {
			page, err := store.List(ctx, space.prefix, last, pageSize)
			if err != nil {
				return err
			}
			for _, e := range page {
				last = e.Key
				found, ok := space.read(e.Key)
				if !ok || !c.has(found) {
					continue
				}
				if more, err := visit(found, e, space); err != nil || !more {
					return err
				}
			}
			if len(page) < pageSize {
				break
			}
		}
	}
	return nil
}
