package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/dns"
	"mailweir/rbl"
	"mailweir/test/testbed"
)

// lists measures the DNS lists: what twenty cost beside one, how many questions a crowd puts, and
// what a million answers weigh.
func (b *bench) lists() error {
	for _, part := range []func() error{b.listTimes, b.listCrowd, b.listMemory, b.listsThroughPostfix} {
		if err := part(); err != nil {
			return err
		}
		fmt.Println()
	}
	return nil
}

// asked is a resolver with its lists, on a name server of the bench's own.
type asked struct {
	dns   *dns.Resolver
	lists *rbl.Lists
}

func askNameServer(h testbed.TB, s *testbed.NameServer, names int) (*asked, error) {
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{s.Address}, CacheNames: names})
	if err != nil {
		return nil, err
	}
	a := &asked{dns: resolver, lists: rbl.NewLists(resolver, rbl.ListsOptions{})}
	h.Cleanup(func() {
		a.lists.Close()
		a.dns.Close()
	})
	return a, nil
}

// set makes a set of n lists, l0.example and so on, once their self-test has passed.
func (a *asked) set(h testbed.TB, n int) (*rbl.Set, error) {
	var zones []string
	for i := range n {
		zones = append(zones, fmt.Sprintf("l%d.example", i))
	}
	entries, err := rbl.Parse(rbl.Addresses, zones)
	if err != nil {
		return nil, err
	}
	set, err := a.lists.NewSet(entries, rbl.SetOptions{Remember: 1 << 20})
	if err != nil {
		return nil, err
	}
	h.Cleanup(set.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return set, set.Ready(ctx)
}

// clean is a client that no list knows.
func clean(i int) netip.Addr { return clientNumber(2 * i) }

func clientNumber(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

const slowestList = 50 * time.Millisecond

// listTimes: the time of one client's look-up. Cold: the slowest of the lists takes 50 ms. Warm:
// the client's result is remembered. After a reload: only the answers are.
func (b *bench) listTimes() error {
	fmt.Printf("The look-up of one client that no list knows; the slowest list answers after %v:\n\n", slowestList)
	row("lists", "cold", "cold, against one", "after a reload", "warm", "allocations, warm")
	row("--:", "--:", "--:", "--:", "--:", "--:")
	var single sample
	for _, n := range []int{1, 20} {
		cold, reloaded, warm, allocations, err := b.listTime(n)
		if err != nil {
			return err
		}
		if n == 1 {
			single = cold
		}
		row(n, inMicroseconds(cold), cold.against(single), inMicroseconds(reloaded), fmt.Sprintf("%.0f ns", warm.median()), fmt.Sprintf("%.2f", allocations))
	}
	return nil
}

func inMicroseconds(nanoseconds sample) string {
	return fmt.Sprintf("%.0f µs", nanoseconds.median()/1000)
}

func (b *bench) listTime(n int) (cold, reloaded, warm sample, allocations float64, err error) {
	h := b.Part()
	defer h.Close()
	server := startNameServer(h, func(name string) time.Duration {
		var list int
		var client [4]int
		if _, err := fmt.Sscanf(name, "%d.%d.%d.%d.l%d.", &client[0], &client[1], &client[2], &client[3], &list); err != nil {
			return 0
		}
		return slowestList * time.Duration(list+1) / time.Duration(n)
	})
	a, err := askNameServer(h, server, 1<<20)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	set, err := a.set(h, n)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	ctx := context.Background()
	const clients, repetitions = 20, 200_000
	lookup := func(set *rbl.Set, i int) (time.Duration, error) {
		began := time.Now()
		r := set.Lookup(ctx, clean(i))
		return time.Since(began), r.Err()
	}
	for i := range b.rounds * clients {
		took, err := lookup(set, i)
		if err != nil {
			return nil, nil, nil, 0, err
		}
		cold = append(cold, float64(took))
	}
	again, err := a.set(h, n) // as a reload makes one
	if err != nil {
		return nil, nil, nil, 0, err
	}
	for i := range b.rounds * clients {
		took, err := lookup(again, i)
		if err != nil {
			return nil, nil, nil, 0, err
		}
		reloaded = append(reloaded, float64(took))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range b.rounds {
		began := time.Now()
		for range repetitions {
			again.Lookup(ctx, clean(1))
		}
		warm = append(warm, float64(time.Since(began))/repetitions)
	}
	runtime.ReadMemStats(&after)
	return cold, reloaded, warm, float64(after.Mallocs-before.Mallocs) / float64(b.rounds*repetitions), nil
}

// listCrowd: 10,000 sessions ask about 1,000 clients at the same moment.
func (b *bench) listCrowd() error {
	const sessions, clients = 10_000, 1000
	fmt.Printf("%d sessions ask one list about %d clients at once:\n\n", sessions, clients)
	row("clients", "questions on the wire", "packets", "all answered after")
	row("--:", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	a, err := askNameServer(h, startNameServer(h, nil), 1<<20)
	if err != nil {
		return err
	}
	set, err := a.set(h, 1)
	if err != nil {
		return err
	}
	var took, questions, packets sample
	for round := range b.rounds {
		before := a.dns.Stats()
		var failed atomic.Int64
		var crowd sync.WaitGroup
		start := make(chan struct{})
		for i := range sessions {
			crowd.Go(func() {
				<-start
				if set.Lookup(context.Background(), clean(round*clients+i%clients)).Err() != nil {
					failed.Add(1)
				}
			})
		}
		began := time.Now()
		close(start)
		crowd.Wait()
		took = append(took, float64(time.Since(began).Milliseconds()))
		if n := failed.Load(); n > 0 {
			return fmt.Errorf("%d sessions got no answer", n)
		}
		after := a.dns.Stats()
		questions = append(questions, float64(after.Misses-before.Misses))
		packets = append(packets, float64(after.Packets-before.Packets))
	}
	row(clients, questions, packets, took.String()+" ms")
	return nil
}

// listMemory: a million cached names, asked over the wire.
func (b *bench) listMemory() error {
	const names, atOnce = 1_000_000, 500
	fmt.Print("A million cached names, about one in ten listed:\n\n")
	row("answers in the cache", "heap", "octets a name", "asked in")
	row("--:", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	a, err := askNameServer(h, startNameServer(h, nil), 2*names)
	if err != nil {
		return err
	}
	before := heap()
	began := time.Now()
	var next, failed atomic.Int64
	var askers sync.WaitGroup
	for range atOnce {
		askers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= names {
					return
				}
				ip := clientNumber(i).As4()
				name := fmt.Sprintf("%d.%d.%d.%d.bl.example", ip[3], ip[2], ip[1], ip[0])
				if a.dns.Ask(context.Background(), dns.NewQuestion(dns.A, name)).Err != nil {
					failed.Add(1)
				}
			}
		})
	}
	askers.Wait()
	took := time.Since(began)
	grown := heap() - before
	cached := a.dns.Stats().Names
	if failed.Load() > 0 {
		return errors.New("a question was not answered")
	}
	row(cached, mib(int(grown/1024)), grown/uint64(max(cached, 1)), took.Round(time.Second))
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
