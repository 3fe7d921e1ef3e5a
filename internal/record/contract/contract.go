package contract

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"mailweir/internal/record"
)

// Options are what a store is opened with; the zero value of each is the store's own.
type Options struct {
	Clock func() time.Time
	For   time.Duration
	Max   int64
}

// Open opens an empty store and closes it at the end of the test.
type Open func(t *testing.T, o Options) record.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("write and read", func(t *testing.T) { testWrite(t, open) })
	t.Run("queries", func(t *testing.T) { testQueries(t, open) })
	t.Run("pages", func(t *testing.T) { testPages(t, open) })
	t.Run("all", func(t *testing.T) { testAll(t, open) })
	t.Run("text", func(t *testing.T) { testText(t, open) })
	t.Run("sums", func(t *testing.T) { testSums(t, open) })
	t.Run("counts", func(t *testing.T) { testCounts(t, open) })
	t.Run("changes", func(t *testing.T) { testChanges(t, open) })
	t.Run("delete", func(t *testing.T) { testDelete(t, open) })
	t.Run("retention", func(t *testing.T) { testRetention(t, open) })
	t.Run("bounds", func(t *testing.T) { testBounds(t, open) })
	t.Run("clock", func(t *testing.T) { testClock(t, open) })
	t.Run("hostile values", func(t *testing.T) { testHostile(t, open) })
	t.Run("many at once", func(t *testing.T) { testConcurrent(t, open) })
}

// begin is when the entries of the suite begin, unless a test has its own time.
var begin = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// clock is a clock that stands where it is put.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// at is a clock that stands still.
func at(t time.Time) func() time.Time { return (&clock{t}).Now }

func write(t *testing.T, s record.Store, entries ...record.Entry) []record.Entry {
	t.Helper()
	if err := s.Write(t.Context(), entries, nil); err != nil {
		t.Fatalf("write: %v", err)
	}
	return entries
}

func search(t *testing.T, s record.Reader, q record.Query) record.Page {
	t.Helper()
	page, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return page
}

// name names an entry in the suite: the id of a decision, the session of a message.
func name(e record.Entry) string {
	if e.Event != nil {
		return e.Event.ID
	}
	return e.Message.Session
}

func names(page record.Page) []string {
	list := []string{}
	for _, e := range page.Entries {
		list = append(list, name(e))
	}
	return list
}

// want compares names, in order.
func want(t *testing.T, what string, got record.Page, wanted ...string) {
	t.Helper()
	if list := names(got); !slices.Equal(list, wanted) {
		t.Errorf("%s: got %v, want %v", what, list, wanted)
	}
}

// testConcurrent has one write while others read: nobody waits for anybody for ever, and nobody
// sees half a batch.
func testConcurrent(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin)})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read := make(chan error, 3)
	for range cap(read) {
		go func() {
			for {
				page, err := s.Search(ctx, record.Query{Checks: []string{"listed"}, Limit: record.MaxLimit})
				if ctx.Err() != nil {
					read <- nil
					return
				}
				if err != nil {
					read <- err
					return
				}
				if len(page.Entries)%10 != 0 {
					read <- errors.New("half a batch is seen")
					return
				}
			}
		}()
	}
	for range 20 {
		var batch []record.Entry
		for range 10 {
			batch = append(batch, decision("", begin))
		}
		write(t, s, batch...)
	}
	stop()
	for range cap(read) {
		if err := <-read; err != nil {
			t.Error(err)
		}
	}
}
