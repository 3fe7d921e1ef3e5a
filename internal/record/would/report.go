// Package would tells what checks in monitor mode would have refused, and how much of that was
// good.
//
// A would-be refusal is a decision that would have been answered, or an edit that would have been
// made, if the check had been enforced. What is known of its mail comes from the record alone, and
// everything that it shows is weighed for each of them:
//
//   - Likely good: enforcing the check would have hurt somebody. reason.go has the reasons.
//   - Kept out: something else says so, too, that the mail was not wanted.
//   - Not known: the record has nothing that speaks for or against it.
//
// What speaks for mail counts more than what speaks against it, but for mail that did not get in
// anyway: to enforce the check changes nothing for that. And what is forged as far as SPF can tell
// is not good because of whom it says that it is from.
package would

import (
	"time"

	"mailweir/internal/policy"
)

// Version is the version of the JSON of [Report].
const Version = 1

// Report is what monitor mode would have refused in a span of time.
type Report struct {
	Version int       `json:"version"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	// Checks are those that would have refused something, by name.
	Checks []*Check `json:"checks"`
	// Notes say what the record does not show, and so what may be missing here.
	Notes []string `json:"notes,omitempty"`
}

// Check is what one check would have refused.
type Check struct {
	Name string `json:"check"`
	// Begun and Ended are the span in which it is known to have been looking, Days is how long
	// that is.
	Begun time.Time `json:"begun"`
	Ended time.Time `json:"ended"`
	Days  float64   `json:"days"`
	// Total is how many would-be refusals there were; Refuse, Defer and Change say of what kind.
	Total  int `json:"total"`
	Refuse int `json:"refuse"`
	Defer  int `json:"defer"`
	Change int `json:"change"`

	Good    Tally `json:"likely_good"`
	KeptOut Tally `json:"kept_out"`
	Unknown Tally `json:"not_known"`
	// Untold is how many of those that are not known have no message in the record.
	Untold int `json:"untold"`

	Decision Decision `json:"decision"`
	// Because says in words why that is the decision.
	Because string `json:"because"`
	// Examples are up to ten that are likely good.
	Examples []Example `json:"examples,omitempty"`
}

// Tally counts would-be refusals of which the same is to be thought, and why.
type Tally struct {
	N       int      `json:"n"`
	Reasons []Reason `json:"reasons,omitempty"`
}

// Reason is why something is thought of some of them. Each is counted under the first reason that
// it has.
type Reason struct {
	Why string `json:"why"`
	N   int    `json:"n"`
}

// Example is one would-be refusal that is likely good. All but Why and Action may have been chosen
// by untrusted clients.
type Example struct {
	// ID is that of the decision; several share one where they were brought together.
	ID        string        `json:"id"`
	Time      time.Time     `json:"time"`
	Client    string        `json:"client,omitempty"`
	Sender    string        `json:"sender"`
	Recipient string        `json:"recipient,omitempty"`
	Action    policy.Action `json:"action"`
	Cause     string        `json:"cause,omitempty"`
	Why       string        `json:"why"`
}

// Decision says whether a check should be enforced.
type Decision uint8

const (
	// CannotTell: there is too little to go by.
	CannotTell Decision = iota
	// NotYet: good mail would be hurt.
	NotYet
	// SafeToEnforce: next to no good mail would be hurt, as far as the record shows.
	SafeToEnforce
)

var decisionNames = [...]string{"cannot tell yet", "not yet", "safe to enforce"}

// String returns the decision in the words in which people read it.
func (d Decision) String() string { return decisionNames[d] }

// MarshalText writes the words of the decision.
func (d Decision) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// ExitCode is how the command ends: 0 where every check is safe to enforce, 1 where one is not yet,
// else 2.
func (r *Report) ExitCode() int {
	code := 0
	if len(r.Checks) == 0 {
		code = 2
	}
	for _, c := range r.Checks {
		switch {
		case c.Decision == NotYet:
			return 1
		case c.Decision == CannotTell:
			code = 2
		}
	}
	return code
}
