package events

import (
	"slices"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// Events of the same check, client and sender domain are written singly up to foldAfter in foldSpan; the rest share one
// id and one line, so that a flood can fill neither log nor memory.
const (
	foldAfter  = 10
	foldSpan   = time.Minute
	foldCauses = 10     // different causes that one line names
	foldKeys   = 10_000 // keys that are watched at once; beyond it nothing is folded that is not watched yet
)

type foldKey struct {
	check, client, domain string
	action                policy.Action
}

// fold counts the events of one key in one span.
type fold struct {
	key   foldKey
	begun time.Time
	count int
	id    string // of the events from foldAfter on
	first *policy.Event
	// causes are what the folded events were about, the first few of them.
	causes []string
}

// folded is how many events share the fold's id.
func (f *fold) folded() int { return f.count - foldAfter }

type folds struct {
	clock func() time.Time

	mu    sync.Mutex
	open  map[foldKey]*fold
	sweep time.Time
}

func newFolds(clock func() time.Time) *folds {
	return &folds{clock: clock, open: map[foldKey]*fold{}, sweep: clock()}
}

func keyOf(e *policy.Event) foldKey {
	return foldKey{check: e.Check, client: e.Client.String(), domain: address.Parse(e.Sender).Domain, action: e.Action}
}

// identify returns the event's id, and the folds whose span has ended.
func (fs *folds) identify(e *policy.Event) (id string, ended []*fold) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	now := fs.clock()
	if now.Sub(fs.sweep) >= foldSpan {
		fs.sweep = now
		ended = fs.expire(now)
	}
	key := keyOf(e)
	f := fs.open[key]
	if f != nil && now.Sub(f.begun) >= foldSpan {
		if f.folded() > 1 {
			ended = append(ended, f)
		}
		f = nil
	}
	if f == nil {
		if len(fs.open) >= foldKeys {
			return newID(), ended
		}
		f = &fold{key: key, begun: now}
		fs.open[key] = f
	}
	f.count++
	switch {
	case f.folded() <= 0:
		return newID(), ended
	case f.id == "":
		f.id = newID()
	}
	return f.id, ended
}

// record reports whether the event has been logged before, under the same id.
func (fs *folds) record(e *policy.Event) (repeated bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.open[keyOf(e)]
	if f == nil || f.id != e.ID {
		return false
	}
	if !slices.Contains(f.causes, e.Cause) && len(f.causes) < foldCauses {
		f.causes = append(f.causes, e.Cause)
	}
	if f.first == nil {
		f.first = e
		return false
	}
	return true
}

func (fs *folds) expire(now time.Time) (ended []*fold) {
	for key, f := range fs.open {
		if now.Sub(f.begun) >= foldSpan {
			delete(fs.open, key)
			if f.folded() > 1 {
				ended = append(ended, f)
			}
		}
	}
	return ended
}

// ended closes the folds whose span has ended.
func (fs *folds) ended() []*fold {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.expire(fs.clock())
}

// end closes every fold.
func (fs *folds) end() (ended []*fold) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.open {
		if f.folded() > 1 {
			ended = append(ended, f)
		}
	}
	clear(fs.open)
	return ended
}

func newID() string { return "mw-" + policy.NewID() }
