package postgres

import (
	"cmp"
	"context"
	"encoding"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"mailweir/internal/record"
)

// kindOf is what the rollup tells apart.
type kindOf struct {
	day                       int64
	minute                    time.Time
	kind                      record.Kind
	check, mode, action, fate string
}

// of is the kind of an entry.
func (kindOf) of(e record.Entry) kindOf {
	k := kindOf{day: dayOf(e.Position), minute: e.Time().UTC().Truncate(time.Minute), kind: record.Messages}
	if v := e.Event; v != nil {
		k.kind, k.check, k.mode, k.action = record.Decisions, clean(v.Check), v.Mode.String(), v.Action.String()
		return k
	}
	k.check, k.fate = clean(e.Message.Check), e.Message.Fate.String()
	return k
}

// times is how many events an entry stands for.
func times(e record.Entry) int {
	if e.Event != nil && e.Event.Dedup != nil {
		return e.Event.Dedup.Times
	}
	return 1
}

// sum adds a batch to the rollup and to the days. The first of a sum has been counted already.
func (s *Store) sum(ctx context.Context, tx pgx.Tx, b *batch, replaced map[record.Position]bool) error {
	days := map[int64]*daySum{}
	at := func(p record.Position) *daySum {
		day := days[dayOf(p)]
		if day == nil {
			day = &daySum{}
			days[dayOf(p)] = day
		}
		day.top = max(day.top, p)
		return day
	}
	for _, r := range b.rows {
		at(r.Position).add(r.Time, !replaced[r.Position])
	}
	for _, c := range b.changes {
		at(c.Position)
	}
	if err := s.addCounts(ctx, tx, b.counts); err != nil {
		return err
	}
	return s.addDays(ctx, tx, b.leftOut, days)
}

// addCounts adds to the rows of this host alone, so that hosts never wait for one another.
func (s *Store) addCounts(ctx context.Context, tx pgx.Tx, counts map[kindOf]int) error {
	var queue pgx.Batch
	for _, k := range slices.SortedFunc(maps.Keys(counts), compareKinds) {
		queue.Queue(`INSERT INTO mailweir_counts AS c (position, minute, host, kind, "check", mode, action, fate, n) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (minute, "check", kind, mode, action, fate, host, position) DO UPDATE SET n = c.n + excluded.n`,
			k.day, k.minute, s.options.Host, int16(k.kind), short(k.check), k.mode, k.action, k.fate, counts[k])
	}
	if queue.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &queue).Close()
}

// compareKinds puts what is changed into one order, so that two writers of one host's name end,
// too.
func compareKinds(a, b kindOf) int {
	return cmp.Or(cmp.Compare(a.day, b.day), a.minute.Compare(b.minute), cmp.Compare(a.check, b.check), cmp.Compare(a.kind, b.kind),
		cmp.Compare(a.mode, b.mode), cmp.Compare(a.action, b.action), cmp.Compare(a.fate, b.fate))
}

// daySum is what a batch adds to a day.
type daySum struct {
	first, last time.Time // of its entries, zero without any
	top         record.Position
	entries     int64
}

func (d *daySum) add(t time.Time, isNew bool) {
	if d.first.IsZero() || t.Before(d.first) {
		d.first = t
	}
	if t.After(d.last) {
		d.last = t
	}
	if isNew {
		d.entries++
	}
}

func (s *Store) addDays(ctx context.Context, tx pgx.Tx, leftOut int64, days map[int64]*daySum) error {
	for _, day := range slices.Sorted(maps.Keys(days)) {
		d := days[day]
		if _, err := tx.Exec(ctx, `INSERT INTO mailweir_days AS d (position, host, first, last, top, entries, left_out) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (position, host) DO UPDATE SET first = least(d.first, excluded.first), last = greatest(d.last, excluded.last),
			top = greatest(d.top, excluded.top), entries = d.entries + excluded.entries, left_out = d.left_out + excluded.left_out`,
			day, s.options.Host, timeOrNull(d.first), timeOrNull(d.last), int64(d.top), d.entries, leftOut); err != nil {
			return err
		}
		leftOut = 0
	}
	return nil
}

// Counts sums the rollup.
func (s *Store) Counts(ctx context.Context, since, until time.Time, bucket time.Duration) (counts []record.Count, err error) {
	bucket = max(bucket.Truncate(time.Minute), time.Minute)
	err = s.call(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, `SELECT to_timestamp(floor(extract(epoch FROM minute) / $3) * $3), "check", mode, action, fate, kind, sum(n)::bigint
			FROM mailweir_counts WHERE ($1::timestamptz IS NULL OR minute >= $1) AND ($2::timestamptz IS NULL OR minute < $2)
			GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0 ORDER BY 1, 2, 6, 3, 4, 5`, timeOrNull(floor(since, bucket)), timeOrNull(until), int64(bucket/time.Second))
		if err != nil {
			return err
		}
		counts, err = pgx.CollectRows(rows, scanCount)
		return err
	})
	return counts, err
}

func scanCount(row pgx.CollectableRow) (record.Count, error) {
	var c record.Count
	var mode, action, fate string
	if err := row.Scan(&c.Time, &c.Check, &mode, &action, &fate, &c.Kind, &c.N); err != nil {
		return c, err
	}
	c.Time = c.Time.UTC()
	if c.Kind == record.Messages {
		return c, readName(&c.Fate, fate)
	}
	return c, errors.Join(readName(&c.Mode, mode), readName(&c.Action, action))
}

// readName reads what the database has by name: numbers of ours may change.
func readName(into encoding.TextUnmarshaler, name string) error {
	if err := into.UnmarshalText([]byte(name)); err != nil {
		return rowError(err)
	}
	return nil
}

// floor is the beginning of the bucket that a time is in.
func floor(t time.Time, bucket time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	width := int64(bucket / time.Second)
	return time.Unix(t.Unix()-(t.Unix()%width+width)%width, 0)
}

// timeOrNull is NULL for the zero time, which bounds nothing.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
