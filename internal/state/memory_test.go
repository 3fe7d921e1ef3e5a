package state

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// A client of a cluster keeps connections to nodes that have left for five seconds, and does so
	// after its end, too.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2"))
}

// hand is a clock that stands until it is moved.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func newHand() *hand { return &hand{now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)} }

func (h *hand) time() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func wantValue(t *testing.T, s Store, key, want string) {
	t.Helper()
	value, ok, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(value); ok != (want != "") || got != want {
		t.Errorf("%s is %q, %v; want %q", key, got, ok, want)
	}
}

func rows(m *Memory) int { return len(m.space("").rows) }

func put(t *testing.T, s Store, key, value string, lifetime time.Duration) {
	t.Helper()
	if _, err := s.Do(t.Context(), Put(key, []byte(value), lifetime)); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, s Store, key string, n int64, lifetime time.Duration, want int64) {
	t.Helper()
	results, err := s.Do(t.Context(), Add(key, n, lifetime))
	if err != nil || results[0].N != want {
		t.Errorf("%s is %d, %v after adding %d; want %d", key, results[0].N, err, n, want)
	}
}

func acquire(t *testing.T, s Store, key string, limit int, want bool) Lease {
	t.Helper()
	lease, ok, err := s.Acquire(t.Context(), key, limit)
	if err != nil || ok != want {
		t.Errorf("a place under %s: %v, %v; want %v", key, ok, err, want)
	}
	return lease
}

func TestMemoryExpiry(t *testing.T) {
	h := newHand()
	m := NewMemory(h.time, 10)
	put(t, m, "minute", "a", time.Minute)
	put(t, m, "ever", "b", 0)
	put(t, m, "empty", "", time.Minute)
	if _, ok, _ := m.Get(t.Context(), "empty"); !ok {
		t.Error("an empty value is not there")
	}
	h.move(time.Minute - 1)
	wantValue(t, m, "minute", "a")
	h.move(1)
	wantValue(t, m, "minute", "")
	h.move(1000 * time.Hour)
	wantValue(t, m, "ever", "b")
	if _, err := m.Do(t.Context(), Delete("ever")); err != nil {
		t.Fatal(err)
	}
	wantValue(t, m, "ever", "")
}

func TestMemoryPutRenewsALifetime(t *testing.T) {
	h := newHand()
	m := NewMemory(h.time, 10)
	put(t, m, "k", "a", time.Minute)
	put(t, m, "k", "b", time.Hour)
	h.move(2 * time.Minute)
	put(t, m, "other", "x", time.Minute) // drops what has ended
	wantValue(t, m, "k", "b")
	put(t, m, "k", "c", time.Minute)
	h.move(2 * time.Minute)
	wantValue(t, m, "k", "")
}

func TestMemoryCounters(t *testing.T) {
	h := newHand()
	m := NewMemory(h.time, 10)
	add(t, m, "n", 2, time.Minute, 2)
	h.move(30 * time.Second)
	add(t, m, "n", 3, time.Minute, 5)
	wantValue(t, m, "n", "5")
	h.move(30 * time.Second) // the first addition began the lifetime
	wantValue(t, m, "n", "")
	add(t, m, "n", -1, time.Minute, -1)
	put(t, m, "text", "7", time.Minute)
	add(t, m, "text", 1, time.Minute, 8)
	wantValue(t, m, "text", "8")
}

func TestMemoryIsBounded(t *testing.T) {
	h := newHand()
	m := NewMemory(h.time, 100)
	for i := range 1000 {
		put(t, m, fmt.Sprint("k", i), "v", time.Duration(i+1)*time.Hour)
	}
	if n := rows(m); n != 100 {
		t.Errorf("%d keys are kept, want 100", n)
	}
	wantValue(t, m, "k0", "")
	wantValue(t, m, "k999", "v")
	for range 10_000 {
		put(t, m, "k999", "v", time.Hour)
		h.move(time.Second)
	}
	if n := len(m.space("").ends); n > 2*rows(m)+64 {
		t.Errorf("%d places in the order of expiry for %d keys", n, rows(m))
	}
	for i := range 1000 {
		put(t, m, fmt.Sprint("ever", i), "v", 0)
	}
	if n := rows(m); n > 100 {
		t.Errorf("%d keys without an end are kept, want at most 100", n)
	}
}

func TestMemoryLeases(t *testing.T) {
	m := NewMemory(newHand().time, 10)
	one, two := acquire(t, m, "k", 2, true), acquire(t, m, "k", 2, true)
	acquire(t, m, "k", 2, false)
	acquire(t, m, "other", 1, true)
	acquire(t, m, "none", 0, false)
	one.Release()
	one.Release()
	acquire(t, m, "k", 2, true).Release()
	acquire(t, m, "k", 1, false) // another limit counts the same places
	two.Release()
	acquire(t, m, "k", 1, true).Release()
	if m.places.count() != 1 {
		t.Errorf("%v is kept of leases that were given back", m.places.held)
	}
}

func TestMemoryConcurrently(t *testing.T) {
	m := NewMemory(newHand().time, 1000)
	var all sync.WaitGroup
	var mu sync.Mutex
	held, most := 0, 0
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				if _, err := m.Do(t.Context(), Add("n", 1, time.Hour)); err != nil {
					t.Error(err)
				}
				_, _ = m.Do(t.Context(), Put(fmt.Sprint(i), []byte("v"), time.Hour))
				_, _, _ = m.Get(t.Context(), fmt.Sprint(i))
				lease, ok, _ := m.Acquire(t.Context(), "lease", 3)
				if !ok {
					continue
				}
				mu.Lock()
				held++
				most = max(most, held)
				held--
				mu.Unlock()
				lease.Release()
			}
		})
	}
	all.Wait()
	wantValue(t, m, "n", "4000")
	if m.places.count() != 0 {
		t.Errorf("leases are left: %v", m.places.held)
	}
	if most > 3 {
		t.Errorf("%d held 3 places", most)
	}
}

func TestMemoryKeepsItsOwnCopy(t *testing.T) {
	m := NewMemory(newHand().time, 10)
	value := []byte("abc")
	_, _ = m.Do(t.Context(), Put("k", value, 0))
	value[0] = 'x'
	got, _, _ := m.Get(t.Context(), "k")
	got[1] = 'x'
	wantValue(t, m, "k", "abc")
}
