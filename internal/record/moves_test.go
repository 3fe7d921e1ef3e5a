package record_test

import (
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/record"
)

// TestMoves: a store that heeds no context any more is seen after a while, and one that fails or
// waits for its time to be over is none that hangs.
func TestMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSinking(record.SinkOptions{})
		hangs, deaf := make(chan struct{}), make(chan struct{})
		moves := func(when string, want bool) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if err := s.Moves(t.Context()); (err == nil) != want {
				t.Errorf("%s: %v", when, err)
			}
		}
		moves("idle", true)
		s.store.set(nil, hangs)
		s.Event(event(1))
		time.Sleep(45 * time.Second)
		moves("given up", true)
		s.store.set(nil, nil)
		s.store.mu.Lock()
		s.store.meanwhile = func() { <-deaf }
		s.store.mu.Unlock()
		s.Event(event(2))
		moves("slow", true)
		time.Sleep(time.Minute)
		moves("hung", false)
		close(deaf)
		moves("again", true)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
