package record

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
)

// ErrUnavailable is what a store's error wraps when it cannot be reached now, and entries are worth
// keeping until it can.
var ErrUnavailable = errors.New("the record is unavailable")

// SinkOptions are what a [Sink] works with.
type SinkOptions struct {
	Log *logrus.Logger
	// Clock is the time; nil is the usual one.
	Clock func() time.Time
	// Subjects keeps the header fields From and Subject.
	Subjects bool
	// Accepted says which accepted messages are kept.
	Accepted Accepted
	// Entries and Octets bound what waits to be written; 0 is 10,000 entries and 64 MiB.
	Entries, Octets int
}

const (
	defaultEntries = 10_000
	defaultOctets  = 64 << 20
	batchEntries   = 1000
	commitEvery    = time.Second
	retainEvery    = time.Minute
	writeWithin    = 30 * time.Second
	closeWithin    = 10 * time.Second
)

// Sink takes decisions and messages for a store, off the way of the answers: it never waits. One
// goroutine writes what has been taken, each second or 1,000 entries. What has no room in the queue
// or cannot be written is dropped, counted by its kind, and said once.
type Sink struct {
	SinkOptions
	store Store

	mu      sync.Mutex
	entries []Entry
	changes []Change
	octets  int
	taken   uint64 // how many entries and changes were ever queued, done how many are over with
	done    uint64
	stats   SinkStats
	losing  bool
	held    bool            // the last commit failed, and its entries wait for the store to be back
	waiting []chan struct{} // of Flush: closed when a round is over
	tasks   []func(context.Context)
	closed  bool
	watches map[*Watch]bool
	calling atomic.Pointer[time.Time] // since when the store is being asked; nil while it is not

	wake  chan struct{}
	ended chan struct{}
	// base is what everything that is asked of the store ends with, some time after Close.
	base   context.Context
	cancel context.CancelFunc
}

// SinkStats are counts since the start.
type SinkStats struct {
	// Written counts entries, by kind; Dropped those that were lost.
	Decisions, Messages, Changes                      uint64
	DroppedDecisions, DroppedMessages, DroppedChanges uint64
	// Waiting is how many entries wait to be written now.
	Waiting int
	// Failing says that the last commit failed.
	Failing bool
}

// NewSink returns a sink that writes to a store. Close ends it, and closes the store.
func NewSink(store Store, o SinkOptions) *Sink {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Entries == 0 {
		o.Entries = defaultEntries
	}
	if o.Octets == 0 {
		o.Octets = defaultOctets
	}
	s := &Sink{SinkOptions: o, store: store, watches: map[*Watch]bool{}, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	s.base, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

// Event takes a decision. Of those that share an id it takes the first, and their sum.
func (s *Sink) Event(e *policy.Event) {
	if !e.Repeated {
		s.take(Entry{Event: e})
	}
}

// Transaction takes what became of a message.
func (s *Sink) Transaction(t *policy.Transaction) {
	if s.Accepted.keeps(t) {
		s.take(Entry{Message: t})
	}
}

func (s *Sink) take(e Entry) {
	size := e.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.entries) >= s.Entries || s.octets+size > s.Octets {
		s.lost([]Entry{e}, nil)
		s.say("its queue is full: entries come faster than they are written", nil)
		return
	}
	s.entries, s.octets, s.taken = append(s.entries, e), s.octets+size, s.taken+1
	if len(s.entries) >= batchEntries {
		s.poke()
	}
}

// Change takes a row of the audit.
func (s *Sink) Change(c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.changes) >= s.Entries {
		s.lost(nil, []Change{c})
		s.say("its queue is full: entries come faster than they are written", nil)
		return
	}
	s.changes, s.taken = append(s.changes, c), s.taken+1
}

// poke has the writer go to work now.
func (s *Sink) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// lost counts what is dropped. The caller holds mu.
func (s *Sink) lost(entries []Entry, changes []Change) {
	for _, e := range entries {
		if e.Event != nil {
			s.stats.DroppedDecisions++
		} else {
			s.stats.DroppedMessages++
		}
	}
	s.stats.DroppedChanges += uint64(len(changes))
}

// say tells of a loss when it begins. The caller holds mu.
func (s *Sink) say(why string, err error) {
	if s.losing {
		return
	}
	s.losing = true
	entry := s.Log.WithField("why", why)
	if err != nil {
		entry = s.Log.WithError(err)
	}
	entry.Error("the record loses entries: what is dropped is counted in mailweir_record_dropped_total; mail is not concerned")
}

// Stats returns the counts.
func (s *Sink) Stats() SinkStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting = len(s.entries)
	return stats
}

// Flush waits until everything taken before is committed, or dropped. The error wraps
// [ErrUnavailable] where the store cannot be reached.
func (s *Sink) Flush(ctx context.Context) error {
	s.mu.Lock()
	upto := s.taken
	for s.done < upto {
		over := make(chan struct{})
		s.waiting = append(s.waiting, over)
		s.mu.Unlock()
		s.poke()
		select {
		case <-over:
		case <-s.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
		if s.done < upto && s.held {
			s.mu.Unlock()
			return ErrUnavailable
		}
	}
	s.mu.Unlock()
	return nil
}

// errClosed is about what comes after the end.
var errClosed = errors.New("the record is closed")

// Delete takes out everything about an address, also what has been taken and not yet written.
// Entries wait meanwhile. It goes on when its caller leaves.
func (s *Sink) Delete(ctx context.Context, address string) (int, error) {
	type result struct {
		n   int
		err error
	}
	over := make(chan result, 1)
	err := s.ask(func(work context.Context) {
		if s.holds() { // what waits would come afterwards
			over <- result{0, ErrUnavailable}
			return
		}
		n, err := s.store.Delete(work, address)
		over <- result{n, err}
	})
	if err != nil {
		return 0, err
	}
	select {
	case r := <-over:
		return r.n, r.err
	case <-s.ended:
		return 0, errClosed
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ask has the writer do something between commits.
func (s *Sink) ask(task func(context.Context)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.tasks = append(s.tasks, task)
	s.poke()
	return nil
}

// holds reports whether entries wait for a store that cannot be reached.
func (s *Sink) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held && len(s.entries) > 0
}

// Close writes what has been taken, and closes the store.
func (s *Sink) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.poke()
	// One time for all that waits: a store that hangs must not hold up the end once a commit.
	late := time.AfterFunc(closeWithin, s.cancel)
	<-s.ended
	late.Stop()
	s.cancel()
	s.mu.Lock()
	for w := range s.watches {
		w.end()
	}
	s.mu.Unlock()
	return s.store.Close()
}
