package record_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// store is one whose writing hangs or fails as the test wants.
type store struct {
	record.Store
	mu        sync.Mutex
	commits   [][]record.Entry
	changes   []record.Change
	fails     error
	hangs     chan struct{}
	retains   int
	closed    bool
	last      record.Position
	meanwhile func() // what happens during a commit
}

func (s *store) Write(ctx context.Context, entries []record.Entry, changes []record.Change) error {
	s.mu.Lock()
	hangs, fails, meanwhile := s.hangs, s.fails, s.meanwhile
	s.mu.Unlock()
	if hangs != nil {
		select {
		case <-hangs:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if meanwhile != nil {
		meanwhile()
		for i := range entries {
			entries[i].Position++
		}
		for i := range changes {
			changes[i].Position++
		}
	}
	if fails != nil {
		return fails
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		s.last++
		entries[i].Position = s.last
	}
	s.commits, s.changes = append(s.commits, entries), append(s.changes, changes...)
	return nil
}

func (s *store) Retain(context.Context, time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retains++
	return nil
}

func (s *store) Delete(context.Context, string) (int, error) { return 3, nil }

func (s *store) Close() error {
	s.closed = true
	return nil
}

func (s *store) set(fails error, hangs chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails, s.hangs = fails, hangs
}

func (s *store) sizes() (list []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commits {
		list = append(list, len(c))
	}
	return list
}

// sinking is a sink with a store and a log of the test, under synctest's clock.
type sinking struct {
	*record.Sink
	store *store
	log   *bytes.Buffer
}

func newSinking(o record.SinkOptions) sinking {
	s := sinking{store: &store{}, log: &bytes.Buffer{}}
	o.Log = logrus.New()
	o.Log.SetOutput(s.log)
	s.Sink = record.NewSink(s.store, o)
	return s
}

func (s sinking) lines() int { return strings.Count(s.log.String(), "\n") }

func event(n int) *policy.Event { return &policy.Event{ID: fmt.Sprintf("mw-%08d", n)} }

func TestCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		for n := range 3 {
			s.Event(event(n))
		}
		repeated := event(0)
		repeated.Repeated = true
		s.Event(repeated)
		s.Transaction(&policy.Transaction{})
		s.Change(record.Change{Operation: "reload"})
		synctest.Wait()
		if got := s.store.sizes(); len(got) != 0 {
			t.Errorf("written at once: %v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := fmt.Sprint(s.store.sizes(), len(s.store.changes)); got != "[4] 1" {
			t.Errorf("after a second: %s", got)
		}
		for n := range 1000 { // no longer than that
			s.Event(event(n))
		}
		synctest.Wait()
		if got := fmt.Sprint(s.store.sizes()); got != "[4 1000]" {
			t.Errorf("after 1,000: %s", got)
		}
		stats := s.Stats()
		if want := (record.SinkStats{Decisions: 1003, Messages: 1, Changes: 1}); stats != want {
			t.Errorf("%+v, want %+v", stats, want)
		}
		s.Event(event(1))
		if err := s.Close(); err != nil || !s.store.closed || fmt.Sprint(s.store.sizes()) != "[4 1000 1]" {
			t.Errorf("at the end: %v, %v", err, s.store.sizes())
		}
		s.Event(event(2))
		if s.Stats().DroppedDecisions != 1 || s.Close() != nil {
			t.Error("what comes after the end is not counted")
		}
	})
}

// A store that hangs keeps nobody waiting; what has no room is dropped, counted, and said once.
func TestQueueIsBounded(t *testing.T) {
	for name, o := range map[string]record.SinkOptions{"entries": {Entries: 100}, "octets": {Octets: 200_000}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSinking(o)
				hangs := make(chan struct{})
				s.store.set(nil, hangs)
				for n := range 500 {
					e := event(n)
					e.Helo = strings.Repeat("x", 1000)
					s.Event(e)
				}
				time.Sleep(3 * time.Second)
				stats := s.Stats()
				if stats.Waiting == 0 || stats.Waiting > 100 || stats.DroppedDecisions != uint64(500-stats.Waiting) {
					t.Errorf("%+v", stats)
				}
				if s.lines() != 1 || !strings.Contains(s.log.String(), "level=error") {
					t.Errorf("said: %s", s.log)
				}
				s.store.set(nil, nil)
				close(hangs)
				synctest.Wait()
				s.Event(event(1))
				time.Sleep(time.Second)
				synctest.Wait()
				if s.lines() != 2 || !strings.Contains(s.log.String(), "takes entries again") {
					t.Errorf("said: %s", s.log)
				}
				_ = s.Close()
			})
		})
	}
}

// What cannot be written, as on a full disk, is dropped; it is said once when that begins, and once
// when it is over.
func TestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		defer s.Close()
		s.store.set(errors.New("the disk is full"), nil)
		for n := range 200 {
			s.Event(event(n))
			s.Transaction(&policy.Transaction{})
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		stats := s.Stats()
		if stats.DroppedDecisions != 200 || stats.DroppedMessages != 200 || !stats.Failing || s.lines() != 1 {
			t.Errorf("%+v, said: %s", stats, s.log)
		}
		s.store.set(nil, nil)
		s.Event(event(1))
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if stats := s.Stats(); stats.Decisions != 1 || stats.Failing || s.lines() != 2 || !strings.Contains(s.log.String(), "dropped=400") {
			t.Errorf("%+v, said: %s", stats, s.log)
		}
	})
}

// A commit that failed and is over with keeps nobody waiting for what came meanwhile: the store can
// be reached.
func TestFlushDuringAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		defer s.Close()
		hangs := make(chan struct{})
		s.store.set(errors.New("the disk is full"), hangs)
		s.Event(event(0))
		time.Sleep(1500 * time.Millisecond) // it is being written
		s.Event(event(1))
		flushed := make(chan error, 1)
		go func() { flushed <- s.Flush(t.Context()) }()
		deleted := make(chan error, 1)
		go func() {
			_, err := s.Delete(t.Context(), "bob@example.org")
			deleted <- err
		}()
		synctest.Wait()
		hangs <- struct{}{} // the first commit is over, the second begins
		synctest.Wait()
		close(hangs)
		if err := <-flushed; err != nil {
			t.Errorf("flush: %v", err)
		}
		if err := <-deleted; err != nil {
			t.Errorf("delete: %v", err)
		}
		if stats := s.Stats(); stats.DroppedDecisions != 2 {
			t.Errorf("%+v", stats)
		}
	})
}

// A database that has gone may come back: what was taken waits for it, as far as there is room.
func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{Entries: 10})
		s.store.set(fmt.Errorf("refused: %w", record.ErrUnavailable), nil)
		for n := range 12 {
			s.Event(event(n))
			time.Sleep(time.Second)
		}
		if err := s.Flush(t.Context()); !errors.Is(err, record.ErrUnavailable) {
			t.Errorf("flush: %v", err)
		}
		if stats := s.Stats(); stats.Waiting != 10 || stats.DroppedDecisions != 2 {
			t.Errorf("%+v", stats)
		}
		s.store.set(nil, nil)
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(s.store.sizes()); got != "[10]" {
			t.Errorf("written: %s", got)
		}
		s.store.set(fmt.Errorf("refused: %w", record.ErrUnavailable), nil)
		s.Event(event(0))
		if err := s.Close(); err != nil || s.Stats().DroppedDecisions != 3 {
			t.Errorf("the end: %v, %+v", err, s.Stats())
		}
	})
}

// What is tried again comes with the positions that it got, however the queue has grown meanwhile.
func TestPositionsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		s.store.set(fmt.Errorf("refused: %w", record.ErrUnavailable), nil)
		n := 0
		s.store.meanwhile = func() {
			for range 100 {
				n++
				s.Event(event(n))
				s.Change(record.Change{Operation: fmt.Sprint(n)})
			}
		}
		s.Event(event(0))
		s.Change(record.Change{Operation: "0"})
		time.Sleep(2500 * time.Millisecond)
		s.store.mu.Lock()
		s.store.fails, s.store.meanwhile = nil, nil
		s.store.mu.Unlock()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := s.store.changes[0].Position; got != 2 {
			t.Errorf("the first change has been tried %d times", got)
		}
	})
}

// A store that hangs holds up the end once, however much is waiting.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		s.store.set(nil, make(chan struct{}))
		for n := range 5000 {
			s.Event(event(n))
		}
		time.Sleep(2 * time.Second)
		begun := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		if got := s.Stats(); got.DroppedDecisions != 5000 || s.lines() != 1 {
			t.Errorf("%+v, %d lines", got, s.lines())
		}
	})
}

func TestFlushEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		hangs := make(chan struct{})
		s.store.set(nil, hangs)
		s.Event(event(0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(hangs)
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if n, err := s.Delete(t.Context(), "bob@example.org"); n != 3 || err != nil {
			t.Errorf("delete: %d, %v", n, err)
		}
		_ = s.Close()
		if _, err := s.Delete(t.Context(), "bob@example.org"); err == nil {
			t.Error("a record that is closed deletes")
		}
	})
}

func TestWhatIsKept(t *testing.T) {
	accepted := func(direction string) *policy.Transaction {
		return &policy.Transaction{From: "a@b", Subject: "secret", Recipients: []policy.RecipientOutcome{{Direction: direction}}}
	}
	refused := &policy.Transaction{Outcome: policy.Outcome{Fate: policy.Refused}}
	for _, c := range []struct {
		name string
		o    record.SinkOptions
		want int
	}{
		{"all", record.SinkOptions{}, 3},
		{"inbound", record.SinkOptions{Accepted: record.AcceptedInbound}, 2},
		{"none", record.SinkOptions{Accepted: record.AcceptedNone}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSinking(c.o)
				in := accepted("inbound")
				for _, m := range []*policy.Transaction{in, accepted("outbound"), refused} {
					s.Transaction(m)
				}
				_ = s.Close()
				if got := len(s.store.commits[0]); got != c.want {
					t.Errorf("%d kept, want %d", got, c.want)
				}
				if m := s.store.commits[0][0].Message; m.Subject+m.From != "" {
					t.Errorf("kept without --record-subjects: %q %q", m.From, m.Subject)
				}
				if in.Subject != "secret" {
					t.Error("what others read was changed")
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{Subjects: true})
		s.Event(&policy.Event{Subject: "hello"})
		_ = s.Close()
		if got := s.store.commits[0][0].Event.Subject; got != "hello" {
			t.Errorf("kept: %q", got)
		}
	})
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		quick, slow := s.Watch(), s.Watch()
		for n := range 3 {
			s.Event(event(n))
		}
		entries, lost, err := quick.Next(t.Context())
		if len(entries) != 3 || lost != 0 || err != nil || entries[2].Position == 0 || entries[2].Event.ID != "mw-00000002" {
			t.Errorf("%v, %d, %v", entries, lost, err)
		}
		for n := range 1500 {
			s.Event(event(n))
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		entries, lost, err = slow.Next(t.Context())
		if len(entries) != 1000 || lost != 503 || err != nil || entries[999].Event.ID != "mw-00001499" {
			t.Errorf("the slow one: %d, %d, %v", len(entries), lost, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := slow.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing came: %v", err)
		}
		slow.Close()
		_ = s.Close()
		_, _, _ = quick.Next(t.Context())
		if _, _, err := quick.Next(t.Context()); err == nil {
			t.Error("a record that is closed gives more")
		}
	})
}

// Days are looked after each minute, and at the start.
func TestRetains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if got := s.store.retains; got != 6 {
			t.Errorf("%d times in five minutes", got)
		}
		_ = s.Close()
	})
}
