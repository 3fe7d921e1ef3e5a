package recipients

import (
	"context"
	"sync"
	"testing"
	"time"

	"mailweir/internal/state"
)

// An answer that was on its way when a person had something forgotten is not kept, here or on
// another host.
func TestForgetMeanwhile(t *testing.T) {
	eachStore(t, func(t *testing.T, c *clock, store func() state.Store) {
		s := newServer()
		one := store()
		a := open(t, one, c)
		release := s.hold()
		var asking sync.WaitGroup
		asking.Go(func() { ask(t, a, s, bob, false) })
		<-s.begun
		if _, err := Forget(t.Context(), one, bob, "+", c.now()); err != nil {
			t.Fatal(err)
		}
		s.set("bob@ours.example", true)
		asking.Go(func() { ask(t, a, s, bob, true) }) // does not join the old question
		<-s.begun
		release()
		asking.Wait()
		ask(t, a, s, bob, true)
	})
}

// Mail that comes while the answers are being forgotten finds one that is still there. It does not
// count for longer than that, here or on another host.
func TestFoundWhileForgotten(t *testing.T) {
	eachStore(t, func(t *testing.T, c *clock, store func() state.Store) {
		s, first := newServer(), store()
		heard := make(chan struct{}, 1000)
		one, other := open(t, first, c), open(t, listener{store(), heard}, c)
		ask(t, one, s, bob, false)
		hears := func(version int) {
			for other.near.version() == version {
				select {
				case <-heard:
				case <-time.After(10 * time.Second):
					t.Fatal("another host hears of nothing")
				}
			}
		}
		version := other.near.version()
		begun := listed{first, func() {
			hears(version)
			version = other.near.version()
			ask(t, one, s, bob, false)
			ask(t, other, s, bob, false)
		}}
		if n, err := Forget(t.Context(), begun, bob, "+", c.now()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		hears(version)
		s.set("bob@ours.example", true)
		ask(t, one, s, bob, true)
		ask(t, other, s, bob, true)
	})
}

// What was forgotten is asked for on a new connection.
func TestForgottenIsAskedAnew(t *testing.T) {
	c, s := new(clock), &renewing{server: newServer()}
	store := state.NewMemory(c.now, 100)
	a := open(t, store, c)
	for _, want := range []int{0, 1} {
		if _, err := a.Ask(t.Context(), source, s, bob); err != nil || s.times != want {
			t.Errorf("%d times, %v; want %d", s.times, err, want)
		}
		if _, err := Forget(t.Context(), store, bob, "+", c.now()); err != nil {
			t.Fatal(err)
		}
	}
}

type renewing struct {
	*server
	times int
}

func (r *renewing) Renew() { r.times++ }

// listed is a store that does something when it has listed.
type listed struct {
	state.Store
	then func()
}

func (l listed) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	list, err := l.Store.List(ctx, prefix, after, limit)
	if after == "" {
		l.then()
	}
	return list, err
}
