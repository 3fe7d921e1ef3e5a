package postgres

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// level is what today has no room for, by what all hosts have written.
func (s *Store) level(ctx context.Context) (row.Level, error) {
	if s.options.Max <= 0 {
		return row.Everything, nil
	}
	day := suffix(dayOf(record.Position(s.places.last * writers)))
	octets, err := sizeOf(ctx, s.pool, day)
	if err != nil {
		return 0, err
	}
	level := row.LevelOf(octets, s.options.Max/4)
	if level > row.Everything && s.told[level] != day {
		s.told[level] = day
		s.options.Warn(fmt.Sprintf("the record of %s takes %d octets, and a day may take a quarter of --record-max=%d: %s",
			dateOf(day).Format(time.DateOnly), octets, s.options.Max, level))
	}
	return level, nil
}

// sizeOf is how much a day takes, with its indexes.
func sizeOf(ctx context.Context, q querier, suffix string) (octets int64, err error) {
	names := make([]string, 0, len(partitioned))
	for _, table := range partitioned {
		names = append(names, "mailweir_"+table+suffix)
	}
	err = q.QueryRow(ctx, "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)::bigint FROM unnest($1::text[]) AS name", names).Scan(&octets)
	return octets, err
}
