package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/resource"
)

// fake is a driver that answers what the test says.
type fake struct {
	find  func(ctx context.Context, key string) (string, bool, error)
	probe func() error

	inspect func()

	mu     sync.Mutex
	asked  []string
	closed int
}

func (f *fake) Find(ctx context.Context, key string) (string, bool, error) {
	f.mu.Lock()
	f.asked = append(f.asked, key)
	f.mu.Unlock()
	if f.find == nil {
		return "value of " + key, true, nil
	}
	return f.find(ctx, key)
}

func (f *fake) Probe(context.Context) error {
	if f.probe == nil {
		return nil
	}
	return f.probe()
}

func (f *fake) Inspect(context.Context) (string, []string, error) {
	if f.inspect != nil {
		f.inspect()
	}
	return "fake", nil, nil
}

func (f *fake) Close() error { f.closed++; return nil }

// run opens the fake as a table, in time that is not real.
func run(t *testing.T, f *fake, keep time.Duration, test func(*testing.T, *Table)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opener := Opener{CacheFor: keep, Kinds: []Kind{{Name: "fake", InFlight: 2, Open: func(Source) (Driver, error) { return f, nil }}}}
		var pool resource.Pool
		held := pool.Hold()
		w, err := opener.Open(held, nil, "fake", "x")
		if err != nil {
			t.Fatal(err)
		}
		test(t, w.(*Table))
		if err := held.Release(); err != nil || f.closed != 1 {
			t.Errorf("closed %d times, %v", f.closed, err)
		}
	})
}

func wantValue(t *testing.T, tab *Table, key, want string) {
	t.Helper()
	value, found, err := tab.Find(t.Context(), key)
	if err != nil || value != want || found != (want != "") {
		t.Errorf("%s: %q, %v, %v; want %q", key, value, found, err, want)
	}
}

func (f *fake) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.asked, want) {
		t.Errorf("asked for %q, want %q", f.asked, want)
	}
	f.asked = nil
}

func TestAnswersAreKept(t *testing.T) {
	f := &fake{find: func(_ context.Context, key string) (string, bool, error) { return "v", key != "none", nil }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		for range 3 {
			wantValue(t, tab, "a", "v")
			if _, found, err := tab.Find(t.Context(), "none"); found || err != nil {
				t.Errorf("found %v, %v", found, err)
			}
		}
		f.wantAsked(t, "a", "none")
		time.Sleep(10 * time.Second)
		wantValue(t, tab, "a", "v")
		_, _, _ = tab.Find(t.Context(), "none")
		f.wantAsked(t, "none")
		time.Sleep(50 * time.Second)
		wantValue(t, tab, "a", "v")
		f.wantAsked(t, "a")
	})
}

func TestNothingIsKept(t *testing.T) {
	f := &fake{}
	run(t, f, 0, func(t *testing.T, tab *Table) {
		wantValue(t, tab, "a", "value of a")
		wantValue(t, tab, "a", "value of a")
		f.wantAsked(t, "a", "a")
	})
}

// TestOneQuestion has many ask for one key at once: who leaves spoils nothing for the others, and
// what is answered then is kept.
func TestOneQuestion(t *testing.T) {
	var answer chan struct{}
	f := &fake{find: func(ctx context.Context, key string) (string, bool, error) {
		select {
		case <-answer:
			return "v", true, nil
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		answer = make(chan struct{})
		impatient, leave := context.WithCancel(t.Context())
		var left error
		var asking sync.WaitGroup
		asking.Go(func() { _, _, left = tab.Find(impatient, "a") })
		synctest.Wait()
		for range 9 {
			asking.Go(func() { wantValue(t, tab, "a", "v") })
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		if !errors.Is(left, context.Canceled) {
			t.Errorf("who has left is told %v", left)
		}
		close(answer)
		asking.Wait()
		wantValue(t, tab, "a", "v")
		f.wantAsked(t, "a")
	})
}

// TestLostAndBack has the server fail once: nothing is asked until the prober has an answer.
func TestLostAndBack(t *testing.T) {
	broken := errors.New("connection refused")
	var down atomic.Bool
	state := func() error {
		if down.Load() {
			return broken
		}
		return nil
	}
	f := &fake{find: func(context.Context, string) (string, bool, error) { return "v", true, state() }, probe: state}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		wantValue(t, tab, "kept", "v")
		down.Store(true)
		for range 3 {
			_, found, err := tab.Find(t.Context(), "a")
			if found || !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, broken) || err.Error() != "unavailable: connection refused" {
				t.Errorf("found %v, %v", found, err)
			}
		}
		wantValue(t, tab, "kept", "v")
		f.wantAsked(t, "kept", "a")
		down.Store(false)
		time.Sleep(time.Second)
		wantValue(t, tab, "a", "v")
	})
}

func TestAnsweredErrorsLoseNothing(t *testing.T) {
	large := errors.New("size limit exceeded")
	f := &fake{find: func(_ context.Context, key string) (string, bool, error) {
		if key == "many" {
			return "", false, fmt.Errorf("search: %w", Answered{large})
		}
		return "v", true, nil
	}}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		for range 2 { // and they are not kept
			if _, found, err := tab.Find(t.Context(), "many"); found || !errors.Is(err, large) || errors.Is(err, backend.ErrUnavailable) {
				t.Errorf("found %v, %v", found, err)
			}
		}
		wantValue(t, tab, "a", "v")
		f.wantAsked(t, "many", "many", "a")
	})
}

// TestHangs: what hangs is lost within the time that mail has, and so is a call that finds no room
// told.
func TestHangs(t *testing.T) {
	f := &fake{find: func(ctx context.Context, key string) (string, bool, error) { <-ctx.Done(); return "", false, ctx.Err() }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		begun := time.Now()
		var asking sync.WaitGroup
		for i := range 5 {
			asking.Go(func() {
				_, found, err := tab.Find(t.Context(), fmt.Sprint(i))
				if found || !errors.Is(err, backend.ErrUnavailable) && !errors.Is(err, backend.ErrBusy) || time.Since(begun) > askWithin {
					t.Errorf("found %v, %v after %v", found, err, time.Since(begun))
				}
			})
		}
		asking.Wait()
		if _, _, err := tab.Find(t.Context(), "later"); !errors.Is(err, backend.ErrUnavailable) || time.Since(begun) != askWithin {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestSlowIsNotLost: a server that answers slowly, and more questions than it may be asked at once.
// Those that get room late are not held against it.
func TestSlowIsNotLost(t *testing.T) {
	f := &fake{find: func(ctx context.Context, key string) (string, bool, error) {
		select {
		case <-time.After(4 * time.Second):
			return "v", true, nil
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		var asking sync.WaitGroup
		var answered, busy atomic.Int32
		for i := range 6 {
			asking.Go(func() {
				switch _, _, err := tab.Find(t.Context(), fmt.Sprint(i)); {
				case err == nil:
					answered.Add(1)
				case errors.Is(err, backend.ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		asking.Wait()
		if answered.Load() != 2 || busy.Load() != 4 {
			t.Errorf("%d answered, %d busy", answered.Load(), busy.Load())
		}
		wantValue(t, tab, "later", "v")
	})
}

func TestTooManyQuestions(t *testing.T) {
	f := &fake{find: func(ctx context.Context, _ string) (string, bool, error) { <-ctx.Done(); return "", false, ctx.Err() }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		var asking sync.WaitGroup
		for i := range mostQuestions {
			asking.Go(func() { _, _, _ = tab.Find(t.Context(), fmt.Sprint(i)) })
		}
		synctest.Wait()
		if _, _, err := tab.Find(t.Context(), "one more"); !errors.Is(err, backend.ErrBusy) {
			t.Errorf("one more: %v", err)
		}
		asking.Wait()
	})
}

// TestPanicsReachWhoAsks: there the runner makes a fault of it; here it would end the process.
func TestPanicsReachWhoAsks(t *testing.T) {
	f := &fake{find: func(context.Context, string) (string, bool, error) { panic("boom") }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		for range 2 {
			func() {
				defer func() {
					if got := recover(); got != "boom" {
						t.Errorf("panic %v", got)
					}
				}()
				_, _, _ = tab.Find(t.Context(), "a")
			}()
		}
	})
}

// TestPanicsElsewhere: nobody would catch one of the prober, or of who inspects.
func TestPanicsElsewhere(t *testing.T) {
	probes := 0
	f := &fake{
		find:    func(context.Context, string) (string, bool, error) { return "", false, errors.New("down") },
		probe:   func() error { probes++; panic("boom") },
		inspect: func() { panic("boom") },
	}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		if _, _, err := tab.Find(t.Context(), "a"); err == nil {
			t.Error("no error")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if probes < 2 || tab.backend.Lost(0) == nil {
			t.Errorf("%d probes; lost: %v", probes, tab.backend.Lost(0))
		}
		if _, _, err := tab.Inspect(t.Context()); err == nil || err.Error() != "panic: boom" {
			t.Errorf("inspected: %v", err)
		}
	})
}
