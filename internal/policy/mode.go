package policy

import (
	"errors"
	"fmt"
	"strings"
)

// Mode says what becomes of a check's objection. Modes are ordered: a higher one is stricter.
type Mode uint8

const (
	// Off: the check does not run.
	Off Mode = iota
	// Monitor: the objection is recorded, and the mail goes on.
	Monitor
	// Defer: the objection is answered temporarily (451 4.y.z), with the same text.
	Defer
	// Enforce: the objection is answered with its own reply.
	Enforce
)

var modeNames = [...]string{"off", "monitor", "defer", "enforce"}

// String returns the mode as it is written in flags, logs and metrics.
func (m Mode) String() string { return modeNames[m] }

// Refuses reports whether an objection in this mode is answered at all.
func (m Mode) Refuses() bool { return m >= Defer }

// Set reads a mode from a flag.
func (m *Mode) Set(s string) error {
	for i, name := range modeNames {
		if strings.EqualFold(s, name) {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not a mode; use one of %s", s, strings.Join(modeNames[:], ", "))
}

// Type names the kind of value in help texts.
func (m *Mode) Type() string { return "off|monitor|defer|enforce" }

// OnError says what becomes of mail that a check could not judge.
type OnError uint8

const (
	// Fails: the check has no backend, so an error in it is a fault of mailweir (reply T13).
	Fails OnError = iota
	// Accept: the mail goes on as if the check had nothing against it.
	Accept
	// Delay: the mail is deferred with a temporary reply.
	Delay
)

var onErrorNames = [...]string{"fail", "accept", "defer"}

// String returns the choice as it is written in flags and logs.
func (o OnError) String() string { return onErrorNames[o] }

// Set reads the choice from a flag.
func (o *OnError) Set(s string) error {
	switch strings.ToLower(s) {
	case "accept":
		*o = Accept
	case "defer":
		*o = Delay
	default:
		return fmt.Errorf("%q is neither accept nor defer", s)
	}
	return nil
}

// Type names the kind of value in help texts.
func (o *OnError) Type() string { return "accept|defer" }

// lenient is an error after which the mail goes on.
type lenient struct{ error }

func (l lenient) Unwrap() error { return l.error }

// LetOn makes an error of a check one after which the mail goes on, whatever --CHECK-on-error says:
// where it is not known, and not likely, that there is anything to judge.
func LetOn(err error) error { return lenient{err} }

// LetsOn reports whether the error comes from [LetOn].
func LetsOn(err error) bool {
	var l lenient
	return errors.As(err, &l)
}

// strict is an error after which the mail is deferred.
type strict struct{ error }

func (s strict) Unwrap() error { return s.error }

// DeferOn makes an error of a check one after which the mail is deferred, whatever --CHECK-on-error
// says: where a flag of the check's own says so for this mail.
func DeferOn(err error) error { return strict{err} }

// DefersOn reports whether the error comes from [DeferOn].
func DefersOn(err error) bool {
	var s strict
	return errors.As(err, &s)
}
