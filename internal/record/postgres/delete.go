package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// Delete takes out every entry about an address, and its name out of the audit. It looks at the
// whole record, a window at a time. What a table has lost stands in its pages until VACUUM, which
// is asked for, and in the server's own log and backups, which are the database's administrator's.
func (s *Store) Delete(ctx context.Context, address string) (deleted int, err error) {
	forget := row.NewForget(address)
	var first, last record.Position
	if err := s.call(ctx, func(ctx context.Context) error {
		first, last, err = s.extremes(ctx, record.Query{})
		return err
	}); err != nil {
		return 0, err
	}
	for day := dayOf(first); day <= int64(last); day += dayLength {
		n, err := s.deleteDay(ctx, forget, day)
		if deleted += n; err != nil {
			return deleted, fmt.Errorf("the record of %s: %w", record.Position(day).Time().Format("2006-01-02"), err)
		}
	}
	return deleted, nil
}

// deleteDay goes through a day, so many entries at a time.
func (s *Store) deleteDay(ctx context.Context, forget *row.Forget, day int64) (deleted int, err error) {
	for first := record.Position(day); ; {
		full := false
		if err := s.call(ctx, func(ctx context.Context) error {
			n := 0
			n, first, full, err = s.deleteSome(ctx, forget, first, record.Position(day+dayLength-1))
			deleted += n
			return err
		}); err != nil {
			return deleted, err
		}
		if !full {
			break
		}
	}
	return deleted, s.call(ctx, func(ctx context.Context) error { return s.forgetChanges(ctx, forget, day) })
}

// deleteSome deletes what concerns the address among the next entries that might, and says where to
// continue, if it is not the end.
func (s *Store) deleteSome(ctx context.Context, forget *row.Forget, first, last record.Position) (deleted int, next record.Position, more bool, err error) {
	w := selection{}
	w.text(row.Part(forget.Text()))
	sql, args := w.statement(first, last, true, pageRows)
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return 0, first, false, err
	}
	n := 0
	var gone []row.Row
	next = first
	for rows.Next() {
		e, p, err := scan(rows)
		if err != nil {
			rows.Close()
			return 0, first, false, err
		}
		n, next = n+1, p+1
		if forget.Concerns(e) {
			r, err := row.Encode(e)
			if err != nil {
				rows.Close()
				return 0, first, false, rowError(err)
			}
			gone = append(gone, r)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, first, false, err
	}
	return len(gone), next, n == pageRows, s.drop(ctx, gone)
}

// drop deletes rows with their keys.
func (s *Store) drop(ctx context.Context, rows []row.Row) error {
	if len(rows) == 0 {
		return nil
	}
	return s.within(ctx, func(tx pgx.Tx) error {
		var queue pgx.Batch
		for _, r := range rows {
			queue.Queue("DELETE FROM mailweir_entries WHERE position = $1", int64(r.Position))
			queue.Queue("UPDATE mailweir_days SET entries = entries - 1 WHERE position = $1 AND host = $2", dayOf(r.Position), short(r.Host))
			for _, k := range r.Keys {
				queue.Queue("DELETE FROM mailweir_keys WHERE kind = $1 AND value = $2 AND position = $3", int16(k.Kind), short(k.Value), int64(r.Position))
			}
		}
		return tx.SendBatch(ctx, &queue).Close()
	})
}

// forgetChanges takes the address out of the audit of a day, and has the day's tables cleaned.
func (s *Store) forgetChanges(ctx context.Context, forget *row.Forget, day int64) error {
	rows, err := s.pool.Query(ctx, "SELECT position, body FROM mailweir_changes WHERE position BETWEEN $1 AND $2", day, day+dayLength-1)
	if err != nil {
		return err
	}
	changes, err := pgx.CollectRows(rows, scanChange)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if !forget.Change(&c) {
			continue
		}
		body, err := row.EncodeChange(c)
		if err != nil {
			return rowError(err)
		}
		if _, err := s.pool.Exec(ctx, "UPDATE mailweir_changes SET body = $1, by = $2 WHERE position = $3", string(body), clean(c.Name), int64(c.Position)); err != nil {
			return err
		}
	}
	for _, table := range partitioned {
		if _, err := s.pool.Exec(ctx, "VACUUM mailweir_"+table+suffix(day)); err != nil {
			return err
		}
	}
	return nil
}
