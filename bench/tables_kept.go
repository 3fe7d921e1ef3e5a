package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"mailweir/internal/resource"
	"mailweir/internal/table"
	"mailweir/internal/table/remote"
	"mailweir/internal/table/served"
	"mailweir/test/testbed"
)

// kept measures what a key costs whose answer is kept, for a table of any type: what is asked is
// the same code for all of them.
func (b *bench) kept() error {
	h := b.Part()
	defer h.Close()
	server := testbed.StartTables(h)
	if err := server.Do("tcp bob@example.org = bob/"); err != nil {
		return err
	}
	fmt.Printf("A key whose answer is kept (one core; median of %d rounds, lowest and highest in brackets):\n\n", b.rounds)
	row("key", "ns", "allocations")
	row("---", "--:", "--:")
	for _, c := range []struct{ name, key string }{{"found", "bob@example.org"}, {"not found", "nobody@example.org"}} {
		var took sample
		var allocations float64
		for range b.rounds {
			one, n, err := keptAnswer(server.Address, c.key, min(b.duration, time.Second))
			if err != nil {
				return err
			}
			took, allocations = append(took, one), n
		}
		row(c.name, took, fmt.Sprintf("%.1f", allocations))
	}
	fmt.Println()
	return nil
}

// keptAnswer asks for one key again and again, and returns how many nanoseconds and allocations it
// takes.
func keptAnswer(address, key string, during time.Duration) (ns, allocations float64, err error) {
	var pool resource.Pool
	held := pool.Hold()
	defer held.Release()
	opener := remote.Opener{Kinds: []remote.Kind{served.TCP()}, CacheFor: time.Hour}
	one, err := opener.Open(held, nil, "tcp", address)
	if err != nil {
		return 0, 0, err
	}
	if _, _, err := one.Find(context.Background(), key); err != nil {
		return 0, 0, err
	}
	return askedAgain(one, key, during)
}

func askedAgain(one table.Waiting, key string, during time.Duration) (ns, allocations float64, err error) {
	ctx := context.Background()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, began := 0, time.Now()
	for ; time.Since(began) < during; n += 1000 {
		for range 1000 {
			if _, _, err := one.Find(ctx, key); err != nil {
				return 0, 0, err
			}
		}
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return float64(took.Nanoseconds()) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n), nil
}
