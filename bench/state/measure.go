package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/state"
)

// fresh numbers the new triplets of this run.
type fresh struct{ next atomic.Int64 }

// measure makes decisions at a rate for a time and prints what they cost.
func measure(ctx context.Context, store state.Store, s settings, name string, rate int, during time.Duration) error {
	written := writtenBytes()
	heap := watchHeap()
	cpu := processorTime()
	begun := time.Now()
	latencies, late, err := drive(ctx, store, s, rate, during)
	took := time.Since(begun)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d decisions in %v (%.0f/s), p50 %v, p99 %v, p99.9 %v, longest %v; begun up to %v late\n", name, len(latencies),
		took.Round(time.Millisecond), float64(len(latencies))/took.Seconds(), at(latencies, 0.5), at(latencies, 0.99),
		at(latencies, 0.999), latencies[len(latencies)-1].Round(time.Microsecond), late.Round(time.Millisecond))
	fmt.Printf("%s: %.1f MB/s written, heap at most %d MiB, %.1f µs of processor a decision\n", name,
		float64(writtenBytes()-written)/1e6/took.Seconds(), heap()>>20,
		float64((processorTime()-cpu).Microseconds())/float64(len(latencies)))
	return nil
}

func at(sorted []time.Duration, part float64) time.Duration {
	return sorted[int(part*float64(len(sorted)-1))].Round(time.Microsecond)
}

// drive has each worker make decisions at its share of the rate. A decision's latency counts from when it begins; how late the
// latest began, for want of processors, is told beside.
func drive(ctx context.Context, store state.Store, s settings, rate int, during time.Duration) (all []time.Duration, late time.Duration, err error) {
	var mu sync.Mutex
	var work sync.WaitGroup
	var first error
	var numbers fresh
	begun := time.Now()
	pace := time.Duration(s.workers) * time.Second / time.Duration(rate)
	for w := range s.workers {
		work.Go(func() {
			own := make([]time.Duration, 0, int(during/pace)+1)
			var latest time.Duration
			due := begun.Add(pace * time.Duration(w) / time.Duration(s.workers))
			for ; due.Sub(begun) < during; due = due.Add(pace) {
				time.Sleep(time.Until(due))
				now := time.Now()
				latest = max(latest, now.Sub(due))
				if err := decide(ctx, store, s.rows, &numbers); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					return
				}
				own = append(own, time.Since(now))
			}
			mu.Lock()
			defer mu.Unlock()
			all, late = append(all, own...), max(late, latest)
		})
	}
	work.Wait()
	slices.Sort(all)
	return all, late, first
}

// decide is one decision of greylisting and what it settles.
func decide(ctx context.Context, store state.Store, rows int, numbers *fresh) error {
	i := rand.IntN(rows)
	key := triplet(i)
	isNew := rand.IntN(100) < 30
	if isNew {
		// Among the old ones in the order of keys, as strangers' addresses are.
		key += fmt.Sprintf("%x", rand.Uint64()+uint64(numbers.next.Add(1)))
	}
	if _, err := store.Do(ctx, state.Get(key), state.Get(state.Key("known", key[9:20]))); err != nil {
		return err
	}
	step := state.Touch(key, keep)
	if isNew {
		step = state.First(key, value, 12*time.Hour)
	}
	_, err := store.Do(ctx, step)
	return err
}

// writtenBytes is what this process made the disk write, as the kernel counts pages.
func writtenBytes() int64 {
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	var n int64
	for line := range strings.Lines(string(raw)) {
		_, _ = fmt.Sscanf(line, "write_bytes: %d", &n)
	}
	return n
}

// watchHeap looks at the heap twice a second until the function that it returns is called, which returns the largest.
func watchHeap() (largest func() uint64) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	var most uint64
	go func() {
		defer close(stopped)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-stopped
		return most
	}
}
