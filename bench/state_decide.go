package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"mailweir/internal/state"
)

// stateFigures are what a run prints.
type stateFigures struct {
	Ready                         time.Duration
	PerSecond                     float64
	P50, P99, P999, Longest, Late time.Duration
	WrittenPerSecond              float64
	Heap                          uint64
	CPU                           float64 // microseconds a decision
	Undecided                     int64
}

// decision makes one and returns how long its asker waited.
type decision func(t triplet, isNew bool) (time.Duration, error)

// run is the process of a stateRun.
func (r stateRun) run() error {
	begun := time.Now()
	store, err := openState(r.Dir, r.Rows)
	if err != nil {
		return err
	}
	decide := decideBare(store)
	p := &wholePolicy{close: func() {}}
	if len(r.Flags) > 0 {
		if p, err = openPolicy(store, r.Flags...); err != nil {
			return errors.Join(err, store.Close())
		}
		decide = p.decision()
	}
	if r.Tell {
		decide = telling(decide)
	}
	if _, err := decide(knownTriplet(r.Rows/2), false); err != nil {
		return err
	}
	figures := stateFigures{Ready: time.Since(begun)}
	if err := r.warm(store); err != nil {
		return err
	}
	if err := r.measure(decide, &figures); err != nil {
		return err
	}
	p.close()
	figures.Undecided = p.undecided.Load()
	if err := store.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// warm reads triplets from all over the file, so that the kernel has mapped it, as it has for a
// process that has been running for a while.
func (r stateRun) warm(store state.Store) error {
	for range r.Rows / 25 {
		if _, err := store.Do(context.Background(), state.Get(knownTriplet(rand.IntN(r.Rows)).knownKey())); err != nil {
			return err
		}
	}
	return nil
}

// decision makes a decision through the policy and sees that it is the right one.
func (w *wholePolicy) decision() decision {
	return func(t triplet, isNew bool) (time.Duration, error) {
		took, waits, err := w.decide(t)
		switch {
		case err != nil:
		case waits && !isNew:
			err = fmt.Errorf("%v is known, and has to wait", t)
		case isNew && !waits:
			w.undecided.Add(1)
		}
		return took, err
	}
}

// decideBare asks of the store what greylisting asks, and writes what it writes.
func decideBare(store state.Store) decision {
	ctx := context.Background()
	return func(t triplet, isNew bool) (time.Duration, error) {
		begun := time.Now()
		if _, err := store.Do(ctx, state.Get(t.knownKey()), state.Get(t.pendingKey()), state.Get(t.netKey())); err != nil {
			return 0, err
		}
		step := state.Touch(t.knownKey(), keepKnown)
		if isNew {
			step = state.First(t.pendingKey(), []byte(begun.UTC().Format(stampForm)+" refused"), keepPending)
		}
		_, err := store.Do(ctx, step)
		return time.Since(begun), err
	}
}

// telling prints the time and the key of each new triplet once its session has ended.
func telling(decide decision) decision {
	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	return func(t triplet, isNew bool) (time.Duration, error) {
		took, err := decide(t, isNew)
		if err != nil || !isNew {
			return took, err
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "%d %s\n", time.Now().UnixNano(), t.pendingKey())
		return took, out.Flush()
	}
}

func (r stateRun) measure(decide decision, f *stateFigures) error {
	written, heap, cpu, begun := writtenBytes(), watchHeap(), ownCPU(), time.Now()
	latencies, late, err := r.drive(decide)
	if err != nil {
		return err
	}
	took, n := time.Since(begun), float64(len(latencies))
	at := func(part float64) time.Duration { return latencies[int(part*(n-1))].Round(time.Microsecond) }
	f.PerSecond, f.Late = n/took.Seconds(), late.Round(time.Millisecond)
	f.P50, f.P99, f.P999, f.Longest = at(0.5), at(0.99), at(0.999), at(1)
	f.WrittenPerSecond = float64(writtenBytes()-written) / took.Seconds()
	f.Heap, f.CPU = heap(), float64((ownCPU()-cpu).Microseconds())/n
	return nil
}

// drive has each worker make decisions at its share of the rate. A decision's time counts from when
// it begins; how late the latest began, for want of processors, is told beside. It returns the
// times in order.
func (r stateRun) drive(decide decision) (all []time.Duration, late time.Duration, err error) {
	var mu sync.Mutex
	var work sync.WaitGroup
	begun := time.Now()
	pace := stateWorkers * time.Second / time.Duration(r.Rate)
	for w := range stateWorkers {
		work.Go(func() {
			own, latest, failed := r.worker(decide, begun.Add(pace*time.Duration(w)/stateWorkers), pace)
			mu.Lock()
			defer mu.Unlock()
			all, late, err = append(all, own...), max(late, latest), errors.Join(err, failed)
		})
	}
	work.Wait()
	slices.Sort(all)
	return all, late, err
}

func (r stateRun) worker(decide decision, begin time.Time, pace time.Duration) (own []time.Duration, latest time.Duration, err error) {
	own = make([]time.Duration, 0, int(r.For/pace)+1)
	for due := begin; due.Sub(begin) < r.For; due = due.Add(pace) {
		time.Sleep(time.Until(due))
		latest = max(latest, time.Since(due))
		took, err := decide(someTriplet(r.Rows))
		if err != nil {
			return own, latest, err
		}
		own = append(own, took)
	}
	return own, latest, nil
}

// domainOf is what stands behind the @.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// writtenBytes is what this process has written: nearly all of it is pages of the store.
// (write_bytes would count the whole of a large folio of the page cache for one page in it.)
func writtenBytes() int64 {
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	var n int64
	for line := range strings.Lines(string(raw)) {
		_, _ = fmt.Sscanf(line, "wchar: %d", &n)
	}
	return n
}

// watchHeap looks at the heap twice a second until the function that it returns is called, which
// returns the largest.
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
