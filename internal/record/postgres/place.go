package postgres

import (
	"context"
	"time"

	"mailweir/internal/record"
)

// writers is how many positions a microsecond has: one a writer.
const writers = 1 << 10

// places gives positions: the time of writing, and the number of this writer among all that write
// to the database. The 1,025th writer has the first one's number; should both live and write in the
// same microsecond, the primary key says so, and the later one draws another number.
type places struct {
	last   int64 // microseconds; only the writer asks
	number int64
	drawn  bool
}

// draw takes a number, and begins behind what this host has written: its clock may have been set
// back while nobody wrote.
func (s *Store) draw(ctx context.Context) error {
	if s.places.drawn {
		return nil
	}
	var number, top int64
	if err := s.pool.QueryRow(ctx, "SELECT nextval('mailweir_writers'), (SELECT coalesce(max(top), 0) FROM mailweir_days WHERE host = $1)",
		s.options.Host).Scan(&number, &top); err != nil {
		return err
	}
	s.places.number, s.places.drawn = number%writers, true
	s.places.last = max(s.places.last, top/writers)
	return nil
}

// clockBack is how far the clock may be set back before positions begin again at what it says:
// until then the entries of that time stand in the order in which they came.
const clockBack = 24 * time.Hour

// place is the next position: that of the time of writing, and not before that of what is written.
func (s *Store) place(of time.Time) record.Position {
	now := s.options.Clock()
	if ahead := time.UnixMicro(s.places.last).Sub(now); ahead > clockBack {
		s.places.last = 0
	}
	p := max(s.places.last+1, now.UnixMicro())
	if of.Sub(now) < clockBack {
		p = max(p, of.UnixMicro())
	}
	s.places.last = p
	return record.Position(p*writers + s.places.number)
}
