package greylist

import (
	"context"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// show returns rows of the choice: clients, then what is known, then what waits.
func (c choice) show(ctx context.Context, store state.Store, span policy.Span) (part policy.Part[Row], err error) {
	part.Next, err = c.walk(ctx, store, span, func(found triplet, e state.Entry, space space) (bool, error) {
		row, ok := space.row(found, e)
		if ok && len(part.Rows) == span.Limit {
			return false, nil
		}
		if ok {
			part.Rows = append(part.Rows, row)
		}
		return true, nil
	})
	return part, err
}

// pass makes known, for the time that known triplets are kept: all that waits and is chosen; the
// triplet itself when client, sender and recipient are given; the client's net as a whole when only
// the client is. It returns how many are known now, though an error has ended it.
func (c choice) pass(ctx context.Context, store state.Store, by entry.Origin, keep time.Duration, passes int) (n int, err error) {
	by = by.Clean()
	enter := func(key, value string) error {
		_, err := store.Do(ctx, state.Put(key, []byte(value), keep).Entered())
		if err == nil {
			n++
		}
		return err
	}
	known := by.At.UTC().Format(pendingTime) + " " + by.String()
	switch {
	case c.net != "" && c.sender != "" && c.recipient != "":
		err = enter(c.knownKey(), known)
		return n, err
	case c.net != "" && c.sender == "" && c.recipient == "":
		if err = enter(clientPassesKey(c.net), strconv.Itoa(max(passes, 1))+" "+by.String()); err != nil {
			return n, err
		}
	}
	_, err = c.walk(ctx, store, policy.Span{}, func(found triplet, e state.Entry, _ space) (bool, error) {
		p, ok := readPending(e.Value)
		if !strings.HasPrefix(e.Key, state.Prefix(pendingSpace)) || !ok || p.passed {
			return true, nil
		}
		// Known first: what is only marked as passed would wait again.
		if err := enter(found.knownKey(), known); err != nil {
			return false, err
		}
		p.passed = true
		_, err := store.Do(ctx, state.Swap(e.Key, e.Value, p.value(), e.Until.Sub(by.At)))
		return err == nil, err
	})
	return n, err
}

// pageSize is how many entries are forgotten at once.
const pageSize = 1000

// flush forgets what is chosen, and returns how many rows that were. Clients that are
// known as a whole are among them when neither sender nor recipient is given.
func (c choice) flush(ctx context.Context, store state.Store) (n int, err error) {
	var steps []state.Step
	forget := func() error {
		gone, err := store.Do(ctx, steps...)
		for _, one := range gone {
			if one.Done {
				n++
			}
		}
		steps = steps[:0]
		return err
	}
	_, err = c.walk(ctx, store, policy.Span{}, func(_ triplet, e state.Entry, _ space) (bool, error) {
		if steps = append(steps, state.Delete(e.Key).Entered()); len(steps) < pageSize {
			return true, nil
		}
		return true, forget()
	})
	if err == nil && len(steps) > 0 {
		err = forget()
	}
	return n, err
}
