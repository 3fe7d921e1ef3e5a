package checks

import (
	"context"
	"net/netip"
	"time"

	"mailweir/internal/state"
)

// clientNet is the name under which a client is counted: an IPv4 address, or the /64 of an IPv6 address, within which a host
// can have any number of addresses.
func clientNet(client netip.Addr) string {
	client = client.Unmap().WithZone("")
	if client.Is4() {
		return client.String()
	}
	return netip.PrefixFrom(client, 64).Masked().String()
}

// A known net has passed greylisting under a sender that was not null, or sent mail that a user had asked for (auto-allow). What counts bad behaviour leaves it
// alone for knownNetLife: mail that is wanted comes from there.
const (
	knownNetSpace = "known-net"
	knownNetLife  = 36 * 24 * time.Hour
)

func knownNetKey(client netip.Addr) string { return state.Key(knownNetSpace, clientNet(client)) }

// noteKnownNet remembers the client's net as a known one. Call it from Settle hooks.
func noteKnownNet(ctx context.Context, store state.Store, clock func() time.Time, client netip.Addr) error {
	if !client.IsValid() {
		return nil
	}
	results, err := store.Do(ctx, firstOfNet(client))
	if err != nil {
		return err
	}
	return renewKnownNet(ctx, store, clock, client, results[0])
}

// firstOfNet is the step that makes a client's net a known one.
func firstOfNet(client netip.Addr) state.Step {
	return state.First(knownNetKey(client), nil, knownNetLife)
}

// renewKnownNet lets the net that firstOfNet has found known already be known for as long as a new one. Once a day is enough.
func renewKnownNet(ctx context.Context, store state.Store, clock func() time.Time, client netip.Addr, found state.Result) error {
	if found.Done || found.Until.Sub(clock()) > knownNetLife-24*time.Hour {
		return nil
	}
	_, err := store.Do(ctx, state.Touch(knownNetKey(client), knownNetLife))
	return err
}
