package files

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// Counts sums the rollup, which has minutes: since is rounded down to a bucket, and a bucket to
// minutes. A zero until is no bound.
func (s *Store) Counts(ctx context.Context, since, until time.Time, bucket time.Duration) ([]record.Count, error) {
	width := max(int64(bucket/time.Minute)*60, 60)
	from := floor(since.Unix(), width)
	if until.IsZero() {
		until = endless
	}
	sums := map[record.Count]int{}
	err := s.each(ctx, func(ctx context.Context, file dayFile, db *sql.DB) error {
		if file.date.AddDate(0, 0, 1).Before(since) || file.date.After(until.Add(clockBack)) {
			return nil
		}
		rows, err := db.QueryContext(ctx, `SELECT minute - (minute - ?) % ?, kind, check_name, mode, action, fate, sum(n) FROM rollup
			WHERE minute >= ? AND minute < ? GROUP BY 1, 2, 3, 4, 5, 6`, from, width, from, until.Unix())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c record.Count
			var at int64
			var mode, action, fate string
			var n int
			if err := rows.Scan(&at, &c.Kind, &c.Check, &mode, &action, &fate, &n); err != nil {
				return err
			}
			c.Time = time.Unix(at, 0).UTC()
			if c.Kind == record.Decisions {
				err = errors.Join(c.Mode.UnmarshalText([]byte(mode)), c.Action.UnmarshalText([]byte(action)))
			} else {
				err = c.Fate.UnmarshalText([]byte(fate))
			}
			if err == nil { // what a later version counts is not known here
				sums[c] += n
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	list := make([]record.Count, 0, len(sums))
	for c, n := range sums {
		c.N = n
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b record.Count) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Mode, b.Mode),
			cmp.Compare(a.Action, b.Action), cmp.Compare(a.Fate, b.Fate))
	})
	return list, nil
}

// endless is later than every entry.
var endless = time.Unix(1<<40, 0)

// each does something with each day, the newest first. A day that is damaged or has just gone is
// left out.
func (s *Store) each(ctx context.Context, do func(context.Context, dayFile, *sql.DB) error) error {
	days, err := s.days()
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	for _, file := range days {
		err := s.one(ctx, file, do)
		switch {
		case errors.Is(err, errFull):
			return nil
		case damaged(err):
			s.once("damaged"+file.path, "%s is damaged, and not searched: %v", file.path, err)
		case gone(file, err):
		case err != nil:
			return fmt.Errorf("record: %s: %w", file.path, err)
		}
	}
	return nil
}

func (s *Store) one(ctx context.Context, file dayFile, do func(context.Context, dayFile, *sql.DB) error) error {
	db, err := s.reader(file)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return denied(file.path, do(ctx, file, db))
}

// Changes are rows of the audit, the newest first.
func (s *Store) Changes(ctx context.Context, q record.ChangeQuery) ([]record.Change, error) {
	q = q.Normal()
	var list []record.Change
	err := s.each(ctx, func(ctx context.Context, file dayFile, db *sql.DB) error {
		before := q.Before
		if _, last := file.bounds(); before == 0 {
			before = last + 1
		}
		rows, err := db.QueryContext(ctx, "SELECT position, rest FROM change WHERE position < ? ORDER BY position DESC", int64(before))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p record.Position
			var rest []byte
			if err := rows.Scan(&p, &rest); err != nil {
				return err
			}
			c, err := row.DecodeChange(p, rest)
			if err != nil {
				s.once("change"+file.path, "%v", err)
				continue
			}
			if q.Match(c) {
				list = append(list, c)
			}
			if len(list) == q.Limit {
				return errFull
			}
		}
		return rows.Err()
	})
	return list, err
}

// Extent says what is kept.
func (s *Store) Extent(ctx context.Context) (record.Extent, error) {
	var x record.Extent
	err := s.each(ctx, func(ctx context.Context, file dayFile, db *sql.DB) error {
		d := record.Day{Date: file.date, Octets: file.octets()}
		var first, last sql.NullInt64
		if err := db.QueryRowContext(ctx, "SELECT (SELECT min(position) FROM entry), (SELECT max(position) FROM entry)").Scan(&first, &last); err != nil {
			return err
		}
		var err error
		if d.Entries, err = meta(ctx, db, metaEntries); err != nil {
			return err
		}
		for _, name := range []string{metaAccepted, metaQueries, metaEvents} {
			n, err := meta(ctx, db, name)
			if err != nil {
				return err
			}
			d.LeftOut += n
		}
		x.Days = append(x.Days, d)
		x.Entries += d.Entries
		x.Octets += d.Octets
		if first.Valid {
			x.Oldest = record.Position(first.Int64).Time()
			if x.Newest.IsZero() {
				x.Newest = record.Position(last.Int64).Time()
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return record.Extent{}, err
	}
	return x, err
}

// meta is a value of the table meta, 0 where it is not there yet.
func meta(ctx context.Context, db *sql.DB, name string) (n int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM meta WHERE name = ?), 0)", name).Scan(&n)
	return n, err
}
