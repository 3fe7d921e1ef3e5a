package remote

import (
	"context"
	"testing"
	"time"

	"mailweir/internal/resource"
)

// BenchmarkKept is a key whose answer is kept.
func BenchmarkKept(b *testing.B) {
	opener := Opener{CacheFor: time.Hour, Kinds: []Kind{{Name: "fake", Open: func(Source) (Driver, error) { return &fake{}, nil }}}}
	var pool resource.Pool
	held := pool.Hold()
	defer held.Release()
	one, err := opener.Open(held, nil, "fake", "x")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, found, err := one.Find(ctx, "user@example.org"); !found || err != nil {
			b.Fatal(err)
		}
	}
}

// TestKeptAllocatesNothing: a key whose answer is kept costs no memory.
func TestKeptAllocatesNothing(t *testing.T) {
	run(t, &fake{}, time.Hour, func(t *testing.T, tab *Table) {
		ctx := context.Background()
		find := func() { _, _, _ = tab.Find(ctx, "user@example.org") }
		find()
		if n := testing.AllocsPerRun(100, find); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
