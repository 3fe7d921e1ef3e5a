package state

import (
	"context"
	"iter"
)

// listPage is how many entries are read at once.
const listPage = 1000

// All yields the entries whose keys begin with prefix, in the order of keys, read a page at a time.
// An error is the last that it yields. What changes meanwhile may or may not be among them.
func All(ctx context.Context, s Store, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for after := ""; ; {
			page, err := s.List(ctx, prefix, after, listPage)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < listPage {
				return
			}
			after = page[len(page)-1].Key
		}
	}
}
