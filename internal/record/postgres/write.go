package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// batch is what one commit keeps.
type batch struct {
	rows    []row.Row
	sums    map[string]kindOf // of events that were alike, by id
	changes []record.Change
	counts  map[kindOf]int
	leftOut int64 // accepted messages and queries
}

// Write keeps a batch in one transaction. The positions stay in entries when it fails, so that a
// batch that is given again, and had been kept after all, is not kept twice.
func (s *Store) Write(ctx context.Context, entries []record.Entry, changes []record.Change) error {
	if len(entries)+len(changes) == 0 {
		return nil
	}
	return s.call(ctx, func(ctx context.Context) error {
		if err := s.draw(ctx); err != nil {
			return err
		}
		news, newChanges := entries, changes
		if s.position(entries, changes) {
			var err error
			if news, newChanges, err = s.unkept(ctx, entries, changes); err != nil {
				return err
			}
		}
		err := s.write(ctx, news, newChanges)
		if taken(err) { // by another writer of the same number
			s.places.drawn = false
			if err := s.draw(ctx); err != nil {
				return err
			}
			unplace(news, newChanges)
			s.position(news, newChanges)
			err = s.write(ctx, news, newChanges)
		}
		return err
	})
}

// position gives entries and changes their positions, and reports whether they had them.
func (s *Store) position(entries []record.Entry, changes []record.Change) (again bool) {
	place := func(p *record.Position, of time.Time) {
		if *p != 0 {
			again = true
			return
		}
		*p = s.place(of)
	}
	for i := range entries {
		place(&entries[i].Position, entries[i].Time())
	}
	for i := range changes {
		place(&changes[i].Position, changes[i].Time)
	}
	return again
}

func unplace(entries []record.Entry, changes []record.Change) {
	for i := range entries {
		entries[i].Position = 0
	}
	for i := range changes {
		changes[i].Position = 0
	}
}

// taken reports whether a position has been somebody else's.
func taken(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "23505"
}

// unkept is what of a batch has not been kept: the connection may have gone before the writer was
// told of the commit.
func (s *Store) unkept(ctx context.Context, entries []record.Entry, changes []record.Change) ([]record.Entry, []record.Change, error) {
	positions := make([]int64, 0, len(entries)+len(changes))
	for _, e := range entries {
		positions = append(positions, int64(e.Position))
	}
	for _, c := range changes {
		positions = append(positions, int64(c.Position))
	}
	rows, err := s.pool.Query(ctx, `SELECT position, time FROM mailweir_entries WHERE position = ANY($1)
		UNION ALL SELECT position, time FROM mailweir_changes WHERE position = ANY($1)`, positions)
	if err != nil {
		return nil, nil, err
	}
	there := map[record.Position]int64{}
	var p record.Position
	var t time.Time
	if _, err := pgx.ForEachRow(rows, []any{&p, &t}, func() error { there[p] = t.UnixMicro(); return nil }); err != nil || len(there) == 0 {
		return entries, changes, err
	}
	kept := func(p record.Position, of time.Time) bool {
		micro, ok := there[p]
		return ok && micro == of.UnixMicro()
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e record.Entry) bool { return kept(e.Position, e.Time()) }),
		slices.DeleteFunc(slices.Clone(changes), func(c record.Change) bool { return kept(c.Position, c.Time) }), nil
}

// write keeps what has its positions.
func (s *Store) write(ctx context.Context, entries []record.Entry, changes []record.Change) error {
	for _, day := range daysOf(entries, changes) {
		if err := s.ensureDay(ctx, day); err != nil {
			return err
		}
	}
	level, err := s.level(ctx)
	if err != nil {
		return err
	}
	b, err := s.encode(entries, changes, level)
	if err != nil {
		return err
	}
	return s.within(ctx, func(tx pgx.Tx) error {
		replaced, err := b.replace(ctx, tx)
		if err != nil {
			return err
		}
		if level == row.Nothing {
			b.leaveOutNew(replaced)
		}
		if err := copyRows(ctx, tx, b.rows, replaced); err != nil {
			return err
		}
		if err := copyChanges(ctx, tx, b.changes); err != nil {
			return err
		}
		return s.sum(ctx, tx, b, replaced)
	})
}

// encode makes rows of entries. The sum of events whose first is in the batch, too, takes its
// place.
func (s *Store) encode(entries []record.Entry, changes []record.Change, level row.Level) (*batch, error) {
	b := &batch{rows: make([]row.Row, 0, len(entries)), sums: map[string]kindOf{}, changes: changes, counts: map[kindOf]int{}}
	at := map[string]int{}
	for _, e := range entries {
		kind := kindOf{}.of(e)
		b.counts[kind] += times(e)
		sum := e.Event != nil && e.Event.Dedup != nil
		if level.LeavesOut(e) && !sum {
			b.leftOut++
			continue
		}
		if level.Thin(&e) {
			b.leftOut++
		}
		r, err := row.Encode(e)
		if err != nil {
			return nil, rowError(err)
		}
		if i, ok := at[r.ID]; ok && sum {
			b.counts[kind]--
			r.Position = b.rows[i].Position
			b.rows[i] = r
			continue
		}
		if sum {
			b.sums[r.ID] = kind
		}
		if r.ID != "" {
			at[r.ID] = len(b.rows)
		}
		b.rows = append(b.rows, r)
	}
	return b, nil
}

// daysOf are the days of a batch, once each.
func daysOf(entries []record.Entry, changes []record.Change) (days []int64) {
	see := func(p record.Position) {
		if day := dayOf(p); !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	for _, e := range entries {
		see(e.Position)
	}
	for _, c := range changes {
		see(c.Position)
	}
	return days
}

// sumWithin is how far back the first of events may have been written whose sum comes now: the sum
// comes within minutes, but the first may have waited in the queue.
const sumWithin = 48 * time.Hour

// replace takes out the firsts of the sums in the batch, and puts the sums in their positions,
// which it returns.
func (b *batch) replace(ctx context.Context, tx pgx.Tx) (map[record.Position]bool, error) {
	if len(b.sums) == 0 {
		return nil, nil
	}
	var ids []string
	at := map[string]int{}
	for i, r := range b.rows {
		if _, sum := b.sums[r.ID]; sum {
			ids, at[r.ID] = append(ids, short(r.ID)), i
		}
	}
	oldest := b.rows[len(b.rows)-1].Position - record.Position(sumWithin.Microseconds())<<10
	found, err := tx.Query(ctx, "DELETE FROM mailweir_entries WHERE left(id, 255) = ANY($1) AND id <> '' AND position >= $2 RETURNING id, position", ids, int64(oldest))
	if err != nil {
		return nil, err
	}
	replaced := map[record.Position]bool{}
	var id string
	var p record.Position
	_, err = pgx.ForEachRow(found, []any{&id, &p}, func() error {
		if i, ok := at[id]; ok && !replaced[p] {
			b.rows[i].Position, replaced[p] = p, true
			b.counts[b.sums[id]]-- // it has been counted as the first
		}
		return nil
	})
	return replaced, err
}

// leaveOutNew leaves out the sums whose first is not kept.
func (b *batch) leaveOutNew(replaced map[record.Position]bool) {
	all := len(b.rows)
	b.rows = slices.DeleteFunc(b.rows, func(r row.Row) bool { return !replaced[r.Position] })
	b.leftOut += int64(all - len(b.rows))
}

var entryColumns = []string{
	"position", "kind", "time", "id", "session", "transaction", "host", "client", "sender", "sender_domain", "login",
	"check", "mode", "action", "code", "fates", "service", "direction", "shown", "rest",
}

// copyRows keeps rows and their keys. What a row replaces has left its keys, which stay.
func copyRows(ctx context.Context, tx pgx.Tx, rows []row.Row, replaced map[record.Position]bool) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"mailweir_entries"}, entryColumns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := &rows[i]
		var client any
		if r.Client.IsValid() {
			client = r.Client
		}
		var mode, action string // of a decision
		if r.Kind == record.Decisions {
			mode, action = r.Mode.String(), r.Action.String()
		}
		return []any{
			int64(r.Position), int16(r.Kind), r.Time, r.ID, r.Session, r.Transaction, r.Host, client, r.Sender, r.SenderDomain, r.Login,
			r.Check, mode, action, int16(r.Code), r.Fates, string(r.Service), r.Direction, r.Shown, string(r.Rest),
		}, nil
	}))
	if err != nil {
		return err
	}
	keys, err := newKeys(ctx, tx, rows, replaced)
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"mailweir_keys"}, []string{"position", "kind", "value"}, pgx.CopyFromSlice(len(keys), func(i int) ([]any, error) {
		return []any{int64(keys[i].position), int16(keys[i].kind), keys[i].value}, nil
	}))
	return err
}

// storedKey is a key as the database has it.
type storedKey struct {
	position record.Position
	kind     row.KeyKind
	value    string
}

// newKeys are the keys of rows, without those that what they replace has left.
func newKeys(ctx context.Context, tx pgx.Tx, rows []row.Row, replaced map[record.Position]bool) ([]storedKey, error) {
	var keys []storedKey
	var positions []int64
	var kinds []int16
	var values []string
	for i := range rows {
		r := &rows[i]
		for _, k := range r.Keys {
			keys = append(keys, storedKey{r.Position, k.Kind, short(k.Value)})
			if replaced[r.Position] {
				positions, kinds, values = append(positions, int64(r.Position)), append(kinds, int16(k.Kind)), append(values, short(k.Value))
			}
		}
	}
	if len(positions) == 0 {
		return keys, nil
	}
	found, err := tx.Query(ctx, `SELECT k.position, k.kind, k.value FROM unnest($1::bigint[], $2::smallint[], $3::text[]) AS n (position, kind, value)
		JOIN mailweir_keys k ON k.kind = n.kind AND k.value = n.value AND k.position = n.position`, positions, kinds, values)
	if err != nil {
		return nil, err
	}
	there := map[storedKey]bool{}
	var k storedKey
	if _, err := pgx.ForEachRow(found, []any{&k.position, &k.kind, &k.value}, func() error { there[k] = true; return nil }); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(keys, func(k storedKey) bool { return there[k] }), nil
}

// maxKey bounds what an index holds: PostgreSQL refuses a row of an index beyond 2,700 octets.
const maxKey = 255

// short is a key as the index has it: what is longer is found by its beginning, and then compared.
func short(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxKey {
			return s[:i]
		}
	}
	return s
}
