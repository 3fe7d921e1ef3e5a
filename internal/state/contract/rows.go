package contract

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"mailweir/internal/state"
)

func places(t *testing.T, r *run) {
	one, two := r.acquire("a|k", 2, true), r.acquire("a|k", 2, true)
	r.acquire("a|k", 2, false)
	other := r.acquire("a|other", 1, true)
	r.acquire("a|none", 0, false)
	one.Release()
	one.Release()
	r.acquire("a|k", 2, true).Release()
	r.acquire("a|k", 1, false) // another limit counts the same places
	two.Release()
	r.acquire("a|k", 1, true).Release()
	other.Release()
	r.want("a|k", "") // places and entries do not share their keys
	var all sync.WaitGroup
	var mu sync.Mutex
	held, most := 0, 0
	for range 8 {
		all.Go(func() {
			for range 20 {
				lease, ok, err := r.Acquire(t.Context(), "a|many", 3)
				if err != nil {
					t.Error(err)
				}
				if !ok || err != nil {
					continue
				}
				mu.Lock()
				held++
				most = max(most, held)
				mu.Unlock()
				mu.Lock()
				held--
				mu.Unlock()
				lease.Release()
			}
		})
	}
	all.Wait()
	if most > 3 {
		t.Errorf("%d held 3 places", most)
	}
	for range 3 {
		defer r.acquire("a|many", 3, true).Release()
	}
}

func listInPages(t *testing.T, r *run) {
	var want []string
	for i := range 50 {
		key := state.Key("list", fmt.Sprintf("%02d", i), "x")
		want = append(want, key)
		s := state.Put(key, []byte(fmt.Sprint(i)), time.Duration(50-i)*time.Minute)
		if i%2 == 0 {
			s = s.Entered()
		}
		r.done(true, s)
	}
	r.put("lisp|x", "x", 0)
	r.put("list2|x", "x", 0)
	r.put("list", "x", 0)
	var got []string
	after := ""
	for {
		page, err := r.List(t.Context(), state.Prefix("list"), after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			i := len(got)
			if string(e.Value) != fmt.Sprint(i) || e.Entered != (i%2 == 0) || !e.Until.Equal(r.clock.Now().Add(time.Duration(50-i)*time.Minute)) {
				t.Errorf("entry %d is %+v", i, e)
			}
			got = append(got, e.Key)
		}
		after = page[len(page)-1].Key
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages have %q\nwant %q", got, want)
	}
	r.list(state.Prefix("list", "07"), "", 10, "list|07|x")
	r.list(state.Prefix("list", "7"), "", 10)
	r.list("list|4", "list|47|x", 10, "list|48|x", "list|49|x")
	r.list("nothing|", "", 10)
	r.list(state.Prefix("list"), "zz", 10)
	r.list(state.Prefix("list"), "a", 1, "list|00|x")
}

func listLive(_ *testing.T, r *run) {
	r.put("a|1", "x", time.Minute)
	r.put("a|2", "x", time.Hour)
	r.put("a|3", "x", time.Hour)
	r.done(true, state.Add("a|4", 4, time.Hour))
	r.clock.Move(time.Minute)
	r.done(true, state.Delete("a|3"))
	r.list("a|", "", 10, "a|2", "a|4")
	r.list("a|", "", 1, "a|2")
}

func ending(t *testing.T, r *run) {
	start := r.clock.Now()
	for i, key := range []string{"e|c", "e|a", "e|d", "e|b"} {
		r.put(key, "x", time.Duration(i+1)*time.Minute)
	}
	r.put("e|ever", "x", 0)
	r.put("f|other", "x", time.Minute)
	r.ending("e", start, 10)
	r.ending("e", start.Add(time.Hour), 10, "e|c", "e|a", "e|d", "e|b")
	r.ending("e", start.Add(3*time.Minute), 10, "e|c", "e|a") // before, not at
	r.ending("e", start.Add(time.Hour), 2, "e|c", "e|a")
	r.put("e|c", "y", 150*time.Second) // renewed: between a and d
	r.done(true, state.Delete("e|a"))
	r.done(true, state.Touch("e|b", time.Second)) // shortened: first
	got := r.ending("e", start.Add(time.Hour), 10, "e|b", "e|c", "e|d")
	if string(got[1].Value) != "y" || !got[1].Until.Equal(start.Add(150*time.Second)) {
		t.Errorf("the renewed entry is %+v", got[1])
	}
	r.clock.Move(time.Second) // b has ended
	r.ending("e", start.Add(time.Hour), 10, "e|c", "e|d")
	r.ending("none", start.Add(time.Hour), 10)
}

// takeOnce: of many who visit what ends, each entry goes to one.
func takeOnce(t *testing.T, r *run) {
	const rows = 40
	for i := range rows {
		r.put(state.Key("e", fmt.Sprint(i)), "x", time.Duration(i+1)*time.Second)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := map[string]int{}
	for range 4 {
		all.Go(func() {
			entries, err := r.Ending(t.Context(), "e", r.clock.Now().Add(time.Hour), rows)
			if err != nil {
				t.Error(err)
			}
			for _, e := range entries {
				results, err := r.Do(t.Context(), state.Delete(e.Key))
				if err != nil {
					t.Error(err)
					return
				}
				if results[0].Done {
					mu.Lock()
					taken[e.Key]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if len(taken) != rows {
		t.Errorf("%d of %d are taken", len(taken), rows)
	}
	for key, n := range taken {
		if n != 1 {
			t.Errorf("%s is taken %d times", key, n)
		}
	}
}

func watch(t *testing.T, r *run) {
	var mu sync.Mutex
	var got []string
	stop := r.Watch("w|", func(key string) {
		mu.Lock()
		defer mu.Unlock()
		if key != "" { // a store may say at any time that it may have missed something
			got = append(got, key)
		}
	})
	r.done(true, state.Put("w|a", []byte("x"), time.Minute).Entered())
	r.put("w|counted", "x", time.Minute)
	r.done(true, state.Put("v|a", []byte("x"), time.Minute).Entered())
	r.done(true, state.Delete("w|a").Entered())
	r.done(false, state.Delete("w|a").Entered())
	stop()
	r.done(true, state.Put("w|b", []byte("x"), time.Minute).Entered())
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, []string{"w|a", "w|a"}) {
		t.Errorf("the watcher heard of %q, want w|a twice", got)
	}
}

// sizes returns the rows and evictions of a space.
func (r *run) sizes(space string) state.SpaceStats {
	r.t.Helper()
	stats, err := r.Stats(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, s := range stats.Spaces {
		if s.Space == space {
			return s
		}
	}
	return state.SpaceStats{Space: space}
}

// sweep gives a backend that sweeps behind the writes the time for it.
func (r *run) sweep() {
	r.t.Helper()
	if r.suite.Sweep == nil {
		return
	}
	if err := r.suite.Sweep(r.Store); err != nil {
		r.t.Fatal(err)
	}
}

func bounded(t *testing.T, r *run) {
	if r.suite.Trial {
		t.Skip("a trial is bounded by its length")
	}
	const limit = 200
	r.Store = r.suite.Open(t, r.clock, limit)
	for i := range 2 * limit {
		r.put(fmt.Sprintf("b|%04d", i), "x", time.Hour)
		r.put(fmt.Sprintf("ever|%04d", i), "x", 0)
		r.clock.Move(time.Second)
	}
	r.put("c|other", "x", 0)
	r.sweep()
	for _, space := range []string{"b", "ever"} {
		size := r.sizes(space)
		if size.Rows > limit+int64(r.suite.Slack) || size.Rows < limit-int64(r.suite.Slack) {
			t.Errorf("%s has %d rows, want %d", space, size.Rows, limit)
		}
		if size.Evicted != 2*limit-size.Rows {
			t.Errorf("%d of %s were evicted, want %d", size.Evicted, space, 2*limit-size.Rows)
		}
	}
	r.want("b|0000", "")
	r.want(fmt.Sprintf("b|%04d", 2*limit-1), "x")
	if size := r.sizes("c"); size.Rows != 1 || size.Evicted != 0 {
		t.Errorf("another space has %+v", size)
	}
	r.clock.Move(2 * time.Hour)
	for i := range limit / 2 {
		r.put(fmt.Sprintf("b|new%03d", i), "x", time.Hour)
	}
	r.sweep()
	if size := r.sizes("b"); size.Rows > limit/2+int64(r.suite.Slack) {
		t.Errorf("%d rows after all old ones ended, want %d", size.Rows, limit/2)
	}
}

func enteredStay(t *testing.T, r *run) {
	if r.suite.Trial {
		t.Skip("a trial is bounded by its length")
	}
	const limit = 200
	r.Store = r.suite.Open(t, r.clock, limit)
	for i := range 20 {
		r.done(true, state.Put(fmt.Sprintf("b|entered%d", i), []byte("x"), time.Minute).Entered())
	}
	for i := range 3 * limit {
		r.put(fmt.Sprintf("b|%04d", i), "x", time.Hour)
	}
	r.sweep()
	for i := range 20 {
		r.want(fmt.Sprintf("b|entered%d", i), "x")
	}
	if size := r.sizes("b"); size.Evicted == 0 {
		t.Errorf("nothing was evicted: %+v", size)
	}
	r.clock.Move(time.Minute)
	r.want("b|entered0", "")
}
