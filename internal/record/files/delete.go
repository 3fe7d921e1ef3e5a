package files

import (
	"context"
	"database/sql"
	"fmt"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// Delete takes out every entry about an address, whoever else it is about, and its name out of the
// audit. What it was is overwritten, in the file and in its log (secure_delete).
func (s *Store) Delete(ctx context.Context, address string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == nil {
		return 0, errReadOnly
	}
	days, err := s.days()
	if err != nil {
		return 0, err
	}
	forget, sum := row.NewForget(address), 0
	for _, file := range days {
		n, err := s.deleteIn(ctx, file, forget)
		sum += n
		if err != nil {
			return sum, fmt.Errorf("record: %s: %w", file.path, err)
		}
	}
	return sum, nil
}

func (s *Store) deleteIn(ctx context.Context, file dayFile, forget *row.Forget) (int, error) {
	d, err := s.open(ctx, file)
	if err != nil {
		return 0, err
	}
	defer s.closeDay(d)
	entries, err := d.about(ctx, forget)
	if err != nil {
		return 0, err
	}
	changes, err := d.changesAbout(ctx, forget)
	if err != nil || len(entries)+len(changes) == 0 {
		return 0, err
	}
	err = d.within(ctx, func(w *writing) error {
		for _, e := range entries {
			if err := w.delete(e); err != nil {
				return err
			}
		}
		w.sums[metaEntries] -= int64(len(entries))
		return w.replaceChanges(changes)
	})
	if err != nil {
		return 0, err
	}
	return len(entries), d.empty(ctx)
}

// about are the entries about an address.
func (d *day) about(ctx context.Context, forget *row.Forget) ([]record.Entry, error) {
	c := condition{from: "entry e NOT INDEXED", position: "e.position"}
	if text := row.Part(forget.Text()); text != "" {
		like := row.Like(text)
		c.and(`(e.sender LIKE ? ESCAPE '\' OR e.login LIKE ? ESCAPE '\' OR e.rest LIKE ? ESCAPE '\' OR e.shown LIKE ? ESCAPE '\')`, like, like, like, like)
	}
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
		if forget.Concerns(e) {
			entries = append(entries, e)
		}
	}
	return entries, rows.Err()
}

// changesAbout are the rows of the audit that name an address, without its name.
func (d *day) changesAbout(ctx context.Context, forget *row.Forget) ([]record.Change, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT position, rest FROM change")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var changes []record.Change
	for rows.Next() {
		var p record.Position
		var rest []byte
		if err := rows.Scan(&p, &rest); err != nil {
			return nil, err
		}
		if c, err := row.DecodeChange(p, rest); err == nil && forget.Change(&c) {
			changes = append(changes, c)
		}
	}
	return changes, rows.Err()
}

func (w *writing) replaceChanges(changes []record.Change) error {
	for _, c := range changes {
		if _, err := w.tx.ExecContext(w.ctx, "DELETE FROM change WHERE position = ?", int64(c.Position)); err != nil {
			return err
		}
		if err := w.change(c); err != nil {
			return err
		}
	}
	return nil
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
