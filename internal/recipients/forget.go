package recipients

import (
	"context"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/state"
)

// page is how many entries are looked at together.
const page = 1000

// Forget forgets what servers have said about an address, or about all of a domain where it has no
// local part; on every host that shares the state. An address goes with all its extensions and
// without: where one was refused, it was because of both. It returns how many
// answers that were.
func Forget(ctx context.Context, store state.Store, what address.Address, delimiters string, now time.Time) (n int, err error) {
	note := state.Put(state.Key(forgottenSpace, what.Domain), strconv.AppendInt(nil, now.UnixNano(), 10), 2*askFor).Entered()
	if _, err := store.Do(ctx, note); err != nil {
		return 0, err
	}
	prefix := state.Prefix(space, what.Domain)
	var steps []state.Step
	forget := func() error {
		if len(steps) == 0 {
			return nil
		}
		gone, err := store.Do(ctx, steps...)
		for _, one := range gone {
			if one.Done {
				n++
			}
		}
		steps = steps[:0]
		return err
	}
	for e, err := range state.All(ctx, store, prefix) {
		if err != nil {
			return n, err
		}
		if !isAbout(e.Key, what, delimiters) {
			continue
		}
		if steps = append(steps, state.Delete(e.Key)); len(steps) == page {
			if err := forget(); err != nil {
				return n, err
			}
		}
	}
	if err := forget(); err != nil || n == 0 {
		return n, err
	}
	// Whoever was asked meanwhile has found an answer that was still there, and has it in memory.
	_, err = store.Do(ctx, note)
	return n, err
}

// isAbout reports whether an entry is about the address, whatever the extension of either, or about
// its domain.
func isAbout(key string, what address.Address, delimiters string) bool {
	_, parts := state.Parts(key)
	if what.Local == "" {
		return true
	}
	if len(parts) < 2 {
		return false
	}
	local := parts[1]
	base := func(local string) string {
		return address.Address{Local: local, Domain: what.Domain}.Base(delimiters).Local
	}
	return base(local) == base(what.Local) || strings.HasPrefix(local, "\x00") // a digest: it may be the one
}
