package state

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// A decision is what greylisting asks: two reads at once, then one write, of a new row in 30 of
// 100. The bare one is the same without scripts, orders and bounds: two HGET in a pipeline, then
// HSET and ZADD in one.

func BenchmarkRedisDecision(b *testing.B) {
	r, err := OpenRedis(b.Context(), "redis://"+testbed.StartRedis(b).Address, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	benchmarkDecisions(b, r)
}

func BenchmarkFileDecision(b *testing.B) {
	f, err := OpenFile(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	benchmarkDecisions(b, f)
}

func BenchmarkMemoryDecision(b *testing.B) {
	benchmarkDecisions(b, NewMemory(time.Now, defaultRows))
}

var benchValue = []byte("1764000000 1764000100")

func benchKey(n int64) string {
	if n%10 >= 3 {
		n %= 1000
	}
	return Key("greylist", "192.0.2.0/24", fmt.Sprintf("sender%d@example.com", n), "user@example.net")
}

func benchmarkDecisions(b *testing.B, s Store) {
	var next atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := benchKey(next.Add(1))
			if _, err := s.Do(b.Context(), Get(key), Get("known|192.0.2.0/24")); err != nil {
				b.Error(err)
				return
			}
			if _, err := s.Do(b.Context(), Put(key, benchValue, time.Hour)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkRedisBare(b *testing.B) {
	client, err := (&redisSpec{addresses: []string{testbed.StartRedis(b).Address}}).connect()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	var next atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := next.Add(1)
			key, build := benchKey(n), client.B()
			client.DoMulti(b.Context(), build.Hget().Key("rows").Field(key).Build(), build.Hget().Key("known").Field("192.0.2.0/24").Build())
			answers := client.DoMulti(b.Context(),
				build.Hset().Key("rows").FieldValue().FieldValue(key, string(benchValue)).Build(),
				build.Zadd().Key("ends").ScoreMember().ScoreMember(float64(n), key).Build())
			if err := answers[1].Error(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
