package backend

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAProbeThatPanicsIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probes := 0
		b := New(Options{Name: "x://host", Deadline: time.Second, Probe: func(context.Context, int) error {
			if probes++; probes < 3 {
				panic("hostile")
			}
			return nil
		}})
		defer b.Close()
		_ = b.Call(t.Context(), 0, breaks)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if err := b.Lost(0); !errors.Is(err, errBroken) {
			t.Errorf("after a probe that panics: %v", err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if err := b.Lost(0); err != nil || probes != 3 {
			t.Errorf("after %d probes: %v", probes, err)
		}
	})
}
