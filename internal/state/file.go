package state

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// File is a store in one directory, for one process. Rows lie in a bbolt file, which the kernel
// maps; what was written since the last checkpoint lies in memory over it, so everyone reads what
// was written, and in a journal, which is synced about every second, or at once when a person
// entered something. A checkpoint every few seconds writes the rows down in the order of keys,
// sweeps what ended, and ends the journal.
type File struct {
	single
	dir     string
	options Options
	db      *rowsFile
	damage  atomic.Pointer[DamagedError] // once it was met
	holder  *holder

	// pending is taken for reading by whoever reads or writes rows, so that no row leaves the
	// overlay for the file between a look at the one and a look at the other; a checkpoint takes it
	// for an instant at its begin and end.
	pending sync.RWMutex
	overlay overlay
	journal *journal
	closed  bool

	syncNow       chan struct{}
	checkpointNow chan struct{}
	stop          chan struct{}
	work          sync.WaitGroup
	checkpointing sync.Mutex
	health        health

	counts   sync.Mutex
	spaces   map[string]SpaceStats
	watchers watchers
	places   places
}

const (
	// syncEvery leaves a sync a fifth of the second that a crash may cost.
	syncEvery = 800 * time.Millisecond
	// checkpointEvery is long enough for many rows to share a page on their way to the file, and
	// for a short journal.
	checkpointEvery = 10 * time.Second
	// checkpointAt is how many rows bring the checkpoint forward.
	checkpointAt = 200_000
	// maxPending bounds what waits for a disk that doesn't keep up, in rows.
	maxPending = 500_000
)

// rowsName is the name of the file of rows.
func rowsName(dir string) string { return filepath.Join(dir, "state.db") }

// OpenFile opens or makes the store in dir. A directory that others can change is a [DirError],
// another process that has it open a [HeldError], a file that is not as it was written a
// [DamagedError].
func OpenFile(dir string, options Options) (*File, error) {
	holder, err := hold(dir)
	if err != nil {
		return nil, err
	}
	db, spaces, err := openRows(rowsName(dir), holder.owner)
	if err != nil {
		return nil, errors.Join(err, holder.release())
	}
	f := &File{
		dir: dir, options: options.withDefaults(), db: db, spaces: spaces, holder: holder,
		syncNow: make(chan struct{}, 1), checkpointNow: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	f.single.doer = f
	f.health = health{onDown: f.options.OnDown, onUp: f.options.OnUp}
	if f.journal, err = openJournal(dir, holder.owner, f.overlay.replay); err != nil {
		return nil, errors.Join(err, db.close(false), holder.release())
	}
	f.overlay.journal = f.journal
	f.work.Go(f.syncs)
	f.work.Go(f.checkpoints)
	return f, nil
}

// Do does the steps. Those of a person are on disk when it returns.
func (f *File) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return Failed(steps, err)
	}
	var results []Result
	var synced <-chan error
	err := f.onRows(func() (err error) {
		results, synced, err = f.steps(steps)
		return err
	})
	if err != nil {
		return Failed(steps, err)
	}
	if synced != nil {
		nudge(f.syncNow)
		if err := f.onDisk(ctx, synced); err != nil {
			for i, s := range steps {
				if s.entered && !s.reads() && results[i].Err == nil {
					results[i].Err = err
				}
			}
		}
		f.watchers.tell(enteredKeys(steps, results)...)
	}
	return results, firstError(results)
}

// onDisk waits for the disk to have what a person entered.
func (f *File) onDisk(ctx context.Context, synced <-chan error) error {
	select {
	case err := <-synced:
		if err != nil {
			return fmt.Errorf("%w; the entry is in force while mailweir runs and will be written when the disk works again, but a restart before that loses it", f.failed(err))
		}
	case <-ctx.Done():
		return fmt.Errorf("not known to be on disk: %w", ctx.Err())
	}
	return nil
}

// steps does the steps in the overlay. The channel, if any, tells when the disk has them. An error
// is that of all steps: the store is closed, or its file damaged.
func (f *File) steps(steps []Step) ([]Result, <-chan error, error) {
	f.pending.RLock()
	defer f.pending.RUnlock()
	if f.closed {
		return nil, nil, ErrClosed
	}
	read := reading{db: f.db.DB}
	defer read.end()
	now := f.options.Clock().UnixMilli()
	results := make([]Result, len(steps))
	entered := false
	for i, s := range steps {
		var err error
		switch wrong := s.check(); {
		case wrong != nil:
			err = wrong
		case !s.reads() && f.overlay.full():
			err = fmt.Errorf("%w: %s does not keep up, or is full", ErrDown, f.dir)
		default:
			results[i], err = f.overlay.step(s, now, &read)
			entered = entered || s.entered && !s.reads() && err == nil
		}
		switch {
		case isDamage(err):
			return nil, nil, err
		case err != nil:
			results[i] = Result{Err: err}
		}
	}
	if f.overlay.rows.Load() >= checkpointAt {
		nudge(f.checkpointNow)
	}
	if !entered {
		return results, nil, nil
	}
	return results, f.journal.wait(), nil
}

// nudge wakes whoever waits on the channel; once is enough.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Acquire takes one of limit places under key. They end with the process.
func (f *File) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	lease := f.places.take(key, limit)
	return lease, lease != nil, nil
}

// Watch calls changed with each key that an entered step changes: this process is the only one.
func (f *File) Watch(prefix string, changed func(string)) (stop func()) {
	return f.watchers.add(prefix, changed)
}

// Waits is false: what was written lately is in memory, the rest in a file that the kernel maps.
func (f *File) Waits() bool { return false }

// Stats counts rows, as of the last checkpoint.
func (f *File) Stats(context.Context) (Stats, error) {
	f.pending.RLock()
	defer f.pending.RUnlock()
	if f.closed {
		return Stats{}, ErrClosed
	}
	stats := Stats{Pending: f.journal.pending(), Leases: f.places.count(), Unwritten: f.health.fails()}
	if stats.Unwritten {
		stats.Notes = append(stats.Notes, f.dir+" cannot be written: what is not yet on disk is in memory only")
	}
	err := f.view(func(tx *bolt.Tx) error {
		stats.Bytes = tx.Size()
		return nil
	})
	f.counts.Lock()
	defer f.counts.Unlock()
	for _, s := range f.spaces {
		stats.Spaces = append(stats.Spaces, s)
	}
	sortSpaces(stats.Spaces)
	return stats, err
}

// Close makes a checkpoint and closes the files. A second call does nothing. Beside a damaged file
// the journal is kept, for a copy that may be restored.
func (f *File) Close() error {
	f.pending.Lock()
	if f.closed {
		f.pending.Unlock()
		return nil
	}
	f.closed = true
	f.pending.Unlock()
	close(f.stop)
	f.work.Wait()
	err := f.Checkpoint()
	damaged := f.damage.Load() != nil
	if damaged {
		err = errors.Join(err, f.journal.sync())
	}
	return errors.Join(err, f.journal.close(), f.db.close(damaged), f.holder.release())
}
