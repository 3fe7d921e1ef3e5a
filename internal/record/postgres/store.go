package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"mailweir/internal/backend"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// Options are what a store works with.
type Options struct {
	// For is how long entries are kept, Max how many octets they may take, a UTC day at most a
	// quarter of it. 0 is no bound. Both are of the whole database, whichever host wrote.
	For time.Duration
	Max int64
	// Clock is nil for the real one.
	Clock func() time.Time
	// Host is the name of this host.
	Host string
	// Warn says once that a bound leaves something out; nil says nothing.
	Warn func(string)
	// Observer is told when the database goes and when it returns; it may be nil.
	Observer *backend.Observer
	// ReadOnly changes nothing, the schema neither: for commands that look.
	ReadOnly bool
}

// Store is a record in PostgreSQL. The database need not be there when it is opened: what is asked
// meanwhile fails with [record.ErrUnavailable].
type Store struct {
	options Options
	pool    *pgxpool.Pool
	backend *backend.Backend

	mu    sync.Mutex
	ready bool // the schema is what this version works with

	// These are the writer's.
	places places
	known  map[int64]bool       // days whose partitions are there
	told   map[row.Level]string // the day of which that has been said
}

// callWithin bounds what is asked: a batch of 1,000 entries and most answers take far less.
const callWithin = 15 * time.Second

// Open opens the store at a URL. It asks nobody: errors are about the URL.
func Open(spec string, o Options) (*Store, error) {
	cfg, err := parse(spec)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Host = short(clean(o.Host))
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg) // it connects when it is asked
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, pool: pool, known: map[int64]bool{}, told: map[row.Level]string{}}
	s.backend = backend.New(o.Observer.Watch(backend.Options{
		Name: name(cfg), Deadline: callWithin, Unavailable: record.ErrUnavailable, Answered: answered,
		Probe: func(ctx context.Context, _ int) error { return s.probe(ctx) },
	}))
	return s, nil
}

// Close ends all connections.
func (s *Store) Close() error {
	s.backend.Close()
	s.pool.Close()
	return nil
}

// probe asks whether the database is back, and can be written to.
func (s *Store) probe(ctx context.Context) error {
	var standby bool
	if err := s.pool.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return err
	}
	if standby && !s.options.ReadOnly {
		return errors.New("the server is a standby, which cannot be written to; give target_session_attrs=read-write and all hosts in the URL")
	}
	return nil
}

// call asks the database, whose schema is made ready before.
func (s *Store) call(ctx context.Context, ask func(context.Context) error) error {
	return s.backend.Call(ctx, 0, func(ctx context.Context) error {
		err := s.prepare(ctx)
		if err == nil {
			err = ask(ctx)
		}
		if err != nil && !answered(err) {
			s.pool.Reset() // what it has kept open is gone, too
		}
		return oneLine(err)
	})
}

// answered reports whether the server has answered: an error that speaks of what was asked, and not
// of the connection or the whole server.
func answered(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return !lost(said)
	}
	var newer *NewerError
	return errors.As(err, &newer) || errors.Is(err, errTooOld) || errors.Is(err, errNoRecord) || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, errRow)
}

// lost reports whether the server said that it is going, is full of clients, or is a standby:
// connection exceptions, the operator's intervention, system errors, writing to what can only be
// read.
func lost(said *pgconn.PgError) bool {
	switch {
	case said.Code == "57014": // query_canceled
		return false
	case said.Severity == "FATAL", said.Severity == "PANIC", said.Code == "25006":
		return true
	}
	return slices.Contains([]string{"08", "57", "58"}, said.Code[:min(2, len(said.Code))])
}

// oneLine is an error in one line, for the log.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return &lineError{connect}
	}
	return err
}

// lineError is a failure to connect, in one line: pgx tells of each address in a line of its own.
type lineError struct{ err *pgconn.ConnectError }

func (e *lineError) Error() string { return joinLines(e.err.Error()) }

func (e *lineError) Unwrap() error { return e.err }

// within carries out what changes something, in one transaction.
func (s *Store) within(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, do)
}

// errRow marks an error about what is to be kept, or was.
var errRow = errors.New("record")

func rowError(err error) error { return fmt.Errorf("%w: %w", errRow, err) }
