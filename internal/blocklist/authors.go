package blocklist

import (
	"errors"
	"iter"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// mostAsked bounds the addresses of one header From that are put to what waits: the sender chose
// how many they are.
const mostAsked = 200

var (
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
		list, more := from.First(mostAsked, display)
		if more {
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
