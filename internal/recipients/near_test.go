package recipients

import (
	"fmt"
	"testing"

	"mailweir/internal/state"
)

func TestNearAllocatesNothing(t *testing.T) {
	c, s := new(clock), newServer("bob@ours.example")
	a := open(t, state.NewMemory(c.now, 100), c)
	ask(t, a, s, bob, true)
	if n := testing.AllocsPerRun(100, func() { a.Known(source, bob.Key()) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Memory is bounded, and what is asked about often stays or comes back from the state.
func TestNearIsBounded(t *testing.T) {
	var n near
	for i := range 3*mostNear + 1 {
		n.put(key{source, fmt.Sprint(i)}, Answer{}, 0)
	}
	if got := len(n.young) + len(n.old); got > 2*mostNear || got < mostNear {
		t.Errorf("%d answers", got)
	}
	n.put(key{source, fmt.Sprintf("%*d", longest+1, 1)}, Answer{}, 0)
	if _, ok := n.any(key{source, fmt.Sprintf("%*d", longest+1, 1)}); ok {
		t.Error("a very long address is kept in memory")
	}
}

func BenchmarkKnown(b *testing.B) {
	c, s := new(clock), newServer("bob@ours.example")
	a := open(b, state.NewMemory(c.now, 100), c)
	if _, err := a.Ask(b.Context(), source, s, bob); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		a.Known(source, bob.Key())
	}
}
