package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mailweir/internal/policy"
)

// Remote is the record of another process of this host: that of the successor while a service is
// upgraded. It takes entries, and answers no search: whoever searches asks that process.
type Remote struct {
	Call func(ctx context.Context, method string, in, out any) error
}

// MethodImport is what a [Remote] asks of the other process, which answers by [Sink.Import].
const MethodImport = "record.import"

// Imported is what goes there, as JSON.
type Imported struct {
	Entries []ImportedEntry `json:"entries,omitempty"`
	Changes []Change        `json:"changes,omitempty"`
}

// ImportedEntry is an [Entry] without its position, which the other process gives.
type ImportedEntry struct {
	Event   *policy.Event       `json:"event,omitempty"`
	Message *policy.Transaction `json:"message,omitempty"`
}

// Write sends entries and rows of the audit to the other process, which has them when it returns.
func (r *Remote) Write(ctx context.Context, entries []Entry, changes []Change) error {
	sent := Imported{Changes: changes}
	for _, e := range entries {
		sent.Entries = append(sent.Entries, ImportedEntry{e.Event, e.Message})
	}
	if err := r.Call(ctx, MethodImport, sent, nil); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Retain does nothing: that is the other process's.
func (r *Remote) Retain(context.Context, time.Time) error { return nil }

var errElsewhere = errors.New("the record is another process's by now: give the command again")

// Delete is the other process's.
func (r *Remote) Delete(context.Context, string) (int, error) { return 0, errElsewhere }

// Search is the other process's.
func (r *Remote) Search(context.Context, Query) (Page, error) { return Page{}, errElsewhere }

// Counts is the other process's.
func (r *Remote) Counts(context.Context, time.Time, time.Time, time.Duration) ([]Count, error) {
	return nil, errElsewhere
}

// Changes is the other process's.
func (r *Remote) Changes(context.Context, ChangeQuery) ([]Change, error) { return nil, errElsewhere }

// Extent is the other process's.
func (r *Remote) Extent(context.Context) (Extent, error) { return Extent{}, errElsewhere }

// Close does nothing: the record is the other process's.
func (r *Remote) Close() error { return nil }

// Import keeps what another process of this host has decided, as if it had been decided here, and
// returns when it is kept. Whoever looks on sees it.
func (s *Sink) Import(ctx context.Context, of Imported) error {
	var entries []Entry
	for _, e := range of.Entries {
		if (e.Event == nil) == (e.Message == nil) {
			return errors.New("record: an entry is an event or a message")
		}
		entries = append(entries, Entry{Event: e.Event, Message: e.Message})
	}
	over := make(chan error, 1)
	task := func(context.Context) {
		err := s.call(func(ctx context.Context) error { return s.store.Write(ctx, entries, of.Changes) })
		if err == nil {
			s.mu.Lock()
			s.written(entries, of.Changes)
			s.mu.Unlock()
		}
		over <- err
	}
	if err := s.ask(task); err != nil {
		return err
	}
	select {
	case err := <-over:
		return err
	case <-s.ended:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
