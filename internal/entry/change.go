package entry

import (
	"context"

	"mailweir/internal/policy"
)

// Subject is what a person makes an entry about: the request of an operation that enters something
// or takes it back.
type Subject interface {
	// Validate returns a [policy.WrongError] where there can be no such entry.
	Validate() error
	// String names it for the audit.
	String() string
	// Before tells in words what is entered about it now, "" for nothing.
	Before(context.Context, *policy.Call) (string, error)
}

// Enter has something entered and tells the audit what it is now, such as "blocked", how long it
// lasts, and what it was before.
func Enter(ctx context.Context, c *policy.Call, s Subject, now string, enter func() error) (policy.Nothing, error) {
	return change(ctx, c, s, now+" "+Lasts(c), enter)
}

// Remove has something taken back and tells the audit what it was. absent is what the person did
// wrong where there was nothing, and remove says so.
func Remove(ctx context.Context, c *policy.Call, s Subject, absent error, remove func() (was bool, err error)) (policy.Nothing, error) {
	return change(ctx, c, s, "", func() error {
		was, err := remove()
		if err == nil && !was {
			err = absent
		}
		return err
	})
}

func change(ctx context.Context, c *policy.Call, s Subject, now string, do func() error) (policy.Nothing, error) {
	if err := s.Validate(); err != nil {
		return policy.Nothing{}, err
	}
	before, err := s.Before(ctx, c)
	if err == nil {
		err = do()
	}
	if err == nil {
		c.Altered(s.String(), before, now)
	}
	return policy.Nothing{}, err
}
