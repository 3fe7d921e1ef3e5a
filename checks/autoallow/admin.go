package autoallow

import (
	"context"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
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

// listPairs lists the pairs that the filter chooses, as far as the span goes.
func listPairs(ctx context.Context, store state.Store, f filter, span policy.Span) (list policy.Part[pair], err error) {
	prefix := state.Prefix(space)
	user, external := f.keys()
	if user != "" {
		prefix = state.Prefix(space, user)
	}
	last, seen := span.Begin(), 0
	for e, err := range state.AllAfter(ctx, store, prefix, last) {
		if err != nil {
			return list, err
		}
		_, parts := state.Parts(e.Key)
		wanted := len(parts) == 2 && (external == "" || parts[1] == external)
		if wanted && len(list.Rows) == span.Limit || seen == span.Look && span.Look > 0 {
			list.Next = policy.After(last)
			break
		}
		if last, seen = e.Key, seen+1; wanted {
			list.Rows = append(list.Rows, pair{User: parts[0], Address: parts[1], Last: string(e.Value), Until: e.Until})
		}
	}
	return list, nil
}

// pageSize is how many pairs are forgotten at once.
const pageSize = 1000

// forget forgets what listPairs lists, and returns how many pairs that were.
func forget(ctx context.Context, store state.Store, f filter) (n int, err error) {
	for {
		part, err := listPairs(ctx, store, f, policy.Span{Limit: pageSize})
		list := part.Rows
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
