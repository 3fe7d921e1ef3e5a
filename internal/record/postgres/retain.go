package postgres

import (
	"context"
	"time"

	"mailweir/internal/record"
)

// Retain makes the partitions of the days to come, and drops those of days that are over since
// longer than the record goes back, and the oldest ones while all of them take too much. Today's
// stays. One host at a time drops: the others leave it to that one.
func (s *Store) Retain(ctx context.Context, now time.Time) error {
	return s.call(ctx, func(ctx context.Context) error {
		if err := s.ensureAhead(ctx, now); err != nil {
			return err
		}
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		var mine bool
		if err := conn.QueryRow(ctx, "SELECT "+lockRetain).Scan(&mine); err != nil || !mine {
			return err
		}
		defer func() {
			// Whoever cannot give the lock back gives the connection up, which does.
			if _, err := conn.Exec(ctx, "SELECT "+unlock); err != nil {
				_ = conn.Conn().Close(context.WithoutCancel(ctx))
			}
		}()
		days, err := listDays(ctx, conn)
		if err != nil {
			return err
		}
		for _, day := range s.outlived(days, now) {
			if err := s.dropDay(ctx, conn.Conn(), day.suffix); err != nil {
				return err
			}
		}
		return nil
	})
}

// outlived are the days to be dropped, of a list that begins with the oldest.
func (s *Store) outlived(days []storedDay, now time.Time) (old []storedDay) {
	var octets int64
	for _, day := range days {
		octets += day.octets
	}
	today := dateOf(suffix(dayOf(record.PositionAt(now))))
	for _, day := range days {
		late := s.options.For > 0 && !day.date.AddDate(0, 0, 1).After(now.Add(-s.options.For))
		large := s.options.Max > 0 && octets > s.options.Max
		if !day.date.Before(today) || !late && !large {
			break
		}
		old, octets = append(old, day), octets-day.octets
	}
	return old
}

// Extent is what is kept.
func (s *Store) Extent(ctx context.Context) (x record.Extent, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		x = record.Extent{}
		days, err := listDays(ctx, s.pool)
		if err != nil {
			return err
		}
		sizes := map[time.Time]int64{}
		for _, day := range days {
			sizes[day.date] = day.octets
			x.Octets += day.octets
		}
		rows, err := s.pool.Query(ctx, "SELECT position, min(first), max(last), sum(entries)::bigint, sum(left_out)::bigint FROM mailweir_days GROUP BY position ORDER BY position DESC")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var day record.Day
			var p record.Position
			var first, last *time.Time
			if err := rows.Scan(&p, &first, &last, &day.Entries, &day.LeftOut); err != nil {
				return err
			}
			day.Date = p.Time()
			day.Octets = sizes[day.Date]
			x.Days, x.Entries = append(x.Days, day), x.Entries+day.Entries
			if first != nil {
				x.Oldest = earlier(x.Oldest, first.UTC())
			}
			if last != nil && last.After(x.Newest) {
				x.Newest = last.UTC()
			}
		}
		return rows.Err()
	})
	return x, err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
