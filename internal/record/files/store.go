// Package files keeps the record on this host: one SQLite file a UTC day, unlinked when its time is
// over: that costs nothing, and works on a full disk.
package files

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"mailweir/internal/record"
)

// Options are what a [Store] works with.
type Options struct {
	// For is how long entries are kept, 0 for ever. Max is how many octets all files take together,
	// and one day a quarter of it; 0 is no bound.
	For time.Duration
	Max int64
	// Clock is the time; nil is the usual one.
	Clock func() time.Time
	// Warn is told in one sentence of what an administrator should know; nil tells nobody.
	Warn func(string)
}

// Store keeps the record in a directory, one file a UTC day. It may be used from any goroutine.
type Store struct {
	dir string
	Options
	holder *os.File // nil for a store that is only read

	mu      sync.Mutex // of the writer
	writers map[time.Time]*day
	last    record.Position
	ahead   bool // it has been said that the clock was set back far

	telling sync.Mutex
	told    map[string]bool

	reading sync.Mutex
	readers map[time.Time]*sql.DB
}

// Open opens the record in a directory for writing and reading, and makes it where there is none. A
// file that cannot be read is set aside, and said: it keeps nobody from starting.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	holder, err := hold(dir)
	if err != nil {
		return nil, fmt.Errorf("record: %s: %w", dir, err)
	}
	s := newStore(dir, o)
	s.holder = holder
	if err := s.look(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("record: %s: %w", dir, err), s.Close())
	}
	// The file of today is there from the start, so that what the process has open does not change
	// with the first mail. One that cannot be made now is tried again with what is to be written.
	today := s.file(dateOf(record.PositionAt(s.Clock())))
	if _, err := s.open(ctx, today); err != nil {
		s.warn("%s cannot be made yet: %v", today.path, err)
	}
	return s, nil
}

// OpenReadOnly opens the record in a directory for reading, also while a daemon writes to it. The
// error wraps [fs.ErrNotExist] where there is none, and [fs.ErrPermission] where this user may not
// read it.
func OpenReadOnly(dir string, o Options) (*Store, error) {
	s := newStore(dir, o)
	days, err := s.days()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if len(days) > 0 { // the others have the same owner
		if err := unix.Access(days[0].path, unix.R_OK); errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("record: %s: %w", days[0].path, err)
		}
	}
	return s, nil
}

func newStore(dir string, o Options) *Store {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return &Store{dir: dir, Options: o, writers: map[time.Time]*day{}, readers: map[time.Time]*sql.DB{}, told: map[string]bool{}}
}

// look opens every day once: a file of an earlier version is brought up to date, one that is
// damaged is set aside. It finds where the record ends.
func (s *Store) look(ctx context.Context) error {
	days, err := s.days()
	if err != nil {
		return err
	}
	for _, file := range days {
		d, err := s.open(ctx, file)
		if err != nil {
			s.warn("%s cannot be opened, and is not searched: %v", file.path, err)
			continue
		}
		last, err := d.last(ctx)
		s.last = max(s.last, last)
		if err != nil {
			s.warn("%s cannot be read: %v", file.path, err)
		}
		s.closeDay(d)
	}
	return nil
}

// Close ends the use of the record.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	s.reading.Lock()
	for date, db := range s.readers {
		errs = append(errs, db.Close())
		delete(s.readers, date)
	}
	s.reading.Unlock()
	for _, d := range s.writers {
		s.closeDay(d) // which writes all of the log to the file
	}
	if s.holder != nil {
		errs = append(errs, s.holder.Close())
	}
	return errors.Join(errs...)
}

func (s *Store) warn(format string, args ...any) { s.Warn(fmt.Sprintf(format, args...)) }

// once says something only once.
func (s *Store) once(key, format string, args ...any) {
	s.telling.Lock()
	told := s.told[key]
	s.told[key] = true
	s.telling.Unlock()
	if !told {
		s.warn(format, args...)
	}
}

// open opens a day for writing. A file that is damaged is set aside, and another begun.
func (s *Store) open(ctx context.Context, file dayFile) (*day, error) {
	if d := s.writers[file.date]; d != nil {
		return d, nil
	}
	d, err := openDay(ctx, file)
	if damaged(err) {
		if err := s.setAside(file, err); err != nil {
			return nil, err
		}
		d, err = openDay(ctx, file)
	}
	if err != nil {
		return nil, err
	}
	s.writers[file.date] = d
	return d, nil
}

// setAside takes a day out of the record that is damaged, or was written by a later program.
func (s *Store) setAside(file dayFile, why error) error {
	s.forget(file)
	if newer := (newerError{}); errors.As(why, &newer) {
		name, err := file.setAside("newer")
		if err != nil {
			return fmt.Errorf("%s: %w; it cannot be renamed: %w", file.path, why, err)
		}
		s.warn("%s: %v; it is now %s, and the record goes on without it: give it its name back when that one runs again", file.path, why, name)
		return nil
	}
	name, err := file.setAside("damaged")
	if err != nil {
		return fmt.Errorf("%s is damaged (%w), and cannot be renamed: %w", file.path, why, err)
	}
	s.warn("%s is damaged (%v): it is now %s, and the record goes on without it", file.path, why, name)
	return nil
}

// forget closes whatever has a day open.
func (s *Store) forget(file dayFile) {
	if d := s.writers[file.date]; d != nil {
		s.closeDay(d)
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if db := s.readers[file.date]; db != nil {
		_ = db.Close() // nothing was written by it
		delete(s.readers, file.date)
	}
}

func (s *Store) closeDay(d *day) {
	delete(s.writers, d.date)
	if err := d.close(); err != nil {
		s.warn("%s was not closed in order: %v", d.path, err)
	}
}

// reader is the day, opened for reading. It stays open for the next search.
func (s *Store) reader(file dayFile) (*sql.DB, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if db := s.readers[file.date]; db != nil {
		return db, nil
	}
	db, err := openReader(file.path)
	if err == nil {
		s.readers[file.date] = db
	}
	return db, err
}
