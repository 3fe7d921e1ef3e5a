package managed

import (
	"context"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// owners knows which recipients have run-time entries, so that the state is not asked about all
// others, whose mail does not depend on it then.
type owners struct{ known *state.Mirror }

// mayInclude reports whether one of these may have run-time entries, as far as is known.
func (o owners) mayInclude(names []address.Address) bool {
	return slices.ContainsFunc(names, func(name address.Address) bool {
		return o.known.MayHave(state.Prefix(space, name.Key()))
	})
}

// include reports whether one of these is known to have run-time entries.
func (o owners) include(names []address.Address) bool {
	return slices.ContainsFunc(names, func(name address.Address) bool {
		return o.known.Has(state.Prefix(space, name.Key()))
	})
}

func (o owners) tick(ctx context.Context, _ func(*policy.Event)) { o.refresh(ctx) }

// refresh reads all entries if some may be unknown. After an error they still are.
func (o owners) refresh(ctx context.Context) { _ = o.known.Refresh(ctx) }
