package resource

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// thing counts how often it is closed.
type thing struct {
	name   string
	closed atomic.Int32
	err    error
}

func (t *thing) Close() error {
	t.closed.Add(1)
	return t.err
}

// opener opens things and keeps them.
type opener struct {
	mu     sync.Mutex
	opened []*thing
}

func (o *opener) open(name string) func() (*thing, error) {
	return func() (*thing, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		t := &thing{name: name}
		o.opened = append(o.opened, t)
		return t, nil
	}
}

func (o *opener) names() (names []string) {
	for _, t := range o.opened {
		names = append(names, t.name)
	}
	return names
}

func get(t *testing.T, h *Holder, o *opener, name string) *thing {
	t.Helper()
	got, err := Get(h, name, o.open(name))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestReload has one policy follow another: what both name is one thing, and is closed after the
// last of them.
func TestReload(t *testing.T) {
	var p Pool
	var o opener
	before := p.Hold()
	kept, dropped := get(t, before, &o, "kept"), get(t, before, &o, "dropped")
	if again := get(t, before, &o, "kept"); again != kept {
		t.Error("the same policy was given another thing of the same name")
	}
	after := p.Hold()
	if get(t, after, &o, "kept") != kept {
		t.Error("the next policy was given another thing of the same name")
	}
	added := get(t, after, &o, "added")
	if err := before.Release(); err != nil {
		t.Fatal(err)
	}
	if kept.closed.Load() != 0 || dropped.closed.Load() != 1 || added.closed.Load() != 0 {
		t.Errorf("closed: kept %d, dropped %d, added %d", kept.closed.Load(), dropped.closed.Load(), added.closed.Load())
	}
	for range 2 {
		if err := after.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if kept.closed.Load() != 1 || dropped.closed.Load() != 1 || added.closed.Load() != 1 || p.Len() != 0 {
		t.Errorf("in the end: kept %d, dropped %d, added %d, %d in use", kept.closed.Load(), dropped.closed.Load(), added.closed.Load(), p.Len())
	}
	if want := []string{"kept", "dropped", "added"}; !slices.Equal(o.names(), want) {
		t.Errorf("opened %q, want %q", o.names(), want)
	}
}

func TestTypesAreApart(t *testing.T) {
	var p Pool
	h := p.Hold()
	n, err := Get(h, "x", func() (int, error) { return 7, nil })
	if err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
	s, err := Get(h, "x", func() (string, error) { return "seven", nil })
	if err != nil || s != "seven" {
		t.Errorf("%q, %v", s, err)
	}
	if err := h.Release(); err != nil || p.Len() != 0 {
		t.Errorf("%v, %d in use", err, p.Len())
	}
}

// TestOpenFails leaves what others hold alone, and is tried again.
func TestOpenFails(t *testing.T) {
	var p Pool
	var o opener
	old := p.Hold()
	kept := get(t, old, &o, "kept")
	bad := errors.New("no route")
	next := p.Hold()
	get(t, next, &o, "kept")
	if _, err := Get(next, "new", func() (*thing, error) { return nil, bad }); err != bad {
		t.Fatalf("error %v", err)
	}
	if p.Len() != 1 {
		t.Errorf("%d in use after a failure, want 1", p.Len())
	}
	get(t, next, &o, "new")
	if err := next.Release(); err != nil {
		t.Fatal(err)
	}
	if kept.closed.Load() != 0 || o.opened[1].closed.Load() != 1 {
		t.Error("the failing policy took away what the old one holds, or left something open")
	}
	if err := old.Release(); err != nil || p.Len() != 0 {
		t.Errorf("%v, %d in use", err, p.Len())
	}
}

func TestPanicWhileOpening(t *testing.T) {
	var p Pool
	h := p.Hold()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = Get(h, "x", func() (*thing, error) { panic("boom") })
	}()
	other := p.Hold()
	if _, err := Get(other, "x", func() (*thing, error) { return &thing{}, nil }); err != nil {
		t.Errorf("somebody else who asks: %v", err)
	}
	if err := h.Release(); err != nil || p.Len() != 1 {
		t.Errorf("the one that failed is released: %v, %d in use", err, p.Len())
	}
	if err := other.Release(); err != nil || p.Len() != 0 {
		t.Errorf("%v, %d in use", err, p.Len())
	}
}

func TestReleaseTellsErrors(t *testing.T) {
	var p Pool
	h := p.Hold()
	bad := errors.New("broken pipe")
	if _, err := Get(h, "x", func() (*thing, error) { return &thing{err: bad}, nil }); err != nil {
		t.Fatal(err)
	}
	if err := h.Release(); !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
	if _, err := Get(h, "x", func() (*thing, error) { return &thing{}, nil }); err != errReleased {
		t.Errorf("a holder that is released: %v", err)
	}
}

// TestTogether opens and releases from many sides at once: whoever holds one has one that is open,
// and in the end there is none.
func TestTogether(t *testing.T) {
	var p Pool
	var open atomic.Int32
	var seen sync.Map
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 200 {
				h := p.Hold()
				one, err := Get(h, "one", func() (*thing, error) {
					open.Add(1)
					return &thing{}, nil
				})
				if err != nil || one.closed.Load() > 0 {
					t.Errorf("closed while it is held, or %v", err)
				}
				seen.Store(one, one)
				if err := h.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	n := 0
	seen.Range(func(_, one any) bool {
		if n++; one.(*thing).closed.Load() != 1 {
			t.Errorf("closed %d times", one.(*thing).closed.Load())
		}
		return true
	})
	if n != int(open.Load()) || p.Len() != 0 {
		t.Errorf("%d opened, %d seen, %d in use", open.Load(), n, p.Len())
	}
}
