package managed

import (
	"context"

	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// adopt makes permits of what older versions of mailweir have entered by "managed --user=*".
func adopt(ctx context.Context, store state.Store) error {
	for {
		old, err := listUnder(ctx, store, state.Prefix(space, policy.Everybody))
		if err != nil || len(old) == 0 {
			return err
		}
		steps := make([]state.Step, 0, 2*len(old))
		for _, e := range old {
			if e.Permit {
				steps = append(steps, byhand.PutPermit(e.Subject, e.Origin, e.Until))
			}
			steps = append(steps, state.Delete(entryKey(policy.Everybody, e.Subject)).Entered())
		}
		if _, err := store.Do(ctx, steps...); err != nil {
			return err
		}
	}
}
