package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/state"
	"mailweir/test/testbed"
)

// redisSessions are how many sessions decide at once when reads are counted: the more, the more of
// what they ask shares a read.
var redisSessions = []int{8, 64}

// reads prints how often the server reads from its connections for a message under the whole
// default policy: each read is a wake-up of the server, and what it answers then is one of ours.
func (b *bench) reads() error {
	h := b.Part()
	defer h.Close()
	server := testbed.StartRedis(h)
	p, err := policyOnRedis(h, "redis://"+server.Address)
	if err != nil {
		return err
	}
	fmt.Print("Reads of the server, whole default policy:\n\n")
	row("sessions", "reads a message", "messages/s", "CPU µs", "CPU µs of the server", "undecided")
	row("--:", "--:", "--:", "--:", "--:", "--:")
	for _, sessions := range redisSessions {
		var reads, rates, own, theirs sample
		for range b.rounds {
			m, err := measureReads(server, p.decision(), sessions, b.duration)
			if err != nil {
				return err
			}
			reads, rates = append(reads, m.reads), append(rates, m.rate)
			own, theirs = append(own, m.own), append(theirs, m.theirs)
		}
		row(strconv.Itoa(sessions), fmt.Sprintf("%.2f", reads.median()), rates, own, theirs, p.undecided.Swap(0))
	}
	fmt.Println()
	return nil
}

// policyOnRedis is the whole default policy on a Redis that knows triplets, until h is closed.
func policyOnRedis(h testbed.TB, spec string) (*wholePolicy, error) {
	store, err := state.OpenRedis(context.Background(), spec, state.Options{})
	if err != nil {
		return nil, err
	}
	h.Cleanup(func() { _ = store.Close() })
	if err := fillStore(store); err != nil {
		return nil, err
	}
	p, err := openPolicy(store, greylisting...)
	if err != nil {
		return nil, err
	}
	h.Cleanup(p.close)
	return p, nil
}

// fillStore writes the triplets that are known.
func fillStore(store state.Store) error {
	const page = 1000
	for i := 0; i < redisRows; i += page {
		var steps []state.Step
		for j := i; j < i+page; j++ {
			stamp := []byte(time.Now().UTC().Format(stampForm))
			steps = append(steps, state.Put(knownTriplet(j).knownKey(), stamp, keepKnown-10*24*time.Hour))
		}
		if _, err := store.Do(context.Background(), steps...); err != nil {
			return err
		}
	}
	return nil
}

// readsRound is what one round measures, a message.
type readsRound struct{ reads, rate, own, theirs float64 }

func measureReads(server *testbed.Redis, decide decision, sessions int, during time.Duration) (m readsRound, err error) {
	before, err := serverReads(server)
	if err != nil {
		return m, err
	}
	serverCPU, err := cpuTime(server.PID())
	if err != nil {
		return m, err
	}
	cpu, begun := ownCPU(), time.Now()
	n, err := decideAtOnce(decide, sessions, during)
	if err != nil {
		return m, err
	}
	took := time.Since(begun)
	cpu = ownCPU() - cpu
	serverCPUAfter, err := cpuTime(server.PID())
	if err != nil {
		return m, err
	}
	after, err := serverReads(server)
	return readsRound{
		reads: float64(after-before) / n, rate: n / took.Seconds(),
		own: float64(cpu.Microseconds()) / n, theirs: float64((serverCPUAfter - serverCPU).Microseconds()) / n,
	}, err
}

// serverReads asks the server how often it has read from its connections.
func serverReads(server *testbed.Redis) (int64, error) {
	info, err := server.Ask("INFO", "stats")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(info, "total_reads_processed:")
	word, _, _ := strings.Cut(after, "\r")
	return strconv.ParseInt(word, 10, 64)
}

// decideAtOnce has that many sessions decide one mail after the other, and returns how many mails
// that were.
func decideAtOnce(decide decision, sessions int, during time.Duration) (float64, error) {
	ctx, stop := context.WithTimeout(context.Background(), during)
	defer stop()
	var count atomic.Int64
	failures := make(chan error, sessions)
	var work sync.WaitGroup
	for range sessions {
		work.Go(func() {
			for ctx.Err() == nil {
				if _, err := decide(someTriplet(redisRows)); err != nil {
					failures <- err
					return
				}
				count.Add(1)
			}
		})
	}
	work.Wait()
	close(failures)
	return float64(max(count.Load(), 1)), <-failures
}
