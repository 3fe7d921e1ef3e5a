package rbl

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
)

// benchSet is a set of n lists, of which the slowest takes delay for everything that is not a test
// entry.
func benchSet(b *testing.B, n int, delay time.Duration) (*bench, *Set) {
	b.Helper()
	be := &bench{liar: dnstest.New(b), log: &changeLog{}}
	be.res = newTestResolver(b, dns.ResolverOptions{}, be.liar.Addr)
	be.lists = NewLists(be.res, ListsOptions{OnChange: be.log.add})
	b.Cleanup(be.lists.Close)
	specs := make([]string, n)
	for i := range specs {
		zone := fmt.Sprintf("l%d.example", i)
		specs[i] = zone
		wait := delay * time.Duration(i+1) / time.Duration(n)
		be.liar.Set(zone, except(func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			if wait > 0 {
				select {
				case <-time.After(wait):
				case <-be.liar.Stop:
				}
			}
			return dnstest.One(dnstest.NX(m))
		}))
	}
	return be, be.set(b, SetOptions{}, specs...)
}

func clientNumber(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// BenchmarkCold: a client nobody has asked about; the slowest list takes 50 ms. Twenty lists should
// cost hardly more than one.
func BenchmarkCold(b *testing.B) {
	for _, n := range []int{1, 20} {
		b.Run(fmt.Sprint(n, "lists"), func(b *testing.B) {
			_, s := benchSet(b, n, 50*time.Millisecond)
			i := 0
			for b.Loop() {
				i++
				if r := s.Lookup(context.Background(), clientNumber(i)); r.Verdict != NotListed {
					b.Fatal(r.Err())
				}
			}
		})
	}
}

// BenchmarkWarm: a client whose result is remembered, and one whose answers are cached only (after
// a reload, say).
func BenchmarkWarm(b *testing.B) {
	for _, n := range []int{1, 20} {
		b.Run(fmt.Sprint(n, "lists"), func(b *testing.B) {
			_, s := benchSet(b, n, 0)
			ctx, client := context.Background(), clientNumber(1)
			s.Lookup(ctx, client)
			b.ReportAllocs()
			for b.Loop() {
				s.Lookup(ctx, client)
			}
		})
		b.Run(fmt.Sprint(n, "listsFromCache"), func(b *testing.B) {
			be, s := benchSet(b, n, 0)
			ctx, client := context.Background(), clientNumber(1)
			s.Lookup(ctx, client)
			b.ReportAllocs()
			for b.Loop() {
				be.lists.changes.Add(1) // forgets the result, keeps the answers
				s.Lookup(ctx, client)
			}
		})
	}
}

// BenchmarkCrowd: 10,000 sessions ask about 1,000 clients at once, one list.
func BenchmarkCrowd(b *testing.B) {
	be, s := benchSet(b, 1, 0)
	round := 0
	var asked uint64
	for b.Loop() {
		round++
		before := be.res.Stats().Misses
		var wg sync.WaitGroup
		var bad atomic.Int64
		for i := range 10_000 {
			wg.Go(func() {
				if s.Lookup(context.Background(), clientNumber(round*1000+i%1000)).Verdict != NotListed {
					bad.Add(1)
				}
			})
		}
		wg.Wait()
		if bad.Load() > 0 {
			b.Fatal(bad.Load(), " without an answer: ", be.log.take())
		}
		asked += be.res.Stats().Misses - before
	}
	b.ReportMetric(float64(asked)/float64(round), "questions/op")
}
