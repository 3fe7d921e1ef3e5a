package files

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// writing is one commit to a day's file.
type writing struct {
	*day
	bound  context.Context // of the whole
	ctx    context.Context // has no end: the driver would start a goroutine for each statement
	tx     *sql.Tx
	insert *sql.Stmt
	found  [foundAtOnce + 1]*sql.Stmt // by how many keys they write
	keys   []foundKey                 // that wait to be written in order

	late   int64
	rollup map[rollupKey]int
	sums   map[string]int64 // what is added to meta
}

// rollupKey is what is counted together.
type rollupKey struct {
	minute                    int64
	kind                      record.Kind
	check, mode, action, fate string
}

const columns = "position, kind, time, id, session, number, host, client, net, sender, sender_domain, login, check_name, mode, action, code, fates, service, direction, shown, rest"

var insertEntry = "INSERT OR REPLACE INTO entry (" + columns + ") VALUES (?" + strings.Repeat(",?", strings.Count(columns, ",")) + ")"

// entry keeps one entry, or leaves it out. The position of a sum becomes that of its first event.
func (w *writing) entry(of *record.Entry) error {
	e := *of
	if v := e.Event; v != nil && v.Dedup != nil {
		p, err := findIn(w.ctx, w.tx, v.ID)
		if err != nil {
			return err
		}
		if p != 0 {
			e.Position, of.Position = p, p
			return w.sum(e)
		}
	}
	w.count(e, times(e))
	if w.leavesOut(&e) {
		return nil
	}
	w.sums[metaEntries]++
	return w.put(e)
}

// sum puts the sum of events in the place of their first.
func (w *writing) sum(e record.Entry) error {
	w.count(e, times(e)-1)
	w.thin(&e)
	return w.put(e)
}

// times is how many events an entry stands for.
func times(e record.Entry) int {
	if e.Event != nil && e.Event.Dedup != nil {
		return e.Event.Dedup.Times
	}
	return 1
}

func (w *writing) count(e record.Entry, n int) {
	key := rollupKey{minute: floor(e.Time().Unix(), 60), kind: record.Messages}
	if v := e.Event; v != nil {
		key.kind, key.check, key.mode, key.action = record.Decisions, v.Check, v.Mode.String(), v.Action.String()
	} else {
		key.check, key.fate = e.Message.Check, e.Message.Fate.String()
	}
	w.rollup[key] += n
}

// floor rounds down, also before 1970.
func floor(n, to int64) int64 { return n - ((n%to)+to)%to }

// put writes the row of an entry, over one of the same position.
func (w *writing) put(e record.Entry) error {
	if err := errors.Join(w.bound.Err(), w.prepare()); err != nil {
		return err
	}
	r, err := row.Encode(e)
	if err != nil {
		return err
	}
	w.late = max(w.late, int64(r.Position>>10)-r.Time.UnixMicro())
	var client, net, mode, action any
	if r.Client.IsValid() {
		client, net = r.Client.String(), netBlob(r.Net.Addr())
	}
	var code, fates any
	if r.Kind == record.Decisions {
		mode, action, code = r.Mode.String(), r.Action.String(), r.Code
	} else {
		fates = r.Fates
	}
	if _, err := w.insert.ExecContext(w.ctx,
		int64(r.Position), int(r.Kind), r.Time.UnixMicro(), text(r.ID), text(r.Session), r.Transaction, text(r.Host), client, net,
		text(r.Sender), text(r.SenderDomain), text(r.Login), text(r.Check), mode, action, code, fates,
		text(string(r.Service)), text(r.Direction), text(r.Shown), string(r.Rest)); err != nil {
		return err
	}
	return w.find(r)
}

// foundKey is a row of the table found.
type foundKey struct {
	row.Key
	position record.Position
}

// find notes the keys by which an entry is found.
func (w *writing) find(r row.Row) error {
	for _, k := range r.Keys {
		w.keys = append(w.keys, foundKey{k, r.Position})
	}
	if len(w.keys) < foundHeld {
		return nil
	}
	return w.writeKeys()
}

const (
	// foundHeld is how many keys are held at most until they are written in order.
	foundHeld = 8192
	// foundAtOnce is how many go into one statement: a statement costs as much as a row.
	foundAtOnce = 64
)

// writeKeys writes the keys that are held. In their order each page of the table is looked up once,
// not once a key.
func (w *writing) writeKeys() error {
	slices.SortFunc(w.keys, func(a, b foundKey) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value), cmp.Compare(a.position, b.position))
	})
	args := make([]any, 0, 3*foundAtOnce)
	for some := range slices.Chunk(w.keys, foundAtOnce) {
		args = args[:0]
		for _, k := range some {
			args = append(args, int(k.Kind), k.Value, int64(k.position))
		}
		statement, err := w.foundStatement(len(some))
		if err != nil {
			return err
		}
		if _, err := statement.ExecContext(w.ctx, args...); err != nil {
			return err
		}
	}
	w.keys = w.keys[:0]
	return nil
}

// foundStatement writes so many keys.
func (w *writing) foundStatement(n int) (s *sql.Stmt, err error) {
	if s = w.found[n]; s == nil {
		s, err = w.tx.PrepareContext(w.ctx, "INSERT OR IGNORE INTO found VALUES (?,?,?)"+strings.Repeat(",(?,?,?)", n-1))
		w.found[n] = s
	}
	return s, err
}

func (w *writing) prepare() (err error) {
	if w.insert == nil {
		w.insert, err = w.tx.PrepareContext(w.ctx, insertEntry)
	}
	return err
}

// text is a text for a column: none is NULL, which no index has.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// finish writes what has been added up.
func (w *writing) finish() error {
	if err := w.writeKeys(); err != nil {
		return err
	}
	for key, n := range w.rollup {
		if _, err := w.tx.ExecContext(w.ctx, "INSERT INTO rollup VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
			key.minute, int(key.kind), key.check, key.mode, key.action, key.fate, n); err != nil {
			return err
		}
	}
	for name, n := range w.sums {
		if _, err := w.tx.ExecContext(w.ctx, "INSERT INTO meta VALUES (?,?) ON CONFLICT DO UPDATE SET value = value + excluded.value", name, n); err != nil {
			return err
		}
	}
	_, err := w.tx.ExecContext(w.ctx, "INSERT INTO meta VALUES (?,?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)", metaLate, w.late)
	return err
}

// queryer is a database or a commit.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// find is the position of the decision of an id, 0 where it is not in the file.
func (d *day) find(ctx context.Context, id string) (record.Position, error) {
	return findIn(ctx, d.db, id)
}

func findIn(ctx context.Context, in queryer, id string) (p record.Position, err error) {
	err = in.QueryRowContext(ctx, "SELECT position FROM entry INDEXED BY entry_id WHERE id = ?", strings.ToLower(id)).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return p, err
}

// limit sees to it that a day takes no more than its share.
func (s *Store) limit(d *day) {
	d.level = row.LevelOf(d.have, s.Max/4)
	if d.level > row.Everything {
		s.once(d.path+d.level.String(), "the record of %s takes %d octets, and a day may take a quarter of --record-max=%d: %s", d.date.Format(dateFormat), d.have, s.Max, d.level)
	}
}

// leavesOut reports whether a bound leaves the entry out, and counts it.
func (w *writing) leavesOut(e *record.Entry) bool {
	if !w.level.LeavesOut(*e) {
		w.thin(e)
		return false
	}
	if w.level == row.Nothing {
		w.sums[metaEvents]++
	} else {
		w.sums[metaAccepted]++
	}
	return true
}

// thin takes the queries out of a decision where the day has no room for them.
func (w *writing) thin(e *record.Entry) {
	if w.level.Thin(e) {
		w.sums[metaQueries]++
	}
}
