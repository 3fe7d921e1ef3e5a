package rbl

import (
	"errors"
	"fmt"
	"time"

	"mailweir/internal/dns"
)

// Verdict is what a [Set] says about a client or a domain.
type Verdict uint8

// The verdicts. Unknown is neither: lists that failed could have changed it.
const (
	NotListed Verdict = iota
	Listed
	Unknown
)

// String is the verdict in words.
func (v Verdict) String() string { return [...]string{"not listed", "listed", "unknown"}[v] }

// State is what one list said.
type State uint8

// The states of one list in a result.
const (
	NotAsked  State = iota // not needed any more, or not about such a subject
	Clear                  // not listed
	Uncounted              // listed, with codes that no entry counts
	Hit                    // listed, and an entry counted
	Errored                // no usable answer, an error code, or a code outside the list's set: never a hit
	Suspended              // not asked, because its health forbids it
)

// String is the state in words.
func (s State) String() string {
	return [...]string{"not asked", "not listed", "listed, not counted", "hit", "error", "suspended"}[s]
}

// ListResult is what one list said of one subject.
type ListResult struct {
	Zone      string
	State     State
	Score     int    // the sum of the weights of the entries that counted
	Monitored bool   // Score is not in the result's Score
	Codes     []Code // what the list answered, error codes left out
	Err       error  // why State is Errored
	Why       string // why State is Suspended
	Took      time.Duration
	Cached    bool
	Reason    string // of a hit: the list's own text where it was asked for, else its look-up page or name
}

// Exchange is one question to the outside and its answer, both printable.
type Exchange struct {
	Question dns.Question
	Answer   dns.Answer
}

// String is `question → answer`.
func (e Exchange) String() string { return e.Question.String() + " → " + e.Answer.String() }

// Result is what a [Set] found out about one subject. It is shared and must not be changed.
type Result struct {
	Subject string // the address or the domain
	Verdict Verdict
	Score   int // the sum over the lists that are not monitored
	Would   int // the sum over all lists: what Score would be if none were monitored

	Zone   string // of the hit with the greatest weight, for the reply; empty when nothing hit
	Reason string // its text: printable ASCII, at most 200 octets, without [ ] and without keys

	Lists     []ListResult // one for each list, in the order of the configuration
	Exchanges []Exchange   // what was asked and answered, in that order

	late *late // what monitored lists still owe; nil when nothing
}

// Hits are the zones that hit, monitored ones too.
func (r *Result) Hits() []string {
	var zones []string
	for i := range r.Lists {
		if r.Lists[i].State == Hit {
			zones = append(zones, r.Lists[i].Zone)
		}
	}
	return zones
}

// Err joins the errors of all lists; nil if none failed.
func (r *Result) Err() error {
	var errs []error
	for i := range r.Lists {
		if l := &r.Lists[i]; l.Err != nil {
			errs = append(errs, fmt.Errorf("list %s: %w", l.Zone, l.Err))
		}
	}
	return errors.Join(errs...)
}
