package state

import (
	"fmt"
	"maps"
	"time"

	bolt "go.etcd.io/bbolt"
)

// chunkRows bounds the rows of one transaction: bbolt holds each page that it changes in memory.
const chunkRows = 4000

// commits is the one goroutine that writes.
func (f *File) commits() {
	defer close(f.stopped)
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-f.commitNow:
		case <-f.stop:
			return
		}
		f.tellHealth(f.commit())
	}
}

// tellHealth says once that the disk fails and once that it works again.
func (f *File) tellHealth(err error) {
	was := f.down
	f.down = err
	switch {
	case err != nil && was == nil:
		f.options.OnDown(err)
	case err == nil && was != nil:
		f.options.OnUp()
	}
}

// commit writes down what is pending, sweeps, and answers those who wait. What it cannot write stays pending.
func (f *File) commit() error {
	f.pending.Lock()
	f.overlay.take()
	f.counts.Lock()
	waiting := f.waiting
	f.waiting = nil
	f.counts.Unlock()
	f.pending.Unlock()

	rows := f.overlay.taken()
	err := f.write(rows)
	if err == nil {
		f.pending.Lock()
		f.overlay.drop(len(rows))
		f.pending.Unlock()
	} else {
		err = fmt.Errorf("%w: %s: %w", ErrDown, f.dir, err)
	}
	for _, committed := range waiting {
		committed <- err
	}
	return err
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
	err := f.db.View(func(tx *bolt.Tx) error {
		w := f.writing(tx)
		for space := range w.spaces {
			due = due || w.due(space)
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
	err := f.db.Update(func(tx *bolt.Tx) error {
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
	limits limits
	now    int64
	spaces map[string]SpaceStats
	before map[string]SpaceStats
}

func (f *File) writing(tx *bolt.Tx) *writing {
	f.counts.Lock()
	defer f.counts.Unlock()
	return &writing{
		tx: tx, limits: f.limits, now: f.options.Clock().UnixMilli(),
		spaces: maps.Clone(f.spaces), before: f.spaces,
	}
}

// set writes or removes one row. Its place in the order of expiry is only ever made here, or made earlier.
func (w *writing) set(key string, c change) error {
	space := spaceOf(key)
	rows, ends, err := w.buckets(space)
	if err != nil {
		return err
	}
	raw := rows.Get([]byte(key))
	count := w.spaces[space]
	switch {
	case c.gone && raw == nil:
		return nil
	case c.gone:
		count.Rows--
		w.spaces[space] = count
		return rows.Delete([]byte(key)) // its place is found empty later
	}
	place := c.end()
	if raw == nil {
		count.Rows++
		w.spaces[space] = count
	} else if was, err := decodeRow(raw); err == nil && was.end() <= place {
		place = 0 // it has one at its end or before
	}
	if place != 0 {
		if err := ends.Put(encodeEnd(ending{key, place}), nil); err != nil {
			return err
		}
	}
	return rows.Put([]byte(key), encodeRow(c.row))
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
