package greylist

import (
	"fmt"
	"time"
)

// tripletState is what was known of a triplet when its mail came.
type tripletState struct {
	triplet
	kind    stateKind
	pending pendingTriplet // for all but stateNew, stateKnown and stateClient
	raw     []byte         // of the pending triplet
	known   string         // the key under which it is known, or would be
	until   time.Time      // when the pending triplet, or what is known, ends
	client  time.Time      // when what is known of the net ends
	age     time.Duration  // since its mail came first
	vouched bool           // SPF vouches for the sender
	at      time.Time      // when that was so
}

type stateKind uint8

const (
	stateNew    stateKind = iota // for the first time
	stateEarly                   // a retry before the delay
	stateLate                    // after the window: the first time again
	statePasses                  // a retry in time
	stateKnown                   // passed before
	stateClient                  // the net is known
)

// waits says that the mail is to come back later.
func (s tripletState) waits() bool { return s.kind <= stateLate }

func (s tripletState) words(m memory) string {
	switch s.kind {
	case stateEarly:
		return fmt.Sprintf("%s: retried after %s, %s are due", s.triplet, s.age.Round(time.Second), m.delay)
	case stateLate:
		return fmt.Sprintf("%s: retried after %s, the window is %s", s.triplet, s.age.Round(time.Second), m.window)
	case statePasses:
		return fmt.Sprintf("%s: retried after %s", s.triplet, s.age.Round(time.Second))
	case stateKnown:
		return s.triplet.String() + ": known"
	case stateClient:
		return s.net + ": known"
	}
	return s.triplet.String() + ": first seen"
}
