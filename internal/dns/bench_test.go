package dns

import (
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// BenchmarkMemory: a million cached names, one in ten listed.
func BenchmarkMemory(b *testing.B) {
	const names = 1_000_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	now := time.Now()
	for b.Loop() {
		before := heap()
		c := newCache(2 * names)
		for i := range names {
			a := &noName
			if i%10 == 0 {
				a = &Answer{Status: Found, Addrs: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 2})}}
			}
			address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			k := c.key(NewQuestion(A, string(AppendReversed(nil, address))+".bl.example"))
			c.shard(k).put(k, a, now, time.Hour)
		}
		b.ReportMetric(float64(heap()-before)/names, "B/name")
		runtime.KeepAlive(c)
	}
}
