package state

import (
	"context"
	"errors"
	"time"
)

// migratePage is how many rows Migrate carries at once.
const migratePage = 1000

// Migrate writes every entry of from to to, with the rest of its life, and calls progress with the number done so far; an entry
// of that key in to is overwritten. Places that are held stay behind. To begin again after an error is harmless.
func Migrate(ctx context.Context, from, to Store, progress func(n int)) error {
	stats, err := from.Stats(ctx)
	if err != nil {
		return err
	}
	now, ok := from.(interface{ now() time.Time })
	if !ok {
		return errors.New("state: this store cannot be migrated from")
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
			if _, err := to.Do(ctx, puts(entries, now.now())...); err != nil {
				return err
			}
			after = entries[len(entries)-1].Key
			done += len(entries)
			progress(done)
		}
	}
	return nil
}

// listAll is the prefix of all keys of a space; the space without a name has keys without a separator.
func listAll(space string) string {
	if space == "" {
		return ""
	}
	return Prefix(space)
}

// puts are the steps that make these entries anew. The last entered one makes the store sync them all.
func puts(entries []Entry, now time.Time) []Step {
	steps := make([]Step, 0, len(entries))
	for _, e := range entries {
		var lifetime time.Duration
		if !e.Until.IsZero() {
			// What ended a moment ago ends in a moment.
			lifetime = max(e.Until.Sub(now), time.Millisecond)
		}
		s := Put(e.Key, e.Value, lifetime)
		if e.Entered {
			s = s.Entered()
		}
		steps = append(steps, s)
	}
	return steps
}
