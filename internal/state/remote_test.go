package state_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"mailweir/internal/state"
	"mailweir/internal/state/contract"
)

// behind is the store of another process, without the wire between: what goes there and back is
// JSON all the same.
func behind(t *testing.T, store state.Store) (*state.Remote, *state.Served) {
	t.Helper()
	var remote *state.Remote
	var served *state.Served
	caller := func(handle func() func(context.Context, string, []byte) (any, error)) state.Caller {
		return func(ctx context.Context, method string, in, out any) error {
			body, err := json.Marshal(in)
			if err != nil {
				return err
			}
			answer, err := handle()(ctx, method, body)
			if err != nil {
				return err
			}
			if body, err = json.Marshal(answer); err != nil || out == nil {
				return err
			}
			return json.Unmarshal(body, out)
		}
	}
	remote = state.NewRemote(caller(func() func(context.Context, string, []byte) (any, error) { return served.Handle }))
	served = state.NewServed(store, caller(func() func(context.Context, string, []byte) (any, error) { return remote.Handle }))
	t.Cleanup(served.Close)
	return remote, served
}

func TestRemoteContract(t *testing.T) {
	contract.Run(t, contract.Suite{Open: func(t *testing.T, clock *contract.Clock, rows int) state.Store {
		remote, _ := behind(t, memory(t, clock, rows))
		return remote
	}})
}

func TestSwitchContract(t *testing.T) {
	contract.Run(t, contract.Suite{Open: func(t *testing.T, clock *contract.Clock, rows int) state.Store {
		return state.NewSwitch(memory(t, clock, rows))
	}})
}

// TestSwitchedContract: what began with one store and goes on with that of another process is a
// store as any other.
func TestSwitchedContract(t *testing.T) {
	contract.Run(t, contract.Suite{Open: func(t *testing.T, clock *contract.Clock, rows int) state.Store {
		w := state.NewSwitch(memory(t, clock, rows))
		remote, _ := behind(t, state.NewSwitch(memory(t, clock, rows)))
		if err := w.Exchange(func(state.Store, []string) (state.Store, error) { return remote, nil }); err != nil {
			t.Fatal(err)
		}
		return w
	}})
}

// places is how many places a store counts.
func places(t *testing.T, s state.Store) int {
	t.Helper()
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stats.Leases
}

func hold(t *testing.T, s state.Store, key string, limit int) (state.Lease, bool) {
	t.Helper()
	lease, ok, err := s.Acquire(t.Context(), key, limit)
	if err != nil {
		t.Fatal(err)
	}
	return lease, ok
}

// TestSwitchKeepsPlaces: places that are held go over, count there, and come back there; also those
// that are given back while the stores are exchanged. What a process held is free when it has gone.
func TestSwitchKeepsPlaces(t *testing.T) {
	clock := contract.NewClock()
	w, successor := state.NewSwitch(memory(t, clock, 10)), state.NewSwitch(memory(t, clock, 10))
	kept, _ := hold(t, w, "c|1", 2)
	meanwhile, _ := hold(t, w, "c|1", 2)
	_, _ = hold(t, w, "c|2", 2)
	remote, served := behind(t, successor)
	err := w.Exchange(func(_ state.Store, held []string) (state.Store, error) {
		meanwhile.Release()
		slices.Sort(held)
		if !slices.Equal(held, []string{"c|1", "c|1", "c|2"}) {
			t.Errorf("held %q", held)
		}
		served.Adopt(held)
		return remote, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, remote)
	if n := places(t, successor); n != 2 {
		t.Errorf("%d places, want 2", n)
	}
	own, ok := hold(t, successor, "c|1", 2)
	if !ok {
		t.Fatal("a place that was given back is taken")
	}
	if _, ok := hold(t, w, "c|1", 2); ok {
		t.Error("a third place of two")
	}
	own.Release()
	kept.Release()
	kept.Release() // harmless
	settle(t, remote)
	if n := places(t, successor); n != 1 {
		t.Errorf("%d places, want 1", n)
	}
	served.Close()
	if n := places(t, successor); n != 0 {
		t.Errorf("%d places of a process that has gone", n)
	}
}

// settle waits for places to be given back.
func settle(t *testing.T, remote *state.Remote) {
	t.Helper()
	if err := remote.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSwitchTakesBack: an exchange that fails goes on with what its function returns, and with the
// places.
func TestSwitchTakesBack(t *testing.T) {
	clock := contract.NewClock()
	w := state.NewSwitch(memory(t, clock, 10))
	lease, _ := hold(t, w, "c|1", 1)
	again := memory(t, clock, 10)
	err := w.Exchange(func(state.Store, []string) (state.Store, error) { return again, context.Canceled })
	if err == nil {
		t.Error("no error")
	}
	if n := places(t, again); n != 1 {
		t.Errorf("%d places, want 1", n)
	}
	lease.Release()
	if n := places(t, again); n != 0 {
		t.Errorf("%d places, want 0", n)
	}
}

// TestSwitchWaits: a call during an exchange waits for its end, sees no error, and is done by the
// new store; who watches hears that something may have been missed, and of what is entered there.
func TestSwitchWaits(t *testing.T) {
	clock := contract.NewClock()
	w, successor := state.NewSwitch(memory(t, clock, 10)), memory(t, clock, 10)
	heard := make(chan string, 10)
	defer w.Watch("m|", func(key string) { heard <- key })()
	remote, _ := behind(t, successor)
	done := make(chan error, 1)
	err := w.Exchange(func(state.Store, []string) (state.Store, error) {
		go func() {
			_, err := w.Do(context.Background(), state.Put("m|1", []byte("x"), 0).Entered())
			done <- err
		}()
		select {
		case <-done:
			t.Error("a call ends during the exchange")
		case <-t.Context().Done():
		default:
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := w.Get(ctx, "m|1"); err != context.Canceled {
			t.Errorf("a call that waits no longer: %v", err)
		}
		return remote, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, there, _ := successor.Get(t.Context(), "m|1"); !there {
		t.Error("the new store has nothing")
	}
	seen := map[string]bool{}
	for !seen[""] || !seen["m|1"] {
		seen[<-heard] = true
	}
	if _, err := successor.Do(t.Context(), state.Put("m|2", nil, 0).Entered(), state.Put("n|2", nil, 0).Entered()); err != nil {
		t.Fatal(err)
	}
	for key := range heard {
		if key == "m|2" {
			break
		}
	}
}

// TestSwitchBusy: an exchange does not begin while a call does not end, and leaves all as it is.
func TestSwitchBusy(t *testing.T) {
	stuck := stuckStore{memory(t, contract.NewClock(), 10), make(chan struct{}), make(chan struct{})}
	w := state.NewSwitch(stuck)
	go func() { _, _ = w.Do(context.Background(), state.Get("a|1")) }()
	<-stuck.begun
	if err := w.Exchange(func(state.Store, []string) (state.Store, error) { panic("called") }); err == nil {
		t.Error("no error")
	}
	close(stuck.gate)
	if _, err := w.Stats(t.Context()); err != nil {
		t.Error(err)
	}
}

type stuckStore struct {
	state.Store
	begun, gate chan struct{}
}

func (s stuckStore) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	close(s.begun)
	<-s.gate
	return s.Store.Do(ctx, steps...)
}

// FuzzServed: whatever another process asks is answered, and harms nothing.
func FuzzServed(f *testing.F) {
	for _, method := range state.ServedMethods() {
		for _, body := range []string{
			`[{"op":"put","key":"YXwx","value":"eA==","lifetime":1000000000}]`, `[{"op":"tally","key":"YXwx","n":1,"limit":2}]`, `[{"op":"swap","key":"YXwx","old":null}]`,
			`[{"op":"update","key":"YXwx"}]`, `{"keys":["YXwx"]}`, `{"prefix":"YXw=","limit":3}`, `{"key":"YXwx","limit":1}`, `null`, `{}`,
		} {
			f.Add(method, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, method string, body []byte) {
		clock := contract.NewClock()
		remote, served := behind(t, memory(t, clock, 10))
		_, _ = served.Handle(t.Context(), method, body)
		_, _ = remote.Handle(t.Context(), state.RemoteMethods()[0], body)
		if _, err := remote.Do(t.Context(), state.Put("z|1", nil, 0)); err != nil {
			t.Error(err)
		}
	})
}
