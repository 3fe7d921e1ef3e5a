package state

import (
	"sync"
	"testing"
	"time"
)

func newCopies() (*hand, *Memory, *Copy) {
	h := newHand()
	base := NewMemory(h.time, 100)
	return h, base, NewCopy(base, h.time)
}

func TestCopyReadsThroughAndWritesToItself(t *testing.T) {
	_, base, c := newCopies()
	put(t, base, "k", "base", time.Hour)
	wantValue(t, c, "k", "base")
	put(t, c, "k", "own", time.Hour)
	wantValue(t, c, "k", "own")
	wantValue(t, base, "k", "base")
	put(t, c, "new", "x", 0)
	wantValue(t, base, "new", "")
}

func TestCopyDeletes(t *testing.T) {
	_, base, c := newCopies()
	put(t, base, "k", "base", time.Hour)
	if _, err := c.Do(t.Context(), Delete("k")); err != nil {
		t.Fatal(err)
	}
	wantValue(t, c, "k", "")
	wantValue(t, base, "k", "base")
	add(t, c, "k", 1, time.Hour, 1)
	put(t, c, "k", "again", time.Hour)
	wantValue(t, c, "k", "again")
}

// TestCopyExpiry: what was written here and has ended is gone, as it would be in the base after the
// same writing.
func TestCopyExpiry(t *testing.T) {
	h, base, c := newCopies()
	put(t, base, "k", "old", 0)
	put(t, c, "k", "new", time.Minute)
	h.move(time.Minute)
	wantValue(t, c, "k", "")
	put(t, base, "n", "5", 0)
	add(t, c, "n", 1, 0, 6)
	wantValue(t, base, "n", "5")
}

// TestCopyOfAnotherTime: a case may play later than now; what has ended until then is gone.
func TestCopyOfAnotherTime(t *testing.T) {
	h := newHand()
	base := NewMemory(h.time, 100)
	put(t, base, "s|short", "x", time.Hour)
	put(t, base, "s|long", "x", 3*time.Hour)
	put(t, base, "s|ever", "x", 0)
	c := NewCopy(base, func() time.Time { return h.time().Add(2 * time.Hour) })
	wantValue(t, c, "s|short", "")
	wantValue(t, c, "s|long", "x")
	wantValue(t, c, "s|ever", "x")
	if r, err := c.Do(t.Context(), First("s|short", []byte("new"), time.Hour)); err != nil || !r[0].Done {
		t.Errorf("the first sight after the end: %+v, %v", r, err)
	}
	list, err := NewCopy(base, c.clock).List(t.Context(), "s|", "", 10)
	if err != nil || len(list) != 2 {
		t.Errorf("list %+v, %v", list, err)
	}
	ending, err := NewCopy(base, c.clock).Ending(t.Context(), "s", h.time().Add(9*time.Hour), 10)
	if err != nil || len(ending) != 1 || ending[0].Key != "s|long" {
		t.Errorf("ending %+v, %v", ending, err)
	}
}

func TestCopyCountsOnFromTheBase(t *testing.T) {
	_, base, c := newCopies()
	add(t, base, "n", 5, time.Hour, 5)
	add(t, c, "n", 2, time.Hour, 7)
	add(t, c, "n", 2, time.Hour, 9)
	add(t, base, "n", 1, time.Hour, 6)
	wantValue(t, c, "n", "9")
}

func TestCopyLeases(t *testing.T) {
	_, base, c := newCopies()
	acquire(t, base, "k", 1, true)
	acquire(t, c, "k", 1, true).Release()
	acquire(t, base, "k", 1, false)
}

func TestCopyConcurrently(t *testing.T) {
	_, base, c := newCopies()
	add(t, base, "n", 10, time.Hour, 10)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				_, _ = c.Do(t.Context(), Add("n", 1, time.Hour))
			}
		})
	}
	all.Wait()
	wantValue(t, c, "n", "810")
	wantValue(t, base, "n", "10")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	wantValue(t, base, "n", "10")
}
