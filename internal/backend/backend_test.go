package backend

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a backend with what it tells.
type bench struct {
	*Backend
	said   []string
	probes []time.Duration // since the start
	broken atomic.Bool
}

func run(t *testing.T, options Options, test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{}
		begun := time.Now()
		options.Name, options.Deadline = "x://host", time.Second
		options.OnDown = func(err error) { b.said = append(b.said, "down: "+err.Error()) }
		options.OnUp = func() { b.said = append(b.said, "up") }
		options.Probe = func(ctx context.Context, _ int) error {
			b.probes = append(b.probes, time.Since(begun))
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a probe has no deadline")
			}
			if b.broken.Load() {
				return errors.New("still broken")
			}
			return nil
		}
		b.Backend = New(options)
		defer b.Close()
		test(t, b)
	})
}

func (b *bench) wantSaid(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(b.said, want) {
		t.Errorf("said %q, want %q", b.said, want)
	}
}

var errBroken = errors.New("broken")

func breaks(context.Context) error { return errBroken }
func works(context.Context) error  { return nil }

func TestLostAndBack(t *testing.T) {
	run(t, Options{}, func(t *testing.T, b *bench) {
		b.broken.Store(true)
		if err := b.Call(t.Context(), 0, breaks); !errors.Is(err, ErrUnavailable) || !errors.Is(err, errBroken) {
			t.Errorf("the call that fails: %v", err)
		}
		asked := false
		err := b.Call(t.Context(), 0, func(context.Context) error { asked = true; return nil })
		if !errors.Is(err, ErrUnavailable) || asked {
			t.Errorf("the next call: %v, asked %v", err, asked)
		}
		b.wantSaid(t, "down: unavailable: x://host: broken")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		b.broken.Store(false)
		time.Sleep(time.Second)
		b.wantSaid(t, "down: unavailable: x://host: broken", "up")
		if err := b.Call(t.Context(), 0, works); err != nil {
			t.Errorf("when it is back: %v", err)
		}
		want := []time.Duration{100, 300, 700, 1500, 2500, 3500, 4500, 5500}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(b.probes, want) {
			t.Errorf("probes at %v, want %v", b.probes, want)
		}
	})
}

func TestPartsAreLostAlone(t *testing.T) {
	run(t, Options{}, func(t *testing.T, b *bench) {
		b.broken.Store(true)
		_, _ = b.Call(t.Context(), 1, breaks), b.Call(t.Context(), 2, breaks)
		if err := b.Call(t.Context(), 0, works); err != nil {
			t.Errorf("a part that works: %v", err)
		}
		if b.Lost(1) == nil || b.Lost(2) == nil || b.Lost(0) != nil || b.AnyLost() == nil {
			t.Error("parts 1 and 2 are not what is lost")
		}
		b.broken.Store(false)
		time.Sleep(time.Second)
		b.wantSaid(t, "down: unavailable: x://host: broken", "up")
		if b.AnyLost() != nil {
			t.Error("something is lost still")
		}
	})
}

func TestAnswersLoseNothing(t *testing.T) {
	answered := func(err error) bool { return errors.Is(err, errBroken) }
	run(t, Options{Answered: answered}, func(t *testing.T, b *bench) {
		if err := b.Call(t.Context(), 0, breaks); !errors.Is(err, errBroken) || errors.Is(err, ErrUnavailable) {
			t.Errorf("an answer: %v", err)
		}
		b.wantSaid(t)
	})
}

func TestDeadline(t *testing.T) {
	run(t, Options{}, func(t *testing.T, b *bench) {
		begun := time.Now()
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		if err := b.Call(t.Context(), 0, hangs); !errors.Is(err, ErrUnavailable) || time.Since(begun) != time.Second {
			t.Errorf("what hangs: %v after %v", err, time.Since(begun))
		}
	})
}

func TestWhoLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		lost  bool
	}{
		"at once":                  {0, false},
		"soon":                     {200 * time.Millisecond, false},
		"after having waited long": {600 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, Options{}, func(t *testing.T, b *bench) {
				b.broken.Store(true)
				ctx, cancel := context.WithTimeout(t.Context(), test.after)
				defer cancel()
				err := b.Call(ctx, 0, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnavailable) != test.lost || (b.Lost(0) != nil) != test.lost {
					t.Errorf("%v; the part has %v", err, b.Lost(0))
				}
			})
		})
	}
	t.Run("by cancelling", func(t *testing.T) {
		run(t, Options{}, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(900*time.Millisecond, cancel)
			err := b.Call(ctx, 0, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
			if !errors.Is(err, context.Canceled) || b.Lost(0) != nil {
				t.Errorf("%v; the part has %v", err, b.Lost(0))
			}
		})
	})
}

func TestInFlight(t *testing.T) {
	var calls atomic.Int32
	run(t, Options{InFlight: 2, OnCall: func(time.Duration, error) { calls.Add(1) }}, func(t *testing.T, b *bench) {
		slow := func(context.Context) error { time.Sleep(900 * time.Millisecond); return nil }
		for range 2 {
			go func() { _ = b.Call(t.Context(), 0, slow) }()
		}
		synctest.Wait()
		begun := time.Now()
		if err := b.Call(t.Context(), 0, works); err != nil || time.Since(begun) != 900*time.Millisecond {
			t.Errorf("the third: %v after %v", err, time.Since(begun))
		}
		forever := make(chan struct{})
		for range 2 {
			go func() { _ = b.Call(t.Context(), 0, func(context.Context) error { <-forever; return nil }) }()
		}
		synctest.Wait()
		err := b.Call(t.Context(), 0, works)
		if !errors.Is(err, ErrBusy) || errors.Is(err, ErrUnavailable) {
			t.Errorf("without room: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := b.Call(ctx, 0, works); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without room for one in a hurry: %v", err)
		}
		close(forever)
		synctest.Wait()
		if n := calls.Load(); n != 5 {
			t.Errorf("OnCall is called %d times, want 5", n)
		}
	})
}

// Neither who has left before the call nor a panic within it takes room for ever.
func TestRoomIsLeft(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, c := range []struct {
		name string
		call func(*Backend)
	}{
		{"the caller is gone", func(b *Backend) {
			if err := b.Call(gone, 0, works); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		}},
		{"a panic", func(b *Backend) {
			defer func() { _ = recover() }()
			_ = b.Call(context.Background(), 0, func(context.Context) error { panic("a defect") })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, Options{InFlight: 2}, func(t *testing.T, b *bench) {
				for range 3 {
					c.call(b.Backend)
				}
				if err := b.Call(t.Context(), 0, works); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

func TestCloseEndsTheProber(t *testing.T) {
	run(t, Options{}, func(t *testing.T, b *bench) {
		b.broken.Store(true)
		_ = b.Call(t.Context(), 0, breaks)
		time.Sleep(10 * time.Second)
		b.Close()
		n := len(b.probes)
		_ = b.Lose(errBroken, 1) // too late for a prober
		time.Sleep(10 * time.Second)
		if len(b.probes) != n {
			t.Errorf("%d probes after the end", len(b.probes)-n)
		}
	})
}
