package record

import (
	"context"
	"iter"
)

// allPage is how many entries [All] has in memory at once.
const allPage = 2000

// All goes through everything that a query asks for, page by page; the query's limit is not asked.
// An error ends it, and comes with an empty entry. What comes into the record meanwhile may be
// seen.
func All(ctx context.Context, r Reader, q Query) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		q := q
		q.Limit = allPage
		for {
			page, err := r.Search(ctx, q)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range page.Entries {
				if !yield(e, nil) {
					return
				}
			}
			if !page.More || !q.next(page) {
				return
			}
		}
	}
}

// next moves the query behind a page, and reports whether that is further than before.
func (q *Query) next(page Page) bool {
	before, after := q.Before, q.After
	switch n := len(page.Entries); {
	case !page.Reached.IsZero() && q.Forward:
		q.After = PositionAt(page.Reached) - 1
		if n > 0 {
			q.After = max(q.After, page.Entries[n-1].Position)
		}
	case !page.Reached.IsZero():
		q.Before = PositionAt(page.Reached)
	case n > 0 && q.Forward:
		q.After = page.Entries[n-1].Position
	case n > 0:
		q.Before = page.Entries[n-1].Position
	}
	return q.Before != before || q.After != after
}
