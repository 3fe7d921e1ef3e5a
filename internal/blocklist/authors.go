package blocklist

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// lookupTime bounds what looking up one header From in tables in memory takes: a table of a
// thousand patterns would need minutes for as many addresses as a sender can name.
const lookupTime = 2 * time.Second

var (
	errTime = errors.New("looking up all addresses of header From takes too long")
	errMany = errors.New("header From names too many addresses, and not all were looked up")
	errLong = errors.New("the From fields are longer than is kept, and not all addresses were looked up")
)

// Authors returns the addresses of header From, with display also those that are only shown, as a
// check puts them to these: all of them or, where one of these waits, the first 200. The error says
// that there are others. A check that has found nothing against those it has looked up fails with
// it: addresses in front must get none past a block.
func Authors(m *policy.Message, display bool, these ...policy.Waiter) (iter.Seq[address.Address], error) {
	from := m.HeaderFrom()
	var err error
	if m.FromDropped {
		err = errLong
	}
	if slices.ContainsFunc(these, policy.Waiter.Waits) {
		list, more := m.FirstFrom()
		if display {
			list, more = from.First(policy.MaxFirstFrom, true)
		}
		if more && err == nil {
			err = errMany
		}
		return slices.Values(list), err
	}
	return func(yield func(address.Address) bool) {
		for a := range from.Authors() {
			if !yield(a) {
				return
			}
		}
		if display {
			from.Display()(yield)
		}
	}, err
}

// InTime returns the context under which the addresses of header From are put to these. Where they
// may be many and none of these waits, it ends when that takes too long; its cause is then the
// check's error.
func InTime(ctx context.Context, m *policy.Message, these ...policy.Waiter) (context.Context, context.CancelFunc) {
	if !m.HeaderFrom().Long() || slices.ContainsFunc(these, policy.Waiter.Waits) {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, lookupTime, errTime)
}
