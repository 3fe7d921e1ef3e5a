package rate

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

func TestQuota(t *testing.T) {
	now := policytest.Noon
	clock := func() time.Time { return now }
	store := state.NewMemory(clock, 10)
	q, other := NewQuota(store, clock, 5*time.Minute), NewQuota(store, clock, 5*time.Minute)
	take := func(q *Quota, want int, taken bool) *Share {
		t.Helper()
		n, one, err := q.Take(t.Context(), "quota|a", 3)
		if err != nil || n != want || (one != nil) != taken {
			t.Errorf("%s: %d, taken %t, %v; want %d, %t", now.Sub(policytest.Noon), n, one != nil, err, want, taken)
		}
		return one
	}
	first := take(q, 1, true)
	now = now.Add(time.Minute)
	take(other, 2, true)
	second := take(q, 3, true)
	take(q, 4, false)
	take(other, 4, false)
	first.GiveBack()
	take(other, 4, false) // has not been told
	take(q, 3, true)      // knows it already, and tells
	take(other, 4, false)
	second.GiveBack()
	if err := q.Settle(t.Context(), "quota|a"); err != nil {
		t.Fatal(err)
	}
	take(other, 3, true)
	now = now.Add(5 * time.Minute)
	take(other, 4, false)
	now = now.Add(time.Minute)
	late := take(other, 1, true)
	now = now.Add(time.Hour)
	late.GiveBack() // of no use, and does no harm
	take(other, 1, true)
	if len(q.owed)+len(other.owed) > 0 {
		t.Errorf("still owed: %v %v", q.owed, other.owed)
	}
}

// What could not be given back while the state was unavailable is given back later.
func TestQuotaUnavailable(t *testing.T) {
	clock := func() time.Time { return policytest.Noon }
	store := &policytest.Fallible{Store: state.NewMemory(clock, 10)}
	q := NewQuota(store, clock, time.Hour)
	_, one, err := q.Take(t.Context(), "quota|a", 1)
	if err != nil {
		t.Fatal(err)
	}
	store.Down.Store(true)
	one.GiveBack()
	if q.Settle(t.Context(), "quota|a") == nil || q.SettleAll(t.Context()) == nil {
		t.Fatal("no error")
	}
	if _, _, err := q.Take(t.Context(), "quota|a", 1); err == nil {
		t.Fatal("no error")
	}
	store.Down.Store(false)
	if n, _, err := q.Take(t.Context(), "quota|a", 1); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// Nobody needs to ask for a key again for its debts to be written.
func TestQuotaSettleAll(t *testing.T) {
	clock := func() time.Time { return policytest.Noon }
	store := &policytest.Fallible{Store: state.NewMemory(clock, 10)}
	q, other := NewQuota(store, clock, time.Hour), NewQuota(store, clock, time.Hour)
	for _, key := range []string{"quota|a", "quota|b"} {
		_, one, err := q.Take(t.Context(), key, 1)
		if err != nil {
			t.Fatal(err)
		}
		one.GiveBack()
	}
	if err := q.SettleAll(t.Context()); err != nil || len(q.owed) > 0 {
		t.Errorf("%v, still owed: %v", err, q.owed)
	}
	for _, key := range []string{"quota|a", "quota|b"} {
		if n, _, err := other.Take(t.Context(), key, 1); n != 1 || err != nil {
			t.Errorf("%s: %d, %v", key, n, err)
		}
	}
}

// Many at once, on two hosts, some of whom give back: never more than the limit, and in the end
// exactly what was kept.
func TestQuotaAtOnce(t *testing.T) {
	clock := func() time.Time { return policytest.Noon }
	store := state.NewMemory(clock, 10)
	hosts := []*Quota{NewQuota(store, clock, time.Hour), NewQuota(store, clock, time.Hour)}
	const limit = 50
	var held, kept atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		q := hosts[i%2]
		wg.Go(func() {
			for turn := range 10 {
				_, one, err := q.Take(context.Background(), "quota|a", limit)
				switch {
				case err != nil:
					t.Error(err)
				case one == nil:
				case held.Add(1) > limit:
					t.Error("over the limit")
				case turn%3 == 0:
					held.Add(-1)
					one.GiveBack()
					if err := q.Settle(context.Background(), "quota|a"); err != nil {
						t.Error(err)
					}
				default:
					kept.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n, _, err := hosts[0].Take(t.Context(), "quota|a", math.MaxInt); int64(n) != kept.Load()+1 || err != nil {
		t.Errorf("%d are counted, %d were kept, %v", n-1, kept.Load(), err)
	}
}
