package files

import (
	"context"
	"database/sql"
	"fmt"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// Delete takes out every entry that names an address, whoever else it is about. What it was is
// overwritten, in the file and in its log (secure_delete).
func (s *Store) Delete(ctx context.Context, address string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	days, err := s.days()
	if err != nil {
		return 0, err
	}
	key, sum := record.Key(address), 0
	for _, file := range days {
		n, err := s.deleteIn(ctx, file, key)
		sum += n
		if err != nil {
			return sum, fmt.Errorf("record: %s: %w", file.path, err)
		}
	}
	return sum, nil
}

func (s *Store) deleteIn(ctx context.Context, file dayFile, key string) (int, error) {
	d, err := s.open(ctx, file)
	if err != nil {
		return 0, err
	}
	defer s.closeDay(d)
	entries, err := d.naming(ctx, key)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	err = d.within(ctx, func(w *writing) error {
		for _, e := range entries {
			if err := w.delete(e); err != nil {
				return err
			}
		}
		w.sums[metaEntries] -= int64(len(entries))
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(entries), d.empty(ctx)
}

// naming are the entries that name an address.
func (d *day) naming(ctx context.Context, key string) ([]record.Entry, error) {
	like := row.Like(row.Part(key))
	c := condition{from: "entry e NOT INDEXED", position: "e.position"}
	c.and(`(e.sender = ? OR e.login = ? OR e.rest LIKE ? ESCAPE '\' OR e.shown LIKE ? ESCAPE '\' OR
		e.position IN (SELECT position FROM found WHERE kind = ? AND value = ?))`, key, key, like, like, int(row.KeyRecipient), key)
	first, last := d.bounds()
	rows, err := d.db.QueryContext(ctx, c.statement(true), append(c.args, int64(first), int64(last))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []record.Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			if code(err) != 0 {
				return nil, err
			}
			continue
		}
		if e.Names(key) {
			entries = append(entries, e)
		}
	}
	return entries, rows.Err()
}

func (w *writing) delete(e record.Entry) error {
	r, err := row.Encode(e)
	if err != nil {
		return err
	}
	if _, err := w.tx.ExecContext(w.ctx, "DELETE FROM entry WHERE position = ?", int64(e.Position)); err != nil {
		return err
	}
	for _, k := range r.Keys {
		if _, err := w.tx.ExecContext(w.ctx, "DELETE FROM found WHERE kind = ? AND value = ? AND position = ?", int(k.Kind), k.Value, int64(e.Position)); err != nil {
			return err
		}
	}
	return nil
}

// empty writes the log to the file and leaves nothing in it.
func (d *day) empty(ctx context.Context) error {
	var busy, log, written sql.NullInt64
	if err := d.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &written); err != nil {
		return err
	}
	if busy.Int64 != 0 {
		return fmt.Errorf("the entries are deleted, but somebody reads the file, and its log still has them: give the command again")
	}
	return nil
}
