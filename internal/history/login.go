package history

import (
	"net/netip"
	"time"

	"mailweir/internal/state"
)

// A known login has succeeded from this net within knownLoginLife: whoever shares the net with a
// guesser still gets in. It is renewed once a day.
const (
	knownLoginSpace = "known-login"
	knownLoginLife  = 30 * 24 * time.Hour
)

// KnownLoginKey is the key in the state of a login from a client's net: known-login|bob|192.0.2.1.
func KnownLoginKey(login string, client netip.Addr) string {
	return state.Key(knownLoginSpace, login, Net(client))
}

// KnownLogin is the step that makes a login from a client's net a known one.
func KnownLogin(login string, client netip.Addr) state.Step {
	return state.Renew(KnownLoginKey(login, client), nil, knownLoginLife, 24*time.Hour)
}
