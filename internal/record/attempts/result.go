package attempts

import (
	"fmt"
	"time"

	"mailweir/internal/policy"
)

// Result is what became of a mail, all attempts together.
type Result uint8

const (
	// Unknown: the record does not tell.
	Unknown Result = iota
	// Accepted: at the first attempt. What the MTA or a later filter did afterwards stays unseen.
	Accepted
	// AcceptedLater: after attempts that were not.
	AcceptedLater
	// Deferred: told to try again, and the time for that is not over.
	Deferred
	// GivenUp: told to try again, and silent for longer than [Silence].
	GivenUp
	// Refused: answered with a permanent reply.
	Refused
	// RefusedByMTA: the MTA itself refused the recipient.
	RefusedByMTA
	// Removed: the recipient was taken off the message at its end.
	Removed
	// Unfinished: the client went away before it had an answer to the message.
	Unfinished
)

var resultNames = [...]string{
	"unknown", "accepted", "accepted_later", "deferred", "given_up", "refused", "refused_by_mta", "removed", "unfinished",
}

// String returns the result as it is written in JSON.
func (r Result) String() string { return resultNames[r] }

// MarshalText writes the name of the result.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Chain are the attempts of one mail to reach one recipient.
type Chain struct {
	Mail
	// Attempts are in the order of time. There is none where the record has none.
	Attempts []Attempt
	Result   Result
	// First and Last are the times of the first and the last attempt; Took is from the first to
	// acceptance, or else to the last.
	First, Last time.Time
	Took        time.Duration
	// More says that the record has so many entries around it that not all were looked at.
	More bool
}

// judge says what became of the mail.
func (c *Chain) judge(now time.Time) {
	c.First, c.Last = c.Attempts[0].Time, c.Attempts[len(c.Attempts)-1].Time
	c.Took = c.Last.Sub(c.First)
	for i, a := range c.Attempts {
		if a.Known && a.Outcome.Fate == policy.Accepted {
			c.Took = a.Time.Sub(c.First)
			c.Result = AcceptedLater
			if i == 0 {
				c.Result = Accepted
			}
			return
		}
	}
	c.Result = c.unaccepted(now)
}

// unaccepted is the result of a mail none of whose attempts was accepted.
func (c *Chain) unaccepted(now time.Time) Result {
	last := c.Attempts[len(c.Attempts)-1]
	if !last.Known {
		return Unknown
	}
	switch last.Outcome.Fate {
	case policy.Refused:
		return Refused
	case policy.RefusedByMTA:
		return RefusedByMTA
	case policy.Removed:
		return Removed
	}
	switch {
	case !c.deferred():
		return Unfinished
	case now.Sub(c.Last) > Silence:
		return GivenUp
	}
	return Deferred
}

// deferred reports whether an attempt was told to try again.
func (c *Chain) deferred() bool {
	for _, a := range c.Attempts {
		if a.Known && a.Outcome.Fate == policy.Deferred {
			return true
		}
	}
	return false
}

// String tells the result in words: "accepted after 12m", "still deferred since 2026-01-31 15:04:05
// UTC". It never says delivered: what happened after acceptance is not ours to know.
func (c Chain) String() string {
	switch c.Result {
	case Accepted:
		return "accepted"
	case AcceptedLater:
		return fmt.Sprintf("accepted after %s%s", brief(c.Took), c.count())
	case Deferred:
		return fmt.Sprintf("still deferred since %s%s", c.First.UTC().Format("2006-01-02 15:04:05 UTC"), c.count())
	case GivenUp:
		if len(c.Attempts) == 1 {
			return "deferred, and did not come back"
		}
		return fmt.Sprintf("given up after %s%s", brief(c.Took), c.count())
	case Refused:
		return "refused"
	case RefusedByMTA:
		return "refused by the MTA"
	case Removed:
		return "accepted without this recipient"
	case Unfinished:
		return "the client went away before the end"
	}
	return "what became of it is not in the record"
}

func (c Chain) count() string {
	if len(c.Attempts) < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d attempts)", len(c.Attempts))
}

// brief is a duration without what is zero: 12m, 3h5m, 40s.
func brief(d time.Duration) string {
	if d = d.Round(time.Second); d < time.Second {
		return "less than a second"
	}
	return policy.ShortDuration(d)
}
