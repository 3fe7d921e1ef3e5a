package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"mailweir/internal/record"
)

// dayLength is how many positions a UTC day has.
const dayLength = 24 * 60 * 60 * 1_000_000 << 10

// dayOf is the first position of the day of a position.
func dayOf(p record.Position) int64 { return int64(p) - int64(p)%dayLength }

// suffix ends the names of a day's partitions.
func suffix(day int64) string { return record.Position(day).Time().Format(suffixFormat) }

const suffixFormat = "_20060102"

// dateOf is the day of a suffix.
func dateOf(suffix string) time.Time {
	date, _ := time.Parse(suffixFormat, suffix) // one that no calendar has is older than all
	return date
}

// daysAhead is how many days have their partitions before they begin.
const daysAhead = 3

// ensureAhead makes the partitions of today and the days to come.
func (s *Store) ensureAhead(ctx context.Context, now time.Time) error {
	for n := range int64(1 + daysAhead) {
		if err := s.ensureDay(ctx, dayOf(record.PositionAt(now))+n*dayLength); err != nil {
			return err
		}
	}
	return nil
}

// ensureDay makes the partitions of a day, if they are not there.
func (s *Store) ensureDay(ctx context.Context, day int64) error {
	if s.known[day] {
		return nil
	}
	err := s.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT "+lockSchema); err != nil {
			return err
		}
		for _, table := range partitioned {
			if err := attachDay(ctx, tx, "mailweir_"+table, day); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.known[day] = true
	}
	return err
}

// attachDay makes a table and attaches it: CREATE … PARTITION OF would wait for everybody who
// reads, and hold up everybody who writes meanwhile.
func attachDay(ctx context.Context, tx pgx.Tx, table string, day int64) error {
	name := table + suffix(day)
	var there, attached bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL,
		EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1) AND NOT inhdetachpending)`, name).Scan(&there, &attached); err != nil || attached {
		return err
	}
	if there {
		return fmt.Errorf("%s is not a partition of %s: a day that was to be dropped; it is dropped at the next cleaning", name, table)
	}
	_, err := tx.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS); ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)",
		name, table, table, name, day, day+dayLength))
	return err
}

// dropDay takes a day out of the tables, without waiting for anybody who reads: detached first,
// which waits for those who might still see it, and then dropped.
func (s *Store) dropDay(ctx context.Context, conn *pgx.Conn, suffix string) error {
	for _, table := range partitioned {
		if err := dropTable(ctx, conn, "mailweir_"+table, "mailweir_"+table+suffix); err != nil {
			return err
		}
	}
	day := int64(record.PositionAt(dateOf(suffix)))
	delete(s.known, day)
	_, err := conn.Exec(ctx, "DELETE FROM mailweir_days WHERE position = $1", day)
	return err
}

func dropTable(ctx context.Context, conn *pgx.Conn, parent, name string) error {
	var there, attached, pending bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL,
		EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1)),
		EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1) AND inhdetachpending)`, name).Scan(&there, &attached, &pending); err != nil || !there {
		return err
	}
	how := " CONCURRENTLY"
	if pending { // a host went while it detached it
		how = " FINALIZE"
	}
	if attached {
		if _, err := conn.Exec(ctx, "ALTER TABLE "+parent+" DETACH PARTITION "+name+how); err != nil {
			return err
		}
	}
	_, err := conn.Exec(ctx, "DROP TABLE "+name)
	return err
}

// listDays returns the ends of the names of days whose tables are there, attached or not, the
// oldest first, and what each takes.
func listDays(ctx context.Context, q querier) ([]storedDay, error) {
	rows, err := q.Query(ctx, `SELECT right(relname, 9), sum(pg_total_relation_size(oid))::bigint FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname ~ '^mailweir_(`+strings.Join(partitioned[:], "|")+`)_[0-9]{8}$'
		GROUP BY 1 ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d storedDay, err error) {
		if err = row.Scan(&d.suffix, &d.octets); err != nil {
			return d, err
		}
		d.date = dateOf(d.suffix)
		return d, nil
	})
}

// storedDay is a day as the database has it.
type storedDay struct {
	suffix string
	date   time.Time
	octets int64
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}
