package state_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/state"
	"mailweir/internal/state/contract"
)

// gated is a memory that waits, or fails, when it is listed.
type gated struct {
	*state.Memory
	waits bool
	gate  chan struct{} // nil: open
	fails error
	lists int
}

func (g *gated) Waits() bool { return g.waits }

func (g *gated) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	g.lists++
	if g.fails != nil {
		return nil, g.fails
	}
	found, err := g.Memory.List(ctx, prefix, after, limit)
	if g.gate != nil {
		<-g.gate // what was found before is old by now
	}
	return found, err
}

func (g *gated) enter(t *testing.T, steps ...state.Step) {
	t.Helper()
	for _, s := range steps {
		if _, err := g.Do(t.Context(), s.Entered()); err != nil {
			t.Fatal(err)
		}
	}
}

// mirrored runs a test on a mirror of the space m, on a store that waits and on one that does not.
func mirrored(t *testing.T, options state.MirrorOptions, test func(*testing.T, *contract.Clock, *gated, *state.Mirror)) {
	t.Helper()
	for _, waits := range []bool{false, true} {
		t.Run(fmt.Sprintf("waits %v", waits), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := contract.NewClock()
				g := &gated{Memory: state.NewMemory(clock.Now, 1000), waits: waits}
				options.Space = "m"
				m := state.NewMirror(g, clock.Now, options)
				defer m.Close()
				test(t, clock, g, m)
			})
		})
	}
}

// has asks as a check does.
func has(t *testing.T, m *state.Mirror, key string, want string) {
	t.Helper()
	if !m.Fresh() {
		if err := m.Refresh(t.Context()); err != nil {
			t.Errorf("refresh: %v", err)
		}
	}
	if e, ok, err := m.Find(key); ok != (want != "") || string(e.Value) != want || err != nil {
		t.Errorf("%s is %q, %v, %v; want %q", key, e.Value, ok, err, want)
	}
}

func mayHave(t *testing.T, m *state.Mirror, prefix string, want bool) {
	t.Helper()
	if has, certain := m.Has(prefix); (has || !certain) != want {
		t.Errorf("%s…: %v, certain: %v", prefix, has, certain)
	}
}

// What may be there is known as far as changes were heard of by key, even while the space cannot be
// read.
func TestMirrorMayHave(t *testing.T) {
	var told func(string)
	clock := contract.NewClock()
	g := &gated{Memory: state.NewMemory(clock.Now, 1000)}
	m := state.NewMirror(telling{g, &told}, clock.Now, state.MirrorOptions{Space: "m"})
	mayHave(t, m, "m|a", true) // nothing is known yet
	has(t, m, "m|a", "")
	mayHave(t, m, "m|a", false)
	g.fails = state.ErrDown
	told("m|a|1")
	mayHave(t, m, "m|a", true)
	mayHave(t, m, "m|b", false)
	told("")
	mayHave(t, m, "m|b", true)
	g.fails = nil
	has(t, m, "m|b", "")
	mayHave(t, m, "m|b", false)
	for i := range 2000 {
		told(fmt.Sprintf("m|c|%d", i))
	}
	mayHave(t, m, "m|b", true) // too many to tell
}

// telling is a store of which the test tells what changes.
type telling struct {
	*gated
	told *func(string)
}

func (s telling) Watch(_ string, changed func(string)) (stop func()) {
	*s.told = changed
	return func() {}
}

func TestMirrorHears(t *testing.T) {
	mirrored(t, state.MirrorOptions{}, func(t *testing.T, clock *contract.Clock, g *gated, m *state.Mirror) {
		has(t, m, "m|a", "")
		g.enter(t, state.Put("m|a", []byte("x"), time.Minute), state.Put("m|b", []byte("y"), 0), state.Put("n|a", []byte("z"), 0))
		has(t, m, "m|a", "x")
		has(t, m, "m|b", "y")
		has(t, m, "n|a", "")
		mayHave(t, m, "m|", true)
		mayHave(t, m, "m|b", true)
		mayHave(t, m, "m|aa", false)
		mayHave(t, m, "m|c", false)
		g.enter(t, state.Delete("m|b"))
		has(t, m, "m|b", "")
		clock.Move(time.Minute)
		has(t, m, "m|a", "")
		mayHave(t, m, "m|", false)
		lists := g.lists
		has(t, m, "m|a", "")
		if g.lists != lists || !m.Fresh() {
			t.Error("it is read again though nothing has changed")
		}
	})
}

func TestMirrorWhileUnavailable(t *testing.T) {
	mirrored(t, state.MirrorOptions{}, func(t *testing.T, _ *contract.Clock, g *gated, m *state.Mirror) {
		g.enter(t, state.Put("m|a", []byte("x"), 0))
		has(t, m, "m|a", "x")
		g.fails = state.ErrDown
		g.enter(t, state.Put("m|b", []byte("y"), 0))
		for range 3 {
			if m.Fresh() {
				t.Error("it is fresh, and could not be read")
			}
			if err := m.Refresh(t.Context()); !errors.Is(err, state.ErrDown) {
				t.Errorf("refresh: %v", err)
			}
		}
		if e, ok, err := m.Find("m|a"); string(e.Value) != "x" || !ok || err != nil {
			t.Errorf("what was known: %+v, %v, %v", e, ok, err)
		}
		if _, ok, err := m.Find("m|b"); ok || !errors.Is(err, state.ErrDown) {
			t.Errorf("what is not known: %v, %v", ok, err)
		}
		g.fails = nil
		has(t, m, "m|b", "y")
	})
}

// Whoever asks while the mirror is being read goes by nothing that is older than a person's change.
func TestMirrorWaitsForChanges(t *testing.T) {
	mirrored(t, state.MirrorOptions{}, func(t *testing.T, _ *contract.Clock, g *gated, m *state.Mirror) {
		if !g.waits {
			t.Skip("a store that does not wait is read in no time")
		}
		has(t, m, "m|a", "")
		g.gate = make(chan struct{})
		g.enter(t, state.Put("m|a", []byte("x"), 0))
		synctest.Wait() // it is being read, and nobody has asked
		g.enter(t, state.Put("m|b", []byte("y"), 0))
		if g.lists != 2 || m.Fresh() {
			t.Errorf("read %d times, fresh %v", g.lists, m.Fresh())
		}
		asked := make(chan error, 2)
		for range cap(asked) {
			go func() { asked <- m.Refresh(t.Context()) }()
		}
		hurry, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := m.Refresh(hurry); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who cannot wait: %v", err)
		}
		g.gate <- struct{}{} // it has seen a
		synctest.Wait()
		if len(asked) != 0 {
			t.Error("who asks hears of a only")
		}
		close(g.gate)
		for range cap(asked) {
			if err := <-asked; err != nil {
				t.Error(err)
			}
		}
		has(t, m, "m|b", "y")
		if g.lists != 3 {
			t.Errorf("read %d times, want 3", g.lists)
		}
	})
}

func TestMirrorOfWhatRulesEnter(t *testing.T) {
	mirrored(t, state.MirrorOptions{Every: 2 * time.Second}, func(t *testing.T, clock *contract.Clock, g *gated, m *state.Mirror) {
		put := func(key string) {
			if _, err := g.Do(t.Context(), state.Put(key, []byte("x"), 0)); err != nil {
				t.Fatal(err)
			}
		}
		has(t, m, "m|a", "")
		put("m|a") // by another host
		has(t, m, "m|a", "")
		clock.Move(2 * time.Second)
		if fresh := m.Fresh(); fresh != g.waits {
			t.Errorf("after two seconds fresh: %v", fresh)
		}
		synctest.Wait() // it is read in the background, if that takes time
		has(t, m, "m|a", "x")
		put("m|b")
		clock.Move(20 * time.Second)
		has(t, m, "m|b", "x") // after a long silence even the first knows it
	})
}

func TestMirrorAdds(t *testing.T) {
	mirrored(t, state.MirrorOptions{Most: 3}, func(t *testing.T, clock *contract.Clock, g *gated, m *state.Mirror) {
		entry := func(key string) state.Entry {
			return state.Entry{Key: key, Value: []byte("added"), Until: clock.Now().Add(time.Minute)}
		}
		has(t, m, "m|a", "")
		m.Add(entry("m|a"))
		has(t, m, "m|a", "added")
		mayHave(t, m, "m|a", true)
		if g.waits {
			g.gate = make(chan struct{})
			g.enter(t, state.Put("m|b", []byte("x"), 0))
			synctest.Wait()
			m.Add(entry("m|c")) // which the reading that is under way has missed
			close(g.gate)
			synctest.Wait()
			has(t, m, "m|c", "added")
		}
		g.enter(t, state.Put("m|x", []byte("x"), 0), state.Put("m|y", []byte("y"), 0), state.Put("m|z", []byte("z"), 0))
		has(t, m, "m|a", "")                // the store does not have it
		mayHave(t, m, "m|nothing", g.waits) // there are four then
		m.Add(entry("m|d"))                 // what is read leaves no room, and ends behind it
		has(t, m, "m|d", "added")
		more := 0
		for i := range 4 {
			key := fmt.Sprint("m|e", i)
			m.Add(entry(key))
			if _, ok, _ := m.Find(key); ok {
				more++
			}
		}
		if more == 0 || more > 2 {
			t.Errorf("%d more additions are kept, want 3 in all", more)
		}
		clock.Move(time.Minute)
		has(t, m, "m|c", "")
	})
}

// What is not kept is not known not to be there.
func TestMirrorPartial(t *testing.T) {
	mirrored(t, state.MirrorOptions{Most: 3}, func(t *testing.T, clock *contract.Clock, g *gated, m *state.Mirror) {
		want := func(when, key string, there bool, fails error) {
			t.Helper()
			if !m.Fresh() {
				if err := m.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok, err := m.Find(key); ok != there || !errors.Is(err, fails) {
				t.Errorf("%s: %s is %v, %v", when, key, ok, err)
			}
		}
		g.enter(t, state.Put("m|a", nil, 0), state.Put("m|b", nil, 0), state.Put("m|c", nil, 0))
		want("as many as are kept", "m|c", true, nil)
		want("as many as are kept", "m|d", false, nil)
		g.enter(t, state.Put("m|d", nil, 0))
		want("one more", "m|c", true, nil)
		want("one more", "m|bb", false, nil)
		want("one more", "m|d", false, state.ErrPartial)
		want("one more", "m|e", false, state.ErrPartial)
	})
}

func TestAll(t *testing.T) {
	g := &gated{Memory: state.NewMemory(time.Now, 10_000)}
	const many = 2500
	for i := range many {
		g.enter(t, state.Put(fmt.Sprintf("m|%04d", i), nil, 0))
	}
	n := 0
	for e, err := range state.All(t.Context(), g, "m|") {
		if err != nil || e.Key != fmt.Sprintf("m|%04d", n) {
			t.Fatalf("entry %d is %s, %v", n, e.Key, err)
		}
		n++
	}
	if n != many || g.lists != 3 {
		t.Errorf("%d entries in %d pages", n, g.lists)
	}
	for range state.All(t.Context(), g, "m|") {
		break
	}
	if g.lists != 4 {
		t.Errorf("who breaks off reads %d pages", g.lists-3)
	}
	g.fails = state.ErrDown
	n = 0
	for _, err := range state.All(t.Context(), g, "m|") {
		if n++; !errors.Is(err, state.ErrDown) {
			t.Errorf("error: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}
