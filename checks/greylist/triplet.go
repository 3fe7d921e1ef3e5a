package greylist

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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

// pendingTriplet is a triplet that is not known yet.
type pendingTriplet struct {
	first time.Time
	// refused says that its mail was deferred, and not only monitored.
	refused bool
	// retried says that it came back too soon.
	retried bool
	// passed says that it came back and is known.
	passed bool
}

const pendingTime = "2006-01-02T15:04:05.000Z"

// value writes it as it stands in the state: 2026-11-23T12:00:00.000Z refused retried.
func (p pendingTriplet) value() []byte {
	words := []string{p.first.UTC().Format(pendingTime)}
	for _, f := range []struct {
		is   bool
		word string
	}{{p.refused, "refused"}, {p.retried, "retried"}, {p.passed, "passed"}} {
		if f.is {
			words = append(words, f.word)
		}
	}
	return []byte(strings.Join(words, " "))
}

func readPending(value []byte) (p pendingTriplet, ok bool) {
	words := strings.Fields(string(value))
	if len(words) == 0 {
		return p, false
	}
	var err error
	if p.first, err = time.Parse(pendingTime, words[0]); err != nil {
		return p, false
	}
	for _, word := range words[1:] {
		switch word {
		case "refused":
			p.refused = true
		case "retried":
			p.retried = true
		case "passed":
			p.passed = true
		}
	}
	return p, true
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
