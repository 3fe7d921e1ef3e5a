package state

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// look calls see with what the overlay knows of the matching keys and a transaction that has all
// the rest.
func (f *File) look(ctx context.Context, match func(key string) bool, see func(map[string]change, *bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.pending.RLock()
	defer f.pending.RUnlock()
	if f.closed {
		return ErrClosed
	}
	over := f.overlay.matching(match)
	return f.view(func(tx *bolt.Tx) error { return see(over, tx) })
}

// List returns entries in the order of keys.
func (f *File) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	if after > prefix && !strings.HasPrefix(after, prefix) {
		return nil, nil // it is beyond them all
	}
	now := f.options.Clock().UnixMilli()
	space := spaceOf(prefix)
	var entries []Entry
	match := func(key string) bool {
		return key > after && strings.HasPrefix(key, prefix) && spaceOf(key) == space
	}
	err := f.look(ctx, match, func(over map[string]change, tx *bolt.Tx) error {
		for key, c := range over {
			if !c.gone && c.alive(now) {
				entries = append(entries, c.entry(key))
			}
		}
		rows := rowsOf(tx, space)
		if rows == nil {
			return nil
		}
		found := 0
		c := rows.Cursor()
		for k, raw := c.Seek(inner(space, max(prefix, after))); k != nil && found < limit && bytes.HasPrefix(k, inner(space, prefix)); k, raw = c.Next() {
			key := space + string(k)
			if _, hidden := over[key]; hidden || key == after {
				continue
			}
			r, err := decodeRow(raw)
			if err != nil {
				return err
			}
			if r.alive(now) {
				entries = append(entries, r.entry(key))
				found++
			}
		}
		return nil
	})
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries[:min(len(entries), limit)], err
}

// Ending returns what ends before that time, soonest first.
func (f *File) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	now, until := f.options.Clock().UnixMilli(), before.UnixMilli()
	var entries []Entry
	match := func(key string) bool { return spaceOf(key) == space }
	err := f.look(ctx, match, func(over map[string]change, tx *bolt.Tx) error {
		for key, c := range over {
			if !c.gone && c.until != 0 && c.until < until && c.alive(now) {
				entries = append(entries, c.entry(key))
			}
		}
		return endingInFile(tx, space, until, func(key string, r row) bool {
			if _, hidden := over[key]; hidden || !r.alive(now) {
				return false
			}
			entries = append(entries, r.entry(key))
			return true
		}, limit)
	})
	slices.SortFunc(entries, func(a, b Entry) int {
		if order := a.Until.Compare(b.Until); order != 0 {
			return order
		}
		return strings.Compare(a.Key, b.Key)
	})
	return entries[:min(len(entries), limit)], err
}

// endingInFile calls take once for each row that ends before until, until it took limit rows in
// their own places: a row that was renewed is met before its end, so by then all that end sooner
// have been met.
func endingInFile(tx *bolt.Tx, space string, until int64, take func(string, row) bool, limit int) error {
	ends, rows := endsOf(tx, space), rowsOf(tx, space)
	if ends == nil {
		return nil
	}
	met := map[string]bool{}
	c := ends.Cursor()
	for raw, _ := c.First(); raw != nil && limit > 0; raw, _ = c.Next() {
		x, err := decodeEnd(space, raw)
		if err != nil {
			return err
		}
		if x.until >= until {
			break
		}
		value := rows.Get(inner(space, x.key))
		if value == nil {
			continue
		}
		r, err := decodeRow(value)
		if err != nil {
			return err
		}
		inPlace := r.end() == x.until
		if taken, again := met[x.key]; again {
			if taken && inPlace {
				limit--
			}
			continue
		}
		if r.until == 0 || r.until >= until {
			continue
		}
		met[x.key] = take(x.key, r)
		if met[x.key] && inPlace {
			limit--
		}
	}
	return nil
}
