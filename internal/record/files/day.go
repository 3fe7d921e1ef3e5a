package files

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// day is one day's file, opened for writing.
type day struct {
	dayFile
	db    *sql.DB
	have  int64          // octets of the file
	left  map[string]int // what has been left out in the commit that is under way, by name in meta
	level row.Level      // what is left out now
}

func openDay(ctx context.Context, file dayFile) (*day, error) {
	db, err := openWriter(ctx, file.path)
	if err != nil {
		return nil, err
	}
	d := &day{dayFile: file, db: db, left: map[string]int{}}
	if err := d.weigh(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

func (d *day) close() error { return d.db.Close() }

// weigh finds out how large the file is, or will be once the log is in it.
func (d *day) weigh(ctx context.Context) error {
	return d.db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&d.have)
}

// last is the greatest position in the file, 0 for none.
func (d *day) last(ctx context.Context) (p record.Position, err error) {
	err = d.db.QueryRowContext(ctx, "SELECT max(coalesce((SELECT max(position) FROM entry), 0), coalesce((SELECT max(position) FROM change), 0))").Scan(&p)
	return p, err
}

// within does something in one commit.
func (d *day) within(ctx context.Context, do func(*writing) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	w := &writing{bound: ctx, ctx: context.WithoutCancel(ctx), tx: tx, day: d, rollup: map[rollupKey]int{}, sums: map[string]int64{}}
	if err := do(w); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := w.finish(); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if err := d.weigh(ctx); err != nil {
		return fmt.Errorf("after the commit: %w", err)
	}
	return nil
}
