package state

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// File is a store in one directory, for one process. Rows lie in a bbolt file, which the kernel maps; what was written since
// the last commit lies in memory over it, so everyone reads what was written. A commit about every second, or at once
// when a person entered something, writes it down in key order and sweeps what ended.
type File struct {
	single
	dir     string
	options Options
	limits  limits
	db      *bolt.DB
	holder  *holder

	// pending is taken for reading by whoever reads or writes rows, so that no row leaves the overlay for the file between a
	// look at the one and a look at the other; the committer takes it for an instant before and after a commit.
	pending sync.RWMutex
	overlay overlay
	waiting []chan error // entered steps that the next commit acknowledges
	closed  bool

	commitNow chan struct{}
	stop      chan struct{}
	stopped   chan struct{}
	down      error // of the last commit; the committer's own

	counts   sync.Mutex
	spaces   map[string]SpaceStats
	watchers watchers
	places   places
}

const (
	// commitEvery leaves a commit a fifth of the second that a crash may cost.
	commitEvery = 800 * time.Millisecond
	// maxPending bounds what waits for a disk that doesn't keep up, in rows.
	maxPending = 500_000
)

// OpenFile opens or makes the store in dir. Another process that has it open is a [HeldError].
func OpenFile(dir string, options Options) (*File, error) {
	holder, err := hold(dir)
	if err != nil {
		return nil, err
	}
	db, err := openBolt(filepath.Join(dir, "state.db"))
	if err != nil {
		return nil, errors.Join(err, holder.release())
	}
	f := &File{
		dir: dir, options: options.withDefaults(), db: db, holder: holder,
		commitNow: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	f.single.doer, f.limits = f, f.options.limits()
	if f.spaces, err = readSpaces(db); err != nil {
		return nil, errors.Join(err, db.Close(), holder.release())
	}
	go f.commits()
	return f, nil
}

// Do does the steps. Those of a person are on disk when it returns.
func (f *File) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results, committed, err := f.steps(steps)
	if err != nil || committed == nil {
		return results, err
	}
	select {
	case f.commitNow <- struct{}{}:
	default: // it is told already
	}
	select {
	case err := <-committed:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("not known to be on disk: %w", ctx.Err())
	}
	f.watchers.tell(enteredKeys(steps, results)...)
	return results, nil
}

// steps does the steps in the overlay. The channel, if any, tells when the disk has them.
func (f *File) steps(steps []Step) ([]Result, <-chan error, error) {
	f.pending.RLock()
	defer f.pending.RUnlock()
	if f.closed {
		return nil, nil, ErrClosed
	}
	read := reading{db: f.db}
	defer read.end()
	now := f.options.Clock().UnixMilli()
	results := make([]Result, len(steps))
	entered := false
	for i, s := range steps {
		if err := s.check(); err != nil {
			return nil, nil, err
		}
		if !s.reads() && f.overlay.full() {
			return nil, nil, fmt.Errorf("%w: %s does not keep up, or is full", ErrDown, f.dir)
		}
		var err error
		if results[i], err = f.overlay.step(s, now, &read); err != nil {
			return nil, nil, err
		}
		entered = entered || s.entered && !s.reads()
	}
	if !entered {
		return results, nil, nil
	}
	return results, f.wait(), nil
}

// wait returns a channel that has the result of the commit which takes along everything that is in the overlay now.
func (f *File) wait() <-chan error {
	committed := make(chan error, 1)
	f.counts.Lock()
	defer f.counts.Unlock()
	f.waiting = append(f.waiting, committed)
	return committed
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

// Stats counts rows, as of the last commit.
func (f *File) Stats(context.Context) (Stats, error) {
	f.pending.RLock()
	defer f.pending.RUnlock()
	if f.closed {
		return Stats{}, ErrClosed
	}
	stats := Stats{Pending: int(f.overlay.rows.Load()), Leases: f.places.count()}
	err := f.db.View(func(tx *bolt.Tx) error {
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

// Close commits what is pending and closes the files. A second call does nothing.
func (f *File) Close() error {
	f.pending.Lock()
	if f.closed {
		f.pending.Unlock()
		return nil
	}
	f.closed = true
	f.pending.Unlock()
	close(f.stop)
	<-f.stopped
	return errors.Join(f.commit(), f.db.Close(), f.holder.release())
}
