package state

import (
	"context"
	"iter"
	"strings"
)

// listPage is how many entries are read at once.
const listPage = 1000

// All yields the entries whose keys begin with prefix, in the order of keys, read a page at a time.
// An error is the last that it yields. What changes meanwhile may or may not be among them.
func All(ctx context.Context, s Store, prefix string) iter.Seq2[Entry, error] {
	return AllAfter(ctx, s, prefix, "")
}

// AllAfter is [All] for those that come after the key after. A key that does not begin with prefix
// begins no list: then all are yielded.
func AllAfter(ctx context.Context, s Store, prefix, after string) iter.Seq2[Entry, error] {
	if !strings.HasPrefix(after, prefix) {
		after = ""
	}
	return func(yield func(Entry, error) bool) {
		for after := after; ; {
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
