package state

import "context"

// migratePage is how many rows Migrate carries at once.
const migratePage = 1000

// Migrate writes every entry of from to to, with the rest of its life, and calls progress with the
// number done so far; an entry of that key in to is overwritten. Places that are held stay behind.
// To begin again after an error is harmless.
func Migrate(ctx context.Context, from, to Store, progress func(n int)) error {
	stats, err := from.Stats(ctx)
	if err != nil {
		return err
	}
	done := 0
	for _, space := range stats.Spaces {
		after := ""
		for {
			entries, err := from.List(ctx, listAll(space.Space), after, migratePage)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				break
			}
			if _, err := to.Do(ctx, puts(entries)...); err != nil {
				return err
			}
			after = entries[len(entries)-1].Key
			done += len(entries)
			progress(done)
		}
	}
	return nil
}

// listAll is the prefix of all keys of a space; the space without a name has keys without a
// separator.
func listAll(space string) string {
	if space == "" {
		return ""
	}
	return Prefix(space)
}

// puts are the steps that make these entries again. An entered one among them makes the store sync
// them all.
func puts(entries []Entry) []Step {
	steps := make([]Step, len(entries))
	for i, e := range entries {
		steps[i] = Step{op: opPut, key: e.Key, value: e.Value, entered: e.Entered}
		if !e.Until.IsZero() {
			steps[i].at = e.Until.UnixMilli()
		}
	}
	return steps
}
