package fact_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/fact"
	"mailweir/internal/trace"
)

// beside launches work in a goroutine of its own.
func beside(t *testing.T) fact.Launcher {
	return func(work func(context.Context)) bool {
		go work(t.Context())
		return true
	}
}

func full(func(context.Context)) bool { return false }

func TestFactIsFoundOnce(t *testing.T) {
	var f fact.Fact[int]
	var found atomic.Int32
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			got, err := f.Get(t.Context(), beside(t), time.Minute, func(context.Context) (int, error) {
				return int(found.Add(1)), nil
			})
			if got != 1 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
	asking.Wait()
}

func TestFactCannotBeFound(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		launch fact.Launcher
		find   func(context.Context) (int, error)
		want   error  // what it is
		says   string // or what it says
	}{
		{"no room", full, nil, fact.ErrBusy, ""},
		{"an error", beside(t), func(context.Context) (int, error) { return 0, broken }, broken, ""},
		{"a panic", beside(t), func(context.Context) (int, error) { panic("oh") }, nil, "panic: oh"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Fact[int]
			for range 2 { // the second one is told the same
				_, err := f.Get(t.Context(), tt.launch, time.Minute, tt.find)
				if tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && (err == nil || !strings.Contains(err.Error(), tt.says)) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// Whoever stops waiting leaves the answer to the others, and what is known is told even then.
func TestFactOutlivesWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fact.Fact[string]
		answer := make(chan string)
		find := func(context.Context) (string, error) { return <-answer, nil }

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Get(short, beside(t), time.Minute, find); !errors.Is(err, fact.ErrDeadline) {
			t.Errorf("the impatient one got %v", err)
		}
		answer <- "here"
		if got, err := f.Get(t.Context(), full, time.Minute, nil); got != "here" || err != nil {
			t.Errorf("the patient one got %q, %v", got, err)
		}
		if got, err := f.Get(short, full, time.Minute, nil); got != "here" || err != nil {
			t.Errorf("one whose time is over got %q, %v", got, err)
		}
	})
}

func TestFactHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fact.Fact[int]
		began := time.Now()
		_, err := f.Get(t.Context(), beside(t), 3*time.Second, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

// Everyone who asks is shown what was asked to find out.
func TestFactKeepsItsQueries(t *testing.T) {
	var f fact.Fact[int]
	for range 2 {
		var seen trace.Trace
		_, err := f.Get(trace.With(t.Context(), &seen), beside(t), time.Minute, func(ctx context.Context) (int, error) {
			trace.Add(ctx, "txt example.org?", "v=spf1 -all")
			return 0, nil
		})
		want := []trace.Query{{Question: "txt example.org?", Answer: "v=spf1 -all"}}
		if err != nil || !slices.Equal(seen.Queries(), want) {
			t.Errorf("%v, %v", seen.Queries(), err)
		}
	}
}

func TestSet(t *testing.T) {
	var f fact.Fact[int]
	f.Set(1, nil)
	f.Set(2, nil)
	if got, err := f.Get(t.Context(), full, time.Minute, nil); got != 1 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

// What is known is told to whoever does not want to ask.
func TestFactIsKnown(t *testing.T) {
	seven := func(context.Context) (int, error) { return 7, nil }
	broken := func(context.Context) (int, error) { return 7, errors.New("broken") }
	for _, tt := range []struct {
		name string
		do   func(*fact.Fact[int])
		want bool
	}{
		{"not asked for", func(*fact.Fact[int]) {}, false},
		{"found", func(f *fact.Fact[int]) { _, _ = f.Get(t.Context(), beside(t), time.Minute, seven) }, true},
		{"not found", func(f *fact.Fact[int]) { _, _ = f.Get(t.Context(), beside(t), time.Minute, broken) }, false},
		{"told", func(f *fact.Fact[int]) { f.Set(7, nil) }, true},
		{"told an error", func(f *fact.Fact[int]) { f.Set(7, errors.New("broken")) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Fact[int]
			tt.do(&f)
			if got, ok := f.Known(); ok != tt.want || ok && got != 7 {
				t.Errorf("%d, %v", got, ok)
			}
		})
	}
}
