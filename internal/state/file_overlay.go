package state

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// overlay is what was written and is not in the bbolt file yet, in stripes so that few wait for
// each other.
type overlay struct {
	stripes [64]stripe
	rows    atomic.Int64
	journal *journal
}

type stripe struct {
	mu sync.RWMutex
	// fresh is what the next checkpoint takes; committing is what the present one is writing.
	fresh, committing map[string]change
}

// change is what becomes of a row.
type change struct {
	row
	gone bool
}

var stripeSeed = maphash.MakeSeed()

func (o *overlay) stripe(key string) *stripe {
	return &o.stripes[maphash.String(stripeSeed, key)%uint64(len(o.stripes))]
}

func (o *overlay) full() bool { return o.rows.Load() >= maxPending }

// step does one step on what is here or in the file.
func (o *overlay) step(s Step, now int64, file *reading) (Result, error) {
	at := o.stripe(s.key)
	if s.reads() {
		return o.get(at, s, now, file)
	}
	at.mu.Lock()
	defer at.mu.Unlock()
	was, there, err := at.find(s.key, file)
	if err != nil {
		return Result{}, err
	}
	r, next, effect, err := s.apply(was, there && was.alive(now), now)
	switch {
	case err != nil:
		return Result{}, err
	case effect == writes:
		next.value = bytes.Clone(next.value)
		o.write(at, s.key, change{row: next})
	case effect == removes && there:
		o.write(at, s.key, change{gone: true})
	}
	return r, nil
}

func (o *overlay) get(at *stripe, s Step, now int64, file *reading) (Result, error) {
	at.mu.RLock()
	was, there, known := at.look(s.key)
	at.mu.RUnlock()
	if !known {
		var err error
		if was, there, err = file.row(s.key); err != nil {
			return Result{}, err
		}
	}
	r, _, _, err := s.apply(was, there && was.alive(now), now)
	return r, err
}

func (o *overlay) write(at *stripe, key string, c change) {
	o.set(at, key, c)
	o.journal.add(key, c)
}

func (o *overlay) set(at *stripe, key string, c change) {
	if at.fresh == nil {
		at.fresh = map[string]change{}
	}
	if _, again := at.fresh[key]; !again {
		o.rows.Add(1)
	}
	at.fresh[key] = c
}

// replay sets what the journal says.
func (o *overlay) replay(key string, c change) {
	c.value = bytes.Clone(c.value)
	o.set(o.stripe(key), key, c)
}

// look returns what the overlay knows of a key.
func (at *stripe) look(key string) (was row, there, known bool) {
	c, ok := at.fresh[key]
	if !ok {
		if c, ok = at.committing[key]; !ok {
			return row{}, false, false
		}
	}
	return c.row, !c.gone, true
}

func (at *stripe) find(key string, file *reading) (was row, there bool, err error) {
	if was, there, known := at.look(key); known {
		return was, there, nil
	}
	return file.row(key)
}

// take moves what is fresh to what is being committed, on top of what a failed one has left. The
// caller has f.pending.
func (o *overlay) take() {
	for i := range o.stripes {
		at := &o.stripes[i]
		if at.committing == nil {
			at.committing = at.fresh
		} else {
			for key, c := range at.fresh {
				if _, again := at.committing[key]; again {
					o.rows.Add(-1)
				}
				at.committing[key] = c
			}
		}
		at.fresh = nil
	}
}

// taken returns what is being committed in the order of keys. Nothing changes it meanwhile.
func (o *overlay) taken() []keyed {
	var all []keyed
	for i := range o.stripes {
		for key, c := range o.stripes[i].committing {
			all = append(all, keyed{key, c})
		}
	}
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	return all
}

type keyed struct {
	key string
	change
}

// drop forgets what has been committed. The caller has f.pending.
func (o *overlay) drop(committed int) {
	for i := range o.stripes {
		o.stripes[i].committing = nil
	}
	o.rows.Add(-int64(committed))
}

// matching returns what the overlay knows of keys that match, by key.
func (o *overlay) matching(match func(key string) bool) map[string]change {
	found := map[string]change{}
	for i := range o.stripes {
		at := &o.stripes[i]
		at.mu.RLock()
		for _, rows := range []map[string]change{at.committing, at.fresh} {
			for key, c := range rows {
				if match(key) {
					found[key] = c
				}
			}
		}
		at.mu.RUnlock()
	}
	return found
}

// reading is one look at the file, begun when it is first needed.
type reading struct {
	db *bolt.DB
	tx *bolt.Tx
}

// row returns the row of a key; its value is the file's own memory, good until the reading ends.
func (r *reading) row(key string) (row, bool, error) {
	if r.tx == nil {
		var err error
		if r.tx, err = r.db.Begin(false); err != nil {
			return row{}, false, err
		}
	}
	space := spaceOf(key)
	rows := rowsOf(r.tx, space)
	if rows == nil {
		return row{}, false, nil
	}
	raw := rows.Get(inner(space, key))
	if raw == nil {
		return row{}, false, nil
	}
	found, err := decodeRow(raw)
	return found, err == nil, err
}

func (r *reading) end() {
	if r.tx != nil {
		_ = r.tx.Rollback() // a look has nothing to lose
	}
}
