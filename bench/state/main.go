// Command state measures the embedded store with many rows in it: how soon it is ready, what a decision costs at a steady rate
// and in a burst, how much is written, how large the heap grows.
//
//	go run ./bench/state --dir /var/tmp/bench-state --rows 10000000
//
// The directory is filled at the first run and used again later. A decision is what greylisting asks of the state: two reads in
// one call, then one write, of a new triplet in 30 of 100.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"mailweir/internal/state"
)

// settings are the flags.
type settings struct {
	dir     string
	rows    int
	rate    int
	during  time.Duration
	burst   int
	bursts  time.Duration
	workers int
}

func main() {
	var s settings
	flag.StringVar(&s.dir, "dir", "", "where the store is, and stays")
	flag.IntVar(&s.rows, "rows", 10_000_000, "triplets in the store")
	flag.IntVar(&s.rate, "rate", 5000, "decisions a second")
	flag.DurationVar(&s.during, "for", time.Minute, "how long at that rate")
	flag.IntVar(&s.burst, "burst", 50_000, "decisions a second of the burst")
	flag.DurationVar(&s.bursts, "burst-for", 2*time.Second, "how long at that rate")
	flag.IntVar(&s.workers, "workers", 16, "sessions at once")
	flag.Parse()
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "bench/state:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if s.dir == "" {
		return fmt.Errorf("--dir is needed")
	}
	if err := fill(ctx, s); err != nil {
		return err
	}
	begun := time.Now()
	store, err := open(s)
	if err != nil {
		return err
	}
	if _, _, err := store.Get(ctx, triplet(s.rows/2)); err != nil {
		return err
	}
	fmt.Printf("ready after %v\n", time.Since(begun).Round(time.Microsecond))
	if err := report(ctx, store); err != nil {
		return err
	}
	for _, phase := range []struct {
		name string
		rate int
		time time.Duration
	}{{"steady", s.rate, s.during}, {"burst", s.burst, s.bursts}} {
		if err := measure(ctx, store, s, phase.name, phase.rate, phase.time); err != nil {
			return err
		}
	}
	begun = time.Now()
	if err := store.Close(); err != nil {
		return err
	}
	fmt.Printf("closed after %v\n", time.Since(begun).Round(time.Millisecond))
	return nil
}

func open(s settings) (*state.File, error) {
	return state.OpenFile(s.dir, state.Options{DefaultRows: 2 * s.rows, OnDown: func(err error) {
		fmt.Fprintln(os.Stderr, "down:", err)
	}})
}

// fill makes the rows, unless a run before has made them.
func fill(ctx context.Context, s settings) error {
	full := filepath.Join(s.dir, "filled")
	if raw, err := os.ReadFile(full); err == nil && string(raw) == fmt.Sprint(s.rows) {
		return nil
	}
	store, err := open(s)
	if err != nil {
		return err
	}
	begun := time.Now()
	const page, pages = 1000, 100
	for i := 0; i < s.rows; i += page {
		steps := make([]state.Step, 0, page+1)
		for j := i; j < min(i+page, s.rows); j++ {
			steps = append(steps, state.Put(triplet(j), value, keep-time.Duration(rand.IntN(1000))*time.Hour/2))
		}
		if i/page%pages == 0 {
			steps = append(steps, state.Put("bench|filled", fmt.Append(nil, i), 0).Entered())
		}
		if _, err := store.Do(ctx, steps...); err != nil {
			return err
		}
	}
	if err := store.Close(); err != nil {
		return err
	}
	fmt.Printf("filled with %d rows in %v\n", s.rows, time.Since(begun).Round(time.Second))
	return os.WriteFile(full, fmt.Append(nil, s.rows), 0o600)
}

func report(ctx context.Context, store state.Store) error {
	stats, err := store.Stats(ctx)
	if err != nil {
		return err
	}
	for _, x := range stats.Spaces {
		fmt.Printf("%s: %d rows, %d evicted\n", x.Space, x.Rows, x.Evicted)
	}
	fmt.Printf("file: %d MiB\n", stats.Bytes>>20)
	return nil
}

const keep = 36 * 24 * time.Hour

var value = []byte("1764000000 1764000100")

// triplet is the key of row i: readable, of the usual length, in an order that has nothing to do with time.
func triplet(i int) string {
	return state.Key("greylist",
		fmt.Sprintf("%d.%d.%d.0/24", 1+i>>16&0xff, i>>8&0xff, i&0xff),
		fmt.Sprintf("someone%d@sender%d.example", i%1000, i%50_000),
		fmt.Sprintf("user%d@recipient.example", i/100))
}
