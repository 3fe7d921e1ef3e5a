package testbed

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
)

// idler waits until it is told to end, in each of the ways in which goroutines begin.
type idler struct {
	work sync.WaitGroup
	end  chan struct{}
}

func (i *idler) wait() { <-i.end }

func waitFor[T any](end chan T) { <-end }

// TestOriginOf: a goroutine is known by the function that it began with, as the runtime prints it.
func TestOriginOf(t *testing.T) {
	i := &idler{end: make(chan struct{})}
	defer i.work.Wait()
	defer close(i.end)
	i.work.Go(i.wait)
	i.work.Go(func() { waitFor(i.end) })
	go func() { i.wait() }()
	go func() { waitFor(i.end) }()
	wanted := []string{
		"mailweir/test/testbed.(*idler).wait", "mailweir/test/testbed.TestOriginOf.func1",
		"mailweir/test/testbed.TestOriginOf.func2", "mailweir/test/testbed.TestOriginOf.func3", "main.main",
	}
	if err := Until(func() error { // they have begun
		var text bytes.Buffer
		err := pprof.Lookup("goroutine").WriteTo(&text, 2)
		got := byOrigin(text.String())
		for _, want := range wanted {
			if len(got[want]) != 1 {
				err = errors.Join(err, fmt.Errorf("%d goroutines of %s among\n%s", len(got[want]), want, &text))
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestLeak(t *testing.T) {
	const prober, session = "mailweir/internal/backend.(*Backend).probe", "mailweir/milter.(*Server).serve"
	database, other := filepath.Join(t.TempDir(), "mail.db.aside"), filepath.Join(t.TempDir(), "mail.db")
	writeFile(t, database, []byte("SQLite format 3\x00..."), 0o644)
	writeFile(t, other, []byte("a table in text"), 0o644)
	holds := func(open map[string]int, origins ...string) *stock {
		s := &stock{goroutines: map[string][]string{}, open: open}
		for _, origin := range origins {
			s.goroutines[origin] = append(s.goroutines[origin], "goroutine 7 [select]:\n"+origin+"()")
		}
		return s
	}
	for _, tt := range []struct {
		name          string
		before, after *stock
		want          string // "" for none
	}{
		{"the same", holds(map[string]int{"socket": 2}, session), holds(map[string]int{"socket": 2}, session), ""},
		{"less", holds(map[string]int{"socket": 2}, session, session), holds(map[string]int{"socket": 1}, session), ""},
		{"a session", holds(nil, session), holds(nil, session, session), "1 goroutines of " + session + " at the start, 2 at the end:\ngoroutine 7 [select]:"},
		{"for another that ended", holds(nil, "main.one"), holds(nil, "main.other"), "0 goroutines of main.other at the start, 1"},
		{"a server that was lost", holds(nil), holds(nil, prober), ""},
		{"a socket", holds(map[string]int{"socket": 2}), holds(map[string]int{"socket": 3}), "2 descriptors of socket at the start, 3"},
		{"a body that is kept", holds(nil), holds(map[string]int{"/tmp/spool (deleted)": 1}), "0 descriptors of /tmp/spool (deleted) at the start, 1"},
		{"a database is read", holds(nil), holds(map[string]int{database: 2, database + "-wal": 1, database + "-shm": 1}), ""},
		{"another file", holds(nil), holds(map[string]int{other: 1}), "0 descriptors of " + other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.before.leak(tt.after)
			if err == nil && tt.want != "" || err != nil && (tt.want == "" || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
