package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

func copyChanges(ctx context.Context, tx pgx.Tx, changes []record.Change) error {
	if len(changes) == 0 {
		return nil
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"mailweir_changes"}, []string{"position", "time", "host", "operation", "by", "body"},
		pgx.CopyFromSlice(len(changes), func(i int) ([]any, error) {
			c := changes[i]
			body, err := row.EncodeChange(c)
			if err != nil {
				return nil, rowError(err)
			}
			return []any{int64(c.Position), c.Time, clean(c.Host), clean(c.Operation), clean(c.Name), string(body)}, nil
		}))
	return err
}

// Changes reads the audit, the newest first.
func (s *Store) Changes(ctx context.Context, q record.ChangeQuery) (changes []record.Change, err error) {
	q = q.Normal()
	err = s.call(ctx, func(ctx context.Context) error {
		changes = nil
		for before := q.Before; len(changes) < q.Limit; {
			w := where{}
			w.and("position < $?", int64(orLast(before)))
			if !q.Since.IsZero() {
				w.and("time >= $?", q.Since)
			}
			if !q.Until.IsZero() {
				w.and("time < $?", q.Until)
			}
			rows, err := s.pool.Query(ctx, "SELECT position, body FROM mailweir_changes WHERE "+w.String()+" ORDER BY position DESC LIMIT "+pageSize, w.args...)
			if err != nil {
				return err
			}
			page, err := pgx.CollectRows(rows, scanChange)
			if err != nil {
				return err
			}
			for _, c := range page {
				if before = c.Position; q.Match(c) && len(changes) < q.Limit {
					changes = append(changes, c)
				}
			}
			if len(page) < pageRows {
				break
			}
		}
		return nil
	})
	return changes, err
}

func scanChange(r pgx.CollectableRow) (record.Change, error) {
	var p record.Position
	var body string
	if err := r.Scan(&p, &body); err != nil {
		return record.Change{}, err
	}
	c, err := row.DecodeChange(p, []byte(body))
	if err != nil {
		return c, rowError(err)
	}
	return c, nil
}

// orLast is a bound, or the end of all positions.
func orLast(before record.Position) record.Position {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}
