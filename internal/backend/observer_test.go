package backend

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
		o := &Observer{
			Opened: func(name string) { say("opened %s", name) },
			Closed: func(name string) { say("closed %s", name) },
			Down:   func(name string, err error) { say("down %s: %v", name, err) },
			Up:     func(name string) { say("up %s", name) },
			Call:   func(name string, took time.Duration, err error) { say("call %s %v %v", name, took, err) },
		}
		b := New(o.Watch(Options{
			Name: "x", Deadline: time.Second, Probe: func(context.Context, int) error { return nil },
			OnDown: func(error) { say("own down") }, OnUp: func() { say("own up") },
			OnCall: func(time.Duration, error) { say("own call") }, OnClose: func() { say("own close") },
		}))
		_ = b.Call(t.Context(), 0, breaks)
		time.Sleep(time.Second)
		b.Close()
		want := []string{"opened x", "own call", "call x 0s broken", "own down", "down x: unavailable: x: broken", "own up", "up x", "own close", "closed x"}
		if !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}

// An observer may miss, and so may its functions.
func TestObserverOfNothing(t *testing.T) {
	for _, o := range []*Observer{nil, {}} {
		synctest.Test(t, func(t *testing.T) {
			b := New(o.Watch(Options{Name: "x", Deadline: time.Second, Probe: func(context.Context, int) error { return nil }}))
			_ = b.Call(t.Context(), 0, breaks)
			time.Sleep(time.Second)
			if err := b.Call(t.Context(), 0, works); err != nil {
				t.Error(err)
			}
			b.Close()
		})
	}
}
