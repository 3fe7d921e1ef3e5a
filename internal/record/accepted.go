package record

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/policy"
)

// Accepted says which accepted messages the record keeps.
type Accepted uint8

const (
	AcceptedAll     Accepted = iota // every one
	AcceptedInbound                 // those to one of ours from outside
	AcceptedNone
)

var acceptedNames = [...]string{"on", "inbound", "off"}

// String returns the value as flags have it.
func (a Accepted) String() string { return acceptedNames[a] }

// Type names the kind of value in help texts.
func (a Accepted) Type() string { return strings.Join(acceptedNames[:], "|") }

// Set reads a value of a flag.
func (a *Accepted) Set(s string) error {
	i := slices.Index(acceptedNames[:], strings.ToLower(s))
	if i < 0 {
		return fmt.Errorf("%q is none of %s", s, strings.Join(acceptedNames[:], ", "))
	}
	*a = Accepted(i)
	return nil
}

// keeps reports whether a message is kept. One that was not accepted always is.
func (a Accepted) keeps(t *policy.Transaction) bool {
	if t.Fate != policy.Accepted || a == AcceptedAll {
		return true
	}
	inbound := func(r policy.RecipientOutcome) bool { return r.Direction == policy.Inbound.String() }
	return a == AcceptedInbound && slices.ContainsFunc(t.Recipients, inbound)
}
