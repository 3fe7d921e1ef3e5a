package autoallow

import (
	"context"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/state"
)

// pair is an address that a user has written to.
type pair struct {
	User    string    `json:"user"`
	Address string    `json:"address"`
	Last    string    `json:"last"` // when, in UTC
	Until   time.Time `json:"until"`
}

// filter chooses pairs of a user and an external address, as they stand in the log. What is empty
// chooses all.
type filter struct {
	User     string
	External string
	// Delimiter is that of the policy, by which addresses become keys.
	Delimiter string
}

// keys are the parts of keys that the filter chooses.
func (f filter) keys() (user, external string) {
	if f.User != "" {
		user = address.Parse(f.User).Base(f.Delimiter).Key()
	}
	if f.External != "" {
		a := address.Parse(f.External)
		a.Local = address.PlainBATV(a.Local)
		external = a.Key()
	}
	return user, external
}

// listPairs lists up to limit of the pairs that the filter chooses.
func listPairs(ctx context.Context, store state.Store, f filter, limit int) (list []pair, err error) {
	prefix := state.Prefix(space)
	user, external := f.keys()
	if user != "" {
		prefix = state.Prefix(space, user)
	}
	for last := ""; len(list) < limit; {
		page, err := store.List(ctx, prefix, last, pageSize)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			last = e.Key
			_, parts := state.Parts(e.Key)
			if len(parts) == 2 && (external == "" || parts[1] == external) && len(list) < limit {
				list = append(list, pair{User: parts[0], Address: parts[1], Last: string(e.Value), Until: e.Until})
			}
		}
		if len(page) < pageSize {
			break
		}
	}
	return list, nil
}

// pageSize is how many pairs are read at once.
const pageSize = 1000

// forget forgets what listPairs lists, and returns how many pairs that were.
func forget(ctx context.Context, store state.Store, f filter) (n int, err error) {
	for {
		list, err := listPairs(ctx, store, f, pageSize)
		if err != nil || len(list) == 0 {
			return n, err
		}
		steps := make([]state.Step, len(list))
		for i, one := range list {
			steps[i] = state.Delete(state.Key(space, one.User, one.Address)).Entered()
		}
		if _, err := store.Do(ctx, steps...); err != nil {
			return n, err
		}
		n += len(list)
	}
}
