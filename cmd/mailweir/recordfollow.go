package main

import (
	"context"
	"errors"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// What programs ask the daemon about its record.
const (
	recordFlush  = "record/flush"
	recordFollow = "record/follow"
)

// followed is a request of [recordFollow]: what has come after a position, or will within some
// time.
type followed struct {
	Query record.Query `json:"query"`
	// After is the position that the last answer gave; 0 begins with what comes now.
	After record.Position `json:"after"`
	// Wait is for how long to wait for the first entry, at most 25 s.
	Wait time.Duration `json:"wait"`
}

// follows is the answer: entries in order, at most 1,000, and where to go on.
type follows struct {
	Entries []record.Entry  `json:"entries"`
	Next    record.Position `json:"next"`
}

const (
	followEntries = 1000
	followWait    = 25 * time.Second
)

// recordOperations are those that programs use. r is asked when they are carried out: it is nil
// where nothing is recorded. sums has the sums of events told that are still open.
func recordOperations(r func() *recording, sums func()) policy.OperationGroup {
	nothing := func() error { return &admin.UnavailableError{Text: "the daemon keeps no record (--record)"} }
	flush := func(ctx context.Context, _ *policy.Call, _ policy.Nothing) (policy.Nothing, error) {
		if r() == nil {
			return policy.Nothing{}, nil
		}
		err := r().sink.Flush(ctx)
		if errors.Is(err, record.ErrUnavailable) {
			err = &admin.UnavailableError{Text: err.Error()}
		}
		return policy.Nothing{}, err
	}
	follow := func(ctx context.Context, _ *policy.Call, f followed) (follows, error) {
		if r() == nil {
			return follows{}, nothing()
		}
		return r().follow(ctx, f)
	}
	unasked := func(*policy.Flags) func([]string) (followed, error) {
		return func([]string) (followed, error) { return followed{}, nil }
	}
	remove := func(ctx context.Context, address string) (int, error) {
		if r() == nil {
			return 0, nothing()
		}
		sums() // or one that has the address would come afterwards
		return r().sink.Delete(ctx, address)
	}
	return policy.OperationGroup{Name: "record", Operations: []policy.Operation{
		policy.NewOperation(policy.About{Name: "flush", Hidden: true, Quiet: true, Daemon: true}, policy.Unasked, flush, nil),
		policy.NewOperation(policy.About{Name: "follow", Hidden: true, Quiet: true, Daemon: true, May: []policy.Role{}}, unasked, follow, nil),
		deleteOperation(remove),
	}}
}

// follow waits for entries. It looks into the store for them: so none is left out, however long ago
// the last call was.
func (r *recording) follow(ctx context.Context, f followed) (follows, error) {
	watch := r.sink.Watch() // before the search, so that nothing comes between
	defer watch.Close()
	q := f.Query.Normal()
	q.Forward, q.After, q.Limit = true, f.After, followEntries
	if f.After == 0 {
		newest, err := r.store.Search(ctx, record.Query{Limit: 1})
		if err != nil {
			return follows{}, err
		}
		if q.After = record.PositionAt(time.Now()); len(newest.Entries) > 0 {
			q.After = max(q.After, newest.Entries[0].Position)
		}
	}
	waiting, cancel := context.WithTimeout(ctx, min(f.Wait, followWait))
	defer cancel()
	defer context.AfterFunc(r.ending, cancel)()
	for {
		page, err := r.store.Search(ctx, q)
		if err != nil {
			return follows{}, err
		}
		if n := len(page.Entries); n > 0 {
			return follows{page.Entries, page.Entries[n-1].Position}, nil
		}
		if !page.Reached.IsZero() {
			q.After = record.PositionAt(page.Reached) - 1
			continue
		}
		if err := awaitMatch(waiting, watch, q); err != nil {
			if ctx.Err() == nil {
				err = nil // nothing came in time
			}
			return follows{Entries: []record.Entry{}, Next: q.After}, err
		}
	}
}

// awaitMatch waits for an entry that is wanted.
func awaitMatch(ctx context.Context, w *record.Watch, q record.Query) error {
	for {
		entries, lost, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if lost > 0 {
			return nil
		}
		for _, e := range entries {
			if q.Match(e) {
				return nil
			}
		}
	}
}
