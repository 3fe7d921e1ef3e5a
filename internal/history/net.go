// Package history tells what a client has done, good and bad, and which clients are known to send
// wanted mail. Checks that judge by it (reputation, tempblock) count each transaction once it has
// ended: good are recipients whose mail was accepted, bad are the offences that the replies
// declare.
package history

import (
	"context"
	"net/netip"
	"time"

	"mailweir/internal/state"
)

// Net is the name under which a client is counted: an IPv4 address, or the /64 of an IPv6 address,
// within which a host can have any number of addresses.
func Net(client netip.Addr) string {
	client = client.Unmap().WithZone("")
	if client.Is4() {
		return client.String()
	}
	return netip.PrefixFrom(client, 64).Masked().String()
}

// A known net has passed greylisting under a sender that was not null, or sent mail that a user had
// asked for (auto-allow). What counts bad behaviour leaves it alone for knownNetLife, because mail
// that is wanted comes from there, unless the bad outnumbers the good: anybody can come back once.
const (
	knownNetSpace = "known-net"
	knownNetLife  = 36 * 24 * time.Hour
)

// KnownNetKey is the key in the state of the net that a client belongs to: known-net|192.0.2.1.
func KnownNetKey(client netip.Addr) string { return state.Key(knownNetSpace, Net(client)) }

// NoteKnownNet remembers the client's net as a known one. Call it from Settle hooks.
func NoteKnownNet(ctx context.Context, store state.Store, client netip.Addr) error {
	if !client.IsValid() {
		return nil
	}
	_, err := store.Do(ctx, KnownNet(client))
	return err
}

// KnownNet is the step that makes a client's net a known one. One that is known already is renewed
// once a day.
func KnownNet(client netip.Addr) state.Step {
	return state.Renew(KnownNetKey(client), nil, knownNetLife, 24*time.Hour)
}

// knownTolerance is how many times as much bad as good a known net may send.
const knownTolerance = 10

// Outnumbered tells whether a known net has done so much more bad than good in the same time that
// it is judged as any other.
func Outnumbered(bad, good float64) bool { return bad > knownTolerance*good }
