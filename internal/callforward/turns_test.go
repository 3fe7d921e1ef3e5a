package callforward

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPace: whatever the demand, no minute has more than thirty questions.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(aMinute)
		var begun []time.Time
		for range 100 {
			done, err := turns.take(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			begun = append(begun, time.Now())
			time.Sleep(time.Second)
			done()
		}
		for i := aMinute; i < len(begun); i++ {
			if since := begun[i].Sub(begun[i-aMinute]); since < time.Minute {
				t.Errorf("questions %d to %d within %s", i-aMinute, i, since)
			}
		}
		if total := begun[99].Sub(begun[0]); total > 4*time.Minute {
			t.Errorf("a hundred questions took %s", total)
		}
	})
}

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(aMinute)
		var done []func()
		for range atOnce {
			d, err := turns.take(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			done = append(done, d)
		}
		if _, err := turns.take(t.Context(), false); !errors.Is(err, ErrBusy) {
			t.Errorf("one too many at once: %v", err)
		}
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		if _, err := turns.take(ctx, true); !errors.Is(err, ErrBusy) || time.Since(begun) != 8*time.Second {
			t.Errorf("no room within 8 s: %v after %s", err, time.Since(begun))
		}
		time.AfterFunc(3*time.Second, done[0])
		if d, err := turns.take(t.Context(), true); err != nil {
			t.Errorf("room after 3 s: %v", err)
		} else {
			d()
		}
		for _, d := range done[1:] {
			d()
		}
		for range aMinute - atOnce - 1 {
			d, err := turns.take(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			d()
		}
		if _, err := turns.take(t.Context(), false); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "30 within a minute, the next in 49s") {
			t.Errorf("one too many in a minute: %v", err)
		}
		soon, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		begun = time.Now()
		if _, err := turns.take(soon, true); !errors.Is(err, ErrBusy) || time.Since(begun) != 0 {
			t.Errorf("the turn would come too late: %v after %s", err, time.Since(begun))
		}
		left, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if _, err := turns.take(left, true); !errors.Is(err, ErrBusy) {
			t.Errorf("who has left: %v", err)
		}
		if d, err := turns.take(t.Context(), true); err != nil || len(turns.room) != 1 {
			t.Errorf("a turn in its time: %v, %d under way", err, len(turns.room))
		} else {
			d()
		}
	})
}

func TestNoPace(t *testing.T) {
	turns := newTurns(0)
	for range 100 {
		done, err := turns.take(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
}
