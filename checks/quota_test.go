package checks

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/state"
)

func TestQuota(t *testing.T) {
	now := noon
	clock := func() time.Time { return now }
	store := state.NewMemory(clock, 10)
	q, other := newQuota(store, clock, 5*time.Minute), newQuota(store, clock, 5*time.Minute)
	take := func(q *quota, want int, taken bool) *share {
		t.Helper()
		n, one, err := q.take(t.Context(), "quota|a", 3)
		if err != nil || n != want || (one != nil) != taken {
			t.Errorf("%s: %d, taken %t, %v; want %d, %t", now.Sub(noon), n, one != nil, err, want, taken)
		}
		return one
	}
	first := take(q, 1, true)
	now = now.Add(time.Minute)
	take(other, 2, true)
	second := take(q, 3, true)
	take(q, 4, false)
	take(other, 4, false)
	first.giveBack()
	take(other, 4, false) // has not been told
	take(q, 3, true)      // knows it already, and tells
	take(other, 4, false)
	second.giveBack()
	if err := q.settle(t.Context(), "quota|a"); err != nil {
		t.Fatal(err)
	}
	take(other, 3, true)
	now = now.Add(5 * time.Minute)
	take(other, 4, false)
	now = now.Add(time.Minute)
	late := take(other, 1, true)
	now = now.Add(time.Hour)
	late.giveBack() // of no use, and does no harm
	take(other, 1, true)
	if len(q.owed)+len(other.owed) > 0 {
		t.Errorf("still owed: %v %v", q.owed, other.owed)
	}
}

// What could not be given back while the state was out of reach is given back later.
func TestQuotaOutOfReach(t *testing.T) {
	clock := func() time.Time { return noon }
	store := &fallible{Store: state.NewMemory(clock, 10)}
	q := newQuota(store, clock, time.Hour)
	_, one, err := q.take(t.Context(), "quota|a", 1)
	if err != nil {
		t.Fatal(err)
	}
	store.down.Store(true)
	one.giveBack()
	if q.settle(t.Context(), "quota|a") == nil {
		t.Fatal("no error")
	}
	if _, _, err := q.take(t.Context(), "quota|a", 1); err == nil {
		t.Fatal("no error")
	}
	store.down.Store(false)
	if n, _, err := q.take(t.Context(), "quota|a", 1); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// Many at once, on two hosts, some of whom give back: never more than the limit, and in the end exactly what was kept.
func TestQuotaAtOnce(t *testing.T) {
	clock := func() time.Time { return noon }
	store := state.NewMemory(clock, 10)
	hosts := []*quota{newQuota(store, clock, time.Hour), newQuota(store, clock, time.Hour)}
	const limit = 50
	var held, kept atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		q := hosts[i%2]
		wg.Go(func() {
			for turn := range 10 {
				_, one, err := q.take(context.Background(), "quota|a", limit)
				switch {
				case err != nil:
					t.Error(err)
				case one == nil:
				case held.Add(1) > limit:
					t.Error("over the limit")
				case turn%3 == 0:
					held.Add(-1)
					one.giveBack()
					if err := q.settle(context.Background(), "quota|a"); err != nil {
						t.Error(err)
					}
				default:
					kept.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n, _, err := hosts[0].take(t.Context(), "quota|a", math.MaxInt); int64(n) != kept.Load()+1 || err != nil {
		t.Errorf("%d are counted, %d were kept, %v", n-1, kept.Load(), err)
	}
}

func FuzzReadTally(f *testing.F) {
	for _, text := range []string{"", "8214=3 8213=12", "1=-1 2", "x=1 3=99999999999"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		first := readTally(value)
		if first.sum() < 0 {
			t.Errorf("%q counts %d", value, first.sum())
		}
		if text := first.value(); string(readTally(text).value()) != string(text) {
			t.Errorf("%q becomes %q", value, text)
		}
	})
}

// Sessions of one login that are under way at once, as many hosts as there are: exactly the rate is accepted.
func TestOutboundRateAtOnce(t *testing.T) {
	store := state.NewMemory(func() time.Time { return noon }, 1000)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		host := crowdOn(t, func(func() time.Time) state.Store { return store }, "--outbound-limit=enforce", "--outbound-limit-rate=10/1h")
		for i := range 4 {
			wg.Go(func() {
				mail := letter{login: "bob", from: "bob@ours.example"}
				for n := range 9 {
					mail.to = append(mail.to, fmt.Sprintf("user%d.%d@else.example", i, n))
				}
				refused := len(host.visit(mail))
				accepted.Add(int64(9 - refused))
			})
		}
	}
	wg.Wait()
	if accepted.Load() != 10 {
		t.Errorf("%d recipients were accepted, want 10", accepted.Load())
	}
}

// What is under way counts, and no longer when it is given up or a recipient is refused by another check.
func TestOutboundRateReserves(t *testing.T) {
	const off = "rcpt 451 4.3.2 Account outbounds disabled"
	crowd := newCrowd(t, "--outbound-limit=enforce", "--outbound-limit-rate=2/1h", "--account-list=inline:{off.example=outbound}")
	two := letter{login: "bob", from: "bob@ours.example", to: []string{"a@else.example", "b@else.example"}}
	first, said := crowd.begin(two)
	wantSaid(t, "two", said, "")
	second, said := crowd.begin(two)
	wantSaid(t, "while they are under way", said, exceeding+"\n"+exceeding)
	first.Abort()
	wantSaid(t, "after RSET, on the same connection", envelope(first, two), "")
	first.Abort()
	refused := two
	refused.from = "bob@off.example"
	wantSaid(t, "refused by another check", envelope(first, refused), off+"\n"+off)
	wantSaid(t, "at once after that", envelope(second, two), "")
	crowd.leave(first)
	crowd.leave(second)
}

// In monitor mode all is counted, so that the event tells by how much the rate is exceeded.
func TestOutboundRateMonitored(t *testing.T) {
	crowd := newCrowd(t, "--outbound-limit-rate=2/1h")
	for range 2 {
		if said := crowd.visit(letter{login: "bob", to: []string{"a@else.example", "b@else.example"}}); len(said) > 0 {
			t.Error(said)
		}
	}
	var causes []string
	for _, e := range crowd.events {
		causes = append(causes, e.Cause)
	}
	const want = "3 recipients of login \"bob\", limit 2/1h\n4 recipients of login \"bob\", limit 2/1h"
	if got := strings.Join(causes, "\n"); got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
}
