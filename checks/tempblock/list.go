package tempblock

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// readEntry reads an entry of the list.
func readEntry(net string, row state.Entry) (e Entry) {
	_ = json.Unmarshal(row.Value, &e) // another hand's words change nothing about the block
	e.Net, e.Until = net, row.Until
	return e
}

// List returns the temporary block list, at most 10,000 entries, in the order of their names.
func List(ctx context.Context, store state.Store) (list []Entry, err error) {
	for row, err := range state.All(ctx, store, state.Prefix(listSpace)) {
		if err != nil {
			return nil, err
		}
		if len(list) == entry.MaxListed {
			break
		}
		if _, parts := state.Parts(row.Key); len(parts) == 1 {
			list = append(list, readEntry(parts[0], row))
		}
	}
	return list, nil
}

// enter puts a client on the list for that time, or with 0 until it is taken off. It takes the
// place of an entry that is there.
func enter(ctx context.Context, store state.Store, client netip.Addr, life time.Duration, by entry.Origin) error {
	by.Note = policy.Clean(by.Note)
	_, err := store.Do(ctx, state.Put(listKey(history.Net(client)), Entry{Origin: by}.value(), life).Entered())
	return err
}

// takeOff takes a client off the list, and reports whether it was there. What was counted against
// it is forgotten, else its next offence would bring it back.
func takeOff(ctx context.Context, store state.Store, client netip.Addr) (bool, error) {
	net := history.Net(client)
	counts, err := store.List(ctx, state.Prefix(countSpace, net), "", 1000)
	if err != nil {
		return false, err
	}
	steps := []state.Step{state.Delete(listKey(net)).Entered(), state.Delete(pastKey(net))}
	for _, row := range counts {
		steps = append(steps, state.Delete(row.Key))
	}
	results, err := store.Do(ctx, steps...)
	if err != nil {
		return false, err
	}
	return results[0].Done, nil
}
