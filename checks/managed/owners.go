package managed

import (
	"context"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// owners knows which recipients have run-time entries, so that the state is not asked about all
// others, whose mail does not depend on it then.
type owners struct{ known *state.Mirror }

// include reports whether one of these is known to have run-time entries, or may have some.
func (o owners) include(names []address.Address) (known, maybe bool) {
	for _, name := range names {
		has, certain := o.known.Has(state.Prefix(space, name.Key()))
		known, maybe = known || has, maybe || has || !certain
	}
	return known, maybe
}

func (o owners) tick(ctx context.Context, _ func(*policy.Event)) { o.refresh(ctx) }

// refresh reads all entries if some may be unknown. After an error they still are.
func (o owners) refresh(ctx context.Context) { _ = o.known.Refresh(ctx) }
