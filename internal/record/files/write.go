package files

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// Write keeps entries and rows of the audit. Each day's are one commit; nearly always that is one
// day. When the disk is full, old days make room.
func (s *Store) Write(ctx context.Context, entries []record.Entry, changes []record.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == nil {
		return errReadOnly
	}
	pieces, err := s.plan(ctx, entries, changes)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if err := s.makingRoom(func() error { return s.writePiece(ctx, p.file, p) }); err != nil {
			return err
		}
	}
	return nil
}

// makingRoom does something again while old days make room for it. What it has done stays done:
// each commit is tried by itself.
func (s *Store) makingRoom(do func() error) error {
	for {
		err := do()
		if err == nil || !s.full(err) || !s.makeRoom() {
			return err
		}
	}
}

// errReadOnly is about a store that was opened for reading.
var errReadOnly = errors.New("record: it was opened for reading only")

// full reports whether an error comes from a full disk.
func (s *Store) full(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		return true
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return scarce(s.dir)
	}
	return false
}

// piece is what goes into one day.
type piece struct {
	file    dayFile
	entries []*record.Entry
	changes []*record.Change
}

// plan gives everything its position, and says what goes into which day. Sums whose first event
// stands there already have been put in its place.
func (s *Store) plan(ctx context.Context, entries []record.Entry, changes []record.Change) ([]*piece, error) {
	var pieces []*piece
	at := func(p record.Position) *piece {
		file := s.file(dateOf(p))
		i := slices.IndexFunc(pieces, func(p *piece) bool { return p.file == file })
		if i < 0 {
			i, pieces = len(pieces), append(pieces, &piece{file: file})
		}
		return pieces[i]
	}
	now := s.Clock()
	next := func(of time.Time) record.Position {
		s.last = s.after(s.last, now, of)
		return s.last
	}
	for i := range entries {
		e := &entries[i]
		if e.Position = 0; e.Event != nil && e.Event.Dedup != nil {
			done := false
			err := s.makingRoom(func() (err error) { done, err = s.replace(ctx, e); return err })
			if err != nil {
				return nil, err
			}
			if done {
				continue
			}
			// Its first may be in this very batch, before it.
		}
		e.Position = next(e.Time())
		p := at(e.Position)
		p.entries = append(p.entries, e)
	}
	for i := range changes {
		c := &changes[i]
		c.Position = next(c.Time)
		p := at(c.Position)
		p.changes = append(p.changes, c)
	}
	return pieces, nil
}

// clockBack is how far the clock may be set back before positions begin again at what it says:
// until then the entries of that time stand in the order in which they came.
const clockBack = 24 * time.Hour

// after is the position after another one: that of the time of writing, and not before that of the
// entry.
func (s *Store) after(last record.Position, now, of time.Time) record.Position {
	if ahead := last.Time().Sub(now); ahead > clockBack {
		if !s.ahead {
			s.warn("the record has entries of %s, and it is %s: the clock was wrong, then or now; what comes is kept under the time it says now", last.Time().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
		s.ahead, last = true, 0
	}
	p := max(record.PositionAt(now), last+1)
	if of.Sub(now) < clockBack {
		p = max(p, record.PositionAt(of))
	}
	return p
}

func (s *Store) writePiece(ctx context.Context, file dayFile, p *piece) error {
	d, err := s.open(ctx, file)
	if err == nil {
		s.limit(d)
		err = d.within(ctx, func(w *writing) error { return w.piece(p) })
	}
	if damaged(err) {
		if err := s.setAside(file, err); err != nil {
			return err
		}
		if d, err = s.open(ctx, file); err == nil {
			err = d.within(ctx, func(w *writing) error { return w.piece(p) })
		}
	}
	if err != nil {
		s.forget(file) // whatever the matter was, the next try begins with the file as it is
		return fmt.Errorf("%s: %w", file.path, err)
	}
	return nil
}

func (w *writing) piece(p *piece) error {
	for _, e := range p.entries {
		if err := w.entry(e); err != nil {
			return err
		}
	}
	for _, c := range p.changes {
		if err := w.change(*c); err != nil {
			return err
		}
	}
	return nil
}

// replace puts a sum in the place of its first event, where that one is in an earlier commit.
func (s *Store) replace(ctx context.Context, e *record.Entry) (done bool, err error) {
	days, err := s.days()
	if err != nil {
		return false, err
	}
	// The first was written soon after its time, or later where the queue was long or the clock set
	// back.
	from := dateOf(record.PositionAt(e.Event.Time))
	for _, file := range slices.Backward(days) {
		if file.date.Before(from) || file.date.After(from.AddDate(0, 0, 2)) {
			continue
		}
		switch done, err := s.replaceIn(ctx, file, e); {
		case done:
			return true, nil
		case err == nil:
		case ctx.Err() != nil || s.full(err):
			return false, err
		case damaged(err):
			if err := s.setAside(file, err); err != nil {
				s.once(file.path, "%v", err)
			}
		default: // such as an owner that changed: one day's file must not cost what other days take
			s.forget(file)
			s.once(file.path, "%s cannot be written to (%v): sums of what it has stand in another day", file.path, err)
		}
	}
	return false, nil
}

func (s *Store) replaceIn(ctx context.Context, file dayFile, e *record.Entry) (done bool, err error) {
	d, err := s.open(ctx, file)
	if err != nil {
		return false, err
	}
	p, err := d.find(ctx, e.Event.ID)
	if err != nil || p == 0 {
		return false, err
	}
	s.limit(d)
	sum := *e
	sum.Position = p
	if err := d.within(ctx, func(w *writing) error { return w.sum(sum) }); err != nil {
		return false, err
	}
	e.Position = p
	return true, nil
}

// change keeps a row of the audit.
func (w *writing) change(c record.Change) error {
	rest, err := row.EncodeChange(c)
	if err != nil {
		return err
	}
	_, err = w.tx.ExecContext(w.ctx, "INSERT INTO change VALUES (?,?,?,?,?)", c.Position, c.Time.UnixMicro(), c.Operation, c.Name, string(rest))
	return err
}
