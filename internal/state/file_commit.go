package state

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// chunkRows bounds the rows of one transaction: bbolt holds each page that it changes in memory.
const chunkRows = 4000

// syncs syncs the journal.
func (f *File) syncs() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-f.syncNow:
		case <-f.stop:
			return
		}
		f.health.tell(&f.health.journal, f.failed(f.journal.sync()))
	}
}

// checkpoints makes checkpoints.
func (f *File) checkpoints() {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-f.checkpointNow:
		case <-f.stop:
			return
		}
		f.health.tell(&f.health.rows, f.Checkpoint())
	}
}

func (f *File) failed(err error) error {
	if err == nil || errors.Is(err, ErrDown) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrUnwritten, f.dir, err)
}

// health says once that the disk fails and once that it works again.
type health struct {
	onDown func(error)
	onUp   func()

	mu            sync.Mutex
	journal, rows bool // what fails
	lost          bool // permanently
}

// tell notes how one of the two went. It speaks under the lock, so that the last word is what is
// so.
func (h *health) tell(part *bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost {
		return
	}
	was := h.journal || h.rows
	*part = err != nil
	is := h.journal || h.rows
	switch {
	case is && !was:
		h.onDown(err)
	case was && !is:
		h.onUp()
	}
}

// fails says whether the disk fails now.
func (h *health) fails() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.journal || h.rows
}

// lose says once that the store is lost, after which there is nothing more to say.
func (h *health) lose(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.lost {
		h.lost = true
		h.onDown(err)
	}
}

// Checkpoint writes every row to the file now, and sweeps what ended and what is too much. What it
// cannot write stays where it is, in memory and in the journal.
func (f *File) Checkpoint() error {
	f.checkpointing.Lock()
	defer f.checkpointing.Unlock()
	return f.checkpoint()
}

func (f *File) checkpoint() error {
	if err := f.lost(); err != nil {
		return err // the journal keeps what there is
	}
	if f.journal.idle() {
		return f.failed(f.sweepAlone())
	}
	superfluous, err := f.journal.rotate(func(take func()) {
		f.pending.Lock()
		defer f.pending.Unlock()
		f.overlay.take()
		take()
	})
	if err != nil {
		return f.failed(err)
	}
	rows := f.overlay.taken()
	if err := f.write(rows); err != nil {
		return f.failed(err)
	}
	f.pending.Lock()
	f.overlay.drop(len(rows))
	f.pending.Unlock()
	return f.failed(f.journal.forget(superfluous))
}

func (f *File) write(rows []keyed) error {
	if len(rows) == 0 {
		return f.sweepAlone()
	}
	for len(rows) > 0 {
		chunk := rows[:min(len(rows), chunkRows)]
		rows = rows[len(chunk):]
		if err := f.update(chunk); err != nil {
			return err
		}
	}
	return nil
}

// sweepAlone sweeps if there is anything to sweep: an idle store writes nothing.
func (f *File) sweepAlone() error {
	due := false
	err := f.view(func(tx *bolt.Tx) (err error) {
		w := f.writing(tx)
		for space := range w.spaces {
			if due, err = w.due(space); due || err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !due {
		return err
	}
	return f.update(nil)
}

// update is one transaction: the rows, and in passing what has ended or is too much.
func (f *File) update(rows []keyed) error {
	var w *writing
	err := f.onRows(func() error {
		return f.db.Update(func(tx *bolt.Tx) error {
			w = f.writing(tx)
			for _, r := range rows {
				if err := w.set(r.key, r.change); err != nil {
					return err
				}
			}
			// Faster than rows come, so that a flood of renewals cannot hold it up.
			if err := w.sweep(4*len(rows) + 1000); err != nil {
				return err
			}
			return w.saveCounts()
		})
	})
	if err != nil {
		return err
	}
	f.counts.Lock()
	defer f.counts.Unlock()
	f.spaces = w.spaces
	return nil
}

// writing is one transaction.
type writing struct {
	tx     *bolt.Tx
	limit  int
	now    int64
	spaces map[string]SpaceStats
	before map[string]SpaceStats
}

func (f *File) writing(tx *bolt.Tx) *writing {
	f.counts.Lock()
	defer f.counts.Unlock()
	return &writing{
		tx: tx, limit: f.options.Rows, now: f.options.Clock().UnixMilli(),
		spaces: maps.Clone(f.spaces), before: f.spaces,
	}
}

// set writes or removes one row. Its place in the order of expiry is only ever made here, or made
// earlier.
func (w *writing) set(key string, c change) error {
	space := spaceOf(key)
	rows, ends, err := w.buckets(space)
	if err != nil {
		return err
	}
	raw := rows.Get(inner(space, key))
	count := w.spaces[space]
	switch {
	case c.gone && raw == nil:
		return nil
	case c.gone:
		count.Rows--
		w.spaces[space] = count
		return rows.Delete(inner(space, key)) // its place is found empty later
	}
	place := c.end()
	if raw == nil {
		count.Rows++
		w.spaces[space] = count
	} else if was, err := decodeRow(raw); err == nil && was.end() <= place {
		place = 0 // it has one at its end or before
	}
	if place != 0 {
		if err := ends.Put(encodeEnd(space, ending{key, place}), nil); err != nil {
			return err
		}
	}
	return rows.Put(inner(space, key), encodeRow(c.row))
}

func (w *writing) buckets(space string) (rows, ends *bolt.Bucket, err error) {
	rows, ends = rowsOf(w.tx, space), endsOf(w.tx, space)
	if rows == nil || ends == nil {
		if rows, err = w.tx.CreateBucketIfNotExists([]byte("r" + space)); err != nil {
			return nil, nil, err
		}
		if ends, err = w.tx.CreateBucketIfNotExists([]byte("e" + space)); err != nil {
			return nil, nil, err
		}
		w.spaces[space] = SpaceStats{Space: space}
	}
	ends.FillPercent = 0.9 // it grows at its end
	return rows, ends, nil
}

func (w *writing) saveCounts() error {
	saved := w.tx.Bucket(spacesBucket)
	for name, count := range w.spaces {
		if count == w.before[name] {
			continue
		}
		if err := saved.Put(spaceKey(name), encodeSpace(count)); err != nil {
			return err
		}
	}
	return nil
}
