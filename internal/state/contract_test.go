package state_test

import (
	"context"
	"testing"

	"mailweir/internal/state"
	"mailweir/internal/state/contract"
)

func memory(_ *testing.T, clock *contract.Clock, rows int) state.Store {
	return state.NewMemory(clock.Now, rows)
}

func file(t *testing.T, clock *contract.Clock, rows int) state.Store {
	t.Helper()
	f, err := state.OpenFile(t.TempDir(), state.Options{Clock: clock.Now, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// copyOf is a copy over an empty store. That it shows what the base has is for its own tests.
func copyOf(open func(*testing.T, *contract.Clock, int) state.Store) func(*testing.T, *contract.Clock, int) state.Store {
	return func(t *testing.T, clock *contract.Clock, rows int) state.Store {
		t.Helper()
		return state.NewCopy(open(t, clock, rows), clock.Now)
	}
}

func TestMemoryContract(t *testing.T) { contract.Run(t, contract.Suite{Open: memory}) }

func TestFileContract(t *testing.T) { contract.Run(t, contract.Suite{Open: file, Sweep: checkpoint}) }

func checkpoint(s state.Store) error { return s.(*state.File).Checkpoint() }

func TestCopyOfMemoryContract(t *testing.T) {
	contract.Run(t, contract.Suite{Trial: true, Open: copyOf(memory)})
}

func TestCopyOfFileContract(t *testing.T) {
	contract.Run(t, contract.Suite{Trial: true, Open: copyOf(file)})
}

func TestWaits(t *testing.T) {
	clock := contract.NewClock()
	view := state.NewView(func(context.Context, state.Question) (state.Answer, error) { return state.Answer{}, nil })
	for name, of := range map[string]struct {
		store state.Store
		want  bool
	}{
		"memory":         {memory(t, clock, 1), false},
		"file":           {file(t, clock, 1), false},
		"copy of a file": {copyOf(file)(t, clock, 1), false},
		"view":           {view, true},
		"copy of a view": {state.NewCopy(view, clock.Now), true},
	} {
		if got := of.store.Waits(); got != of.want {
			t.Errorf("%s: waits %v, want %v", name, got, of.want)
		}
	}
}

func TestTracedContract(t *testing.T) {
	contract.Run(t, contract.Suite{Open: func(t *testing.T, clock *contract.Clock, rows int) state.Store {
		return state.Traced(memory(t, clock, rows))
	}})
}
