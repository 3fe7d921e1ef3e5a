package recipients

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/state"
	"mailweir/internal/trace"
	"mailweir/test/testbed"
)

// clock is one that a test moves.
type clock struct{ past atomic.Int64 }

var start = time.Now()

func (c *clock) now() time.Time        { return start.Add(time.Duration(c.past.Load())) }
func (c *clock) after(d time.Duration) { c.past.Add(int64(d)) }

// server knows some addresses, and counts what it is asked.
type server struct {
	mu     sync.Mutex
	exists map[string]bool
	fails  error
	asked  int
	waits  []bool
	held   chan struct{} // closed when answers may leave
	begun  chan string
}

func (s *server) Ask(ctx context.Context, to address.Address, wait bool) (bool, string, error) {
	s.mu.Lock()
	s.asked++
	s.waits = append(s.waits, wait)
	exists, held, begun := s.exists[to.Key()], s.held, s.begun
	s.mu.Unlock()
	if held != nil {
		begun <- to.Key()
		select {
		case <-held:
		case <-ctx.Done():
			return false, "", ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return exists, "250 \x1b[31mfine\nas frost", s.fails
}

func (s *server) set(address string, exists bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exists[address] = exists
}

func (s *server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

// hold keeps the answers back until release.
func (s *server) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := make(chan struct{})
	s.held, s.begun = held, make(chan string, 10*mostAsked)
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = nil
		close(held)
	})
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func newServer(known ...string) *server {
	s := &server{exists: map[string]bool{}}
	for _, address := range known {
		s.exists[address] = true
	}
	return s
}

// open returns answers that are closed with the test.
func open(t testing.TB, store state.Store, c *clock) *Answers {
	t.Helper()
	a := New(store, c.now)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// eachStore runs a test on every kind of store; store opens what one more host sees of it.
func eachStore(t *testing.T, test func(t *testing.T, c *clock, store func() state.Store)) {
	t.Run("memory", func(t *testing.T) {
		c := new(clock)
		one := state.NewMemory(c.now, 10_000)
		test(t, c, func() state.Store { return one })
	})
	t.Run("file", func(t *testing.T) {
		c := new(clock)
		one, err := state.Open(t.Context(), "file:"+t.TempDir(), state.Options{Clock: c.now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = one.Close() })
		test(t, c, func() state.Store { return one })
	})
	t.Run("redis", func(t *testing.T) {
		c, redis := new(clock), testbed.StartRedis(t)
		test(t, c, func() state.Store {
			one, err := state.Open(t.Context(), "redis://"+redis.Address+"/0", state.Options{Clock: c.now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = one.Close() })
			return one
		})
	})
}

const source = "smtp:next.example"

var bob, eve = address.Parse("bob@ours.example"), address.Parse("eve@ours.example")

func ask(t *testing.T, a *Answers, s *server, to address.Address, want bool) Answer {
	t.Helper()
	answer, err := a.Ask(t.Context(), source, s, to)
	if err != nil || answer.Exists != want {
		t.Errorf("%s: exists %t, %v; want %t", to, answer.Exists, err, want)
	}
	return answer
}

// What a server says counts for all hosts and after a restart, yes for an hour and no for ten
// minutes; yes is kept for seven days for the time when the server fails.
func TestKept(t *testing.T) {
	eachStore(t, func(t *testing.T, c *clock, store func() state.Store) {
		s := newServer("bob@ours.example")
		one, other := open(t, store(), c), open(t, store(), c)
		asked := func(want int) {
			t.Helper()
			if got := s.count(); got != want {
				t.Errorf("asked %d times, want %d", got, want)
			}
		}
		for range 2 {
			if a := ask(t, one, s, bob, true); a.Said != "250 [31mfine as frost" {
				t.Errorf("said %q", a.Said)
			}
			ask(t, one, s, eve, false)
			ask(t, other, s, bob, true)
			ask(t, other, s, eve, false)
			asked(2)
		}
		if _, err := one.Ask(t.Context(), "smtp:else.example", s, bob); err != nil {
			t.Error(err)
		}
		asked(3) // another source
		c.after(NoFor)
		s.set("eve@ours.example", true)
		ask(t, other, s, eve, true)
		ask(t, other, s, bob, true)
		asked(4)
		c.after(YesFor)
		s.set("bob@ours.example", false)
		ask(t, one, s, bob, false)
		ask(t, one, s, eve, true)
		asked(6)
		s.fail(errors.New("connection refused"))
		c.after(YesFor)
		if a := ask(t, one, s, eve, true); a.Stale == nil {
			t.Error("an old answer does not say so")
		}
		if _, err := one.Ask(t.Context(), source, s, bob); err == nil {
			t.Error("an old no still counts")
		}
		c.after(StaleFor)
		if _, err := one.Ask(t.Context(), source, s, eve); err == nil {
			t.Error("a yes of more than seven days still counts")
		}
		if got := s.waits[len(s.waits)-3:]; got[0] || !got[1] || !got[2] {
			t.Errorf("may wait for a turn: %t; only where nothing is known", got)
		}
	})
}

// What a person has forgotten is asked again at once, on every host.
func TestForget(t *testing.T) {
	eachStore(t, func(t *testing.T, c *clock, store func() state.Store) {
		s := newServer()
		first := store()
		heard := make(chan struct{}, 1000)
		one, other := open(t, first, c), open(t, listener{store(), heard}, c)
		all := []address.Address{
			eve, bob, address.Parse("bob+news@ours.example"), address.Parse("bobby@ours.example"),
			address.Parse("bob@sub.ours.example"), address.Parse("bob@ours.example.com"),
		}
		for _, what := range []struct {
			what string
			gone []bool
		}{
			{"bob@ours.example", []bool{false, true, true, false, false, false}},
			{"@ours.example", []bool{true, true, true, true, false, false}},
			{"bob+news@ours.example", []bool{false, true, true, false, false, false}},
			{"nobody@ours.example", []bool{false, false, false, false, false, false}},
		} {
			want := 0
			for i, to := range all {
				ask(t, one, s, to, false)
				ask(t, other, s, to, false)
				if what.gone[i] {
					want++
				}
			}
			version := other.near.version()
			n, err := Forget(t.Context(), first, address.Parse(what.what), "+", c.now())
			if n != want || err != nil {
				t.Errorf("%s: %d forgotten, %v; want %d", what.what, n, err, want)
			}
			for other.near.version() == version { // on another host, within a second or two
				<-heard
			}
			for i, to := range all {
				before := s.count()
				ask(t, other, s, to, false)
				ask(t, one, s, to, false)
				if got := s.count() > before; got != what.gone[i] {
					t.Errorf("%s: %s is asked again: %t", what.what, to, got)
				}
			}
			c.after(time.Nanosecond)
		}
	})
}

// listener is a store that tells when somebody who watches has been told.
type listener struct {
	state.Store
	heard chan struct{}
}

func (l listener) Watch(prefix string, changed func(string)) func() {
	return l.Store.Watch(prefix, func(key string) {
		changed(key)
		l.heard <- struct{}{}
	})
}

// Many who ask the same at once are one question, which goes on when they have given up.
func TestOneQuestion(t *testing.T) {
	c, s := new(clock), newServer("bob@ours.example")
	a := open(t, state.NewMemory(c.now, 100), c)
	release := s.hold()
	ctx, cancel := context.WithCancelCause(t.Context())
	var patient, hasty sync.WaitGroup
	for range 25 {
		patient.Go(func() { ask(t, a, s, bob, true) })
		hasty.Go(func() {
			if _, err := a.Ask(ctx, source, s, bob); err == nil || s.count() != 1 {
				t.Errorf("who has given up: %v", err)
			}
		})
	}
	<-s.begun
	cancel(errors.New("gone"))
	hasty.Wait()
	release()
	patient.Wait()
	ask(t, a, s, bob, true)
	if s.count() != 1 {
		t.Errorf("asked %d times", s.count())
	}
}

// late is a store whose first answer comes when it is released.
type late struct {
	state.Store
	began    atomic.Bool
	read     chan struct{}
	released chan struct{}
}

func (l *late) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, found, err := l.Store.Get(ctx, key)
	if l.began.CompareAndSwap(false, true) {
		close(l.read)
		<-l.released
	}
	return value, found, err
}

// Who has looked in the state before the answer was there does not ask the server again.
func TestAnsweredMeanwhile(t *testing.T) {
	c, s := new(clock), newServer("bob@ours.example")
	store := &late{Store: state.NewMemory(c.now, 100), read: make(chan struct{}), released: make(chan struct{})}
	a := open(t, store, c)
	var slow sync.WaitGroup
	slow.Go(func() { ask(t, a, s, bob, true) })
	<-store.read
	ask(t, a, s, bob, true)
	close(store.released)
	slow.Wait()
	if s.count() != 1 {
		t.Errorf("asked %d times", s.count())
	}
}

func TestTooManyQuestions(t *testing.T) {
	c, s := new(clock), newServer()
	a := open(t, state.NewMemory(c.now, 10_000), c)
	release := s.hold()
	var asking sync.WaitGroup
	for i := range mostAsked {
		asking.Go(func() { ask(t, a, s, address.Parse(fmt.Sprintf("u%d@ours.example", i)), false) })
		<-s.begun
	}
	if _, err := a.Ask(t.Context(), source, s, bob); !errors.Is(err, ErrBusy) {
		t.Errorf("one more: %v", err)
	}
	release()
	asking.Wait()
	ask(t, a, s, bob, false)
}

// A state that is unavailable keeps nobody from asking, and what was known in memory counts.
func TestWithoutState(t *testing.T) {
	c, s := new(clock), newServer("bob@ours.example")
	a := open(t, &broken{Store: state.NewMemory(c.now, 100)}, c)
	ask(t, a, s, bob, true)
	ask(t, a, s, bob, true)
	if s.count() != 1 {
		t.Errorf("asked %d times", s.count())
	}
	c.after(YesFor)
	s.fail(errors.New("connection refused"))
	if a := ask(t, a, s, bob, true); a.Stale == nil {
		t.Error("an old answer does not say so")
	}
}

type broken struct{ state.Store }

func (*broken) Get(context.Context, string) ([]byte, bool, error) { return nil, false, state.ErrDown }

func (*broken) Do(_ context.Context, steps ...state.Step) ([]state.Result, error) {
	return state.Failed(steps, state.ErrDown)
}

// panics is a server with a defect.
type panics struct{}

func (panics) Ask(context.Context, address.Address, bool) (bool, string, error) { panic("defect") }

func TestPanic(t *testing.T) {
	c := new(clock)
	a := open(t, state.NewMemory(c.now, 100), c)
	if _, err := a.Ask(t.Context(), source, panics{}, bob); err == nil {
		t.Error("no error")
	}
}

// Who closes ends what is under way.
func TestClose(t *testing.T) {
	c, s := new(clock), newServer()
	a := New(state.NewMemory(c.now, 100), c.now)
	s.hold()
	var asking sync.WaitGroup
	asking.Go(func() {
		if _, err := a.Ask(t.Context(), source, s, bob); !errors.Is(err, context.Canceled) {
			t.Errorf("under way: %v", err)
		}
	})
	<-s.begun
	_ = a.Close()
	asking.Wait()
	if _, err := a.Ask(t.Context(), source, s, eve); !errors.Is(err, context.Canceled) {
		t.Errorf("afterwards: %v", err)
	}
}

// The query trace shows whence an answer comes.
func TestTrace(t *testing.T) {
	c, s := new(clock), newServer("bob@ours.example")
	a := open(t, state.NewMemory(c.now, 100), c)
	for range 2 {
		var seen trace.Trace
		if _, err := a.Ask(trace.With(t.Context(), &seen), source, s, bob); err != nil {
			t.Fatal(err)
		}
		want := trace.Query{Question: source + " bob@ours.example", Answer: "exists: 250 [31mfine as frost (asked " + start.UTC().Format(time.DateTime) + ")"}
		if got := seen.Queries(); len(got) != 1 || got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
