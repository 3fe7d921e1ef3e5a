package greylist

import (
	"strings"
	"time"
)

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
