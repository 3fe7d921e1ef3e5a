package remote

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/backend"
	"mailweir/internal/resource"
	"mailweir/internal/table"
)

// fake is a driver that answers what the test says.
type fake struct {
	find  func(ctx context.Context, key string) (string, bool, error)
	probe func() error

	inspect func()

	mu     sync.Mutex
	asked  []string
	closed int
}

func (f *fake) Find(ctx context.Context, key string) (string, bool, error) {
	f.mu.Lock()
	f.asked = append(f.asked, key)
	f.mu.Unlock()
	if f.find == nil {
		return "value of " + key, true, nil
	}
	return f.find(ctx, key)
}

func (f *fake) Probe(context.Context) error {
	if f.probe == nil {
		return nil
	}
	return f.probe()
}

func (f *fake) Inspect(context.Context) (string, []string, error) {
	if f.inspect != nil {
		f.inspect()
	}
	return "fake", nil, nil
}

func (f *fake) Close() error { f.closed++; return nil }

// run opens the fake as a table, in time that is not real.
func run(t *testing.T, f *fake, keep time.Duration, test func(*testing.T, *Table)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opener := Opener{CacheFor: keep, Kinds: []Kind{{Name: "fake", InFlight: 2, Open: func(Source) (Driver, error) { return f, nil }}}}
		var pool resource.Pool
		held := pool.Hold()
		w, err := opener.Open(held, nil, "fake", "x")
		if err != nil {
			t.Fatal(err)
		}
		test(t, w.(*Table))
		if err := held.Release(); err != nil || f.closed != 1 {
			t.Errorf("closed %d times, %v", f.closed, err)
		}
	})
}

func wantValue(t *testing.T, tab *Table, key, want string) {
	t.Helper()
	value, found, err := tab.Find(t.Context(), key)
	if err != nil || value != want || found != (want != "") {
		t.Errorf("%s: %q, %v, %v; want %q", key, value, found, err, want)
	}
}

func (f *fake) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.asked, want) {
		t.Errorf("asked for %q, want %q", f.asked, want)
	}
	f.asked = nil
}

func TestAnswersAreKept(t *testing.T) {
	f := &fake{find: func(_ context.Context, key string) (string, bool, error) { return "v", key != "none", nil }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		for range 3 {
			wantValue(t, tab, "a", "v")
			if _, found, err := tab.Find(t.Context(), "none"); found || err != nil {
				t.Errorf("found %v, %v", found, err)
			}
		}
		f.wantAsked(t, "a", "none")
		time.Sleep(10 * time.Second)
		wantValue(t, tab, "a", "v")
		_, _, _ = tab.Find(t.Context(), "none")
		f.wantAsked(t, "none")
		time.Sleep(50 * time.Second)
		wantValue(t, tab, "a", "v")
		f.wantAsked(t, "a")
	})
}

func TestNothingIsKept(t *testing.T) {
	f := &fake{}
	run(t, f, 0, func(t *testing.T, tab *Table) {
		wantValue(t, tab, "a", "value of a")
		wantValue(t, tab, "a", "value of a")
		f.wantAsked(t, "a", "a")
	})
}

// TestOneQuestion has many ask for one key at once: who leaves spoils nothing for the others, and
// what is answered then is kept.
func TestOneQuestion(t *testing.T) {
	var answer chan struct{}
	f := &fake{find: func(ctx context.Context, key string) (string, bool, error) {
		select {
		case <-answer:
			return "v", true, nil
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		answer = make(chan struct{})
		impatient, leave := context.WithCancel(t.Context())
		var left error
		var asking sync.WaitGroup
		asking.Go(func() { _, _, left = tab.Find(impatient, "a") })
		synctest.Wait()
		for range 9 {
			asking.Go(func() { wantValue(t, tab, "a", "v") })
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		if !errors.Is(left, context.Canceled) {
			t.Errorf("who has left is told %v", left)
		}
		close(answer)
		asking.Wait()
		wantValue(t, tab, "a", "v")
		f.wantAsked(t, "a")
	})
}

// TestLostAndBack has the server fail once: nothing is asked until the prober has an answer.
func TestLostAndBack(t *testing.T) {
	broken := errors.New("connection refused")
	var down atomic.Bool
	state := func() error {
		if down.Load() {
			return broken
		}
		return nil
	}
	f := &fake{find: func(context.Context, string) (string, bool, error) { return "v", true, state() }, probe: state}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		wantValue(t, tab, "kept", "v")
		down.Store(true)
		for range 3 {
			_, found, err := tab.Find(t.Context(), "a")
			if found || !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, broken) || err.Error() != "unavailable: connection refused" {
				t.Errorf("found %v, %v", found, err)
			}
		}
		wantValue(t, tab, "kept", "v")
		f.wantAsked(t, "kept", "a")
		down.Store(false)
		time.Sleep(time.Second)
		wantValue(t, tab, "a", "v")
	})
}

func TestAnsweredErrorsLoseNothing(t *testing.T) {
	large := errors.New("size limit exceeded")
	f := &fake{find: func(_ context.Context, key string) (string, bool, error) {
		if key == "many" {
			return "", false, fmt.Errorf("search: %w", Answered{large})
		}
		return "v", true, nil
	}}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		for range 2 { // and they are not kept
			if _, found, err := tab.Find(t.Context(), "many"); found || !errors.Is(err, large) || errors.Is(err, backend.ErrUnavailable) {
				t.Errorf("found %v, %v", found, err)
			}
		}
		wantValue(t, tab, "a", "v")
		f.wantAsked(t, "many", "many", "a")
	})
}

// TestHangs: what hangs is lost within the time that mail has, and so is a call that finds no room
// told.
func TestHangs(t *testing.T) {
	f := &fake{find: func(ctx context.Context, key string) (string, bool, error) { <-ctx.Done(); return "", false, ctx.Err() }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		begun := time.Now()
		var asking sync.WaitGroup
		for i := range 5 {
			asking.Go(func() {
				_, found, err := tab.Find(t.Context(), fmt.Sprint(i))
				if found || !errors.Is(err, backend.ErrUnavailable) && !errors.Is(err, backend.ErrBusy) || time.Since(begun) > askWithin {
					t.Errorf("found %v, %v after %v", found, err, time.Since(begun))
				}
			})
		}
		asking.Wait()
		if _, _, err := tab.Find(t.Context(), "later"); !errors.Is(err, backend.ErrUnavailable) || time.Since(begun) != askWithin {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestSlowIsNotLost: a server that answers slowly, and more questions than it may be asked at once.
// Those that get room late are not held against it.
func TestSlowIsNotLost(t *testing.T) {
	f := &fake{find: func(ctx context.Context, key string) (string, bool, error) {
		select {
		case <-time.After(4 * time.Second):
			return "v", true, nil
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		var asking sync.WaitGroup
		var answered, busy atomic.Int32
		for i := range 6 {
			asking.Go(func() {
				switch _, _, err := tab.Find(t.Context(), fmt.Sprint(i)); {
				case err == nil:
					answered.Add(1)
				case errors.Is(err, backend.ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		asking.Wait()
		if answered.Load() != 2 || busy.Load() != 4 {
			t.Errorf("%d answered, %d busy", answered.Load(), busy.Load())
		}
		wantValue(t, tab, "later", "v")
	})
}

func TestTooManyQuestions(t *testing.T) {
	f := &fake{find: func(ctx context.Context, _ string) (string, bool, error) { <-ctx.Done(); return "", false, ctx.Err() }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		var asking sync.WaitGroup
		for i := range mostQuestions {
			asking.Go(func() { _, _, _ = tab.Find(t.Context(), fmt.Sprint(i)) })
		}
		synctest.Wait()
		if _, _, err := tab.Find(t.Context(), "one more"); !errors.Is(err, backend.ErrBusy) {
			t.Errorf("one more: %v", err)
		}
		asking.Wait()
	})
}

// TestPanicsReachWhoAsks: there the runner makes a fault of it; here it would end the process.
func TestPanicsReachWhoAsks(t *testing.T) {
	f := &fake{find: func(context.Context, string) (string, bool, error) { panic("boom") }}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		for range 2 {
			func() {
				defer func() {
					if got := recover(); got != "boom" {
						t.Errorf("panic %v", got)
					}
				}()
				_, _, _ = tab.Find(t.Context(), "a")
			}()
		}
	})
}

// TestWholeKeys: servers that expect what Postfix asks them for are not asked for parts.
func TestWholeKeys(t *testing.T) {
	for _, whole := range []bool{true, false} {
		f := &fake{find: func(context.Context, string) (string, bool, error) { return "", false, nil }}
		var pool resource.Pool
		p := load(&pool, Opener{Kinds: []Kind{{Name: "fake", WholeKeys: whole, Open: func(Source) (Driver, error) { return f, nil }}}}, nil)
		list, err := p.List(table.ListOptions{Subdomains: true, Delimiters: "+"}, "fake:x")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			ask  func(context.Context) (table.Match, error)
			want []string
		}{
			{func(ctx context.Context) (table.Match, error) {
				return list.Address(ctx, address.Parse("u+x@a.xn--bcher-kva.example"))
			}, []string{"u+x@a.xn--bcher-kva.example", "u+x@a.bücher.example"}},
			{func(ctx context.Context) (table.Match, error) {
				return list.Recipient(ctx, address.Parse("u+x@b.example"))
			}, []string{"u+x@b.example"}},
			{func(ctx context.Context) (table.Match, error) {
				return list.Address(ctx, address.Address{})
			}, []string{"<>"}},
			{func(ctx context.Context) (table.Match, error) { return list.Domain(ctx, "a.b.example") }, []string{"a.b.example"}},
			{func(ctx context.Context) (table.Match, error) {
				return list.Client(ctx, netip.MustParseAddr("192.0.2.1"), "mx.example")
			}, []string{"mx.example", "192.0.2.1"}},
			{func(ctx context.Context) (table.Match, error) { return list.Key(ctx, "Some Key") }, []string{"some key"}},
		} {
			if _, err := c.ask(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f.asked[0] != c.want[0] || slices.Equal(f.asked, c.want) != (whole || len(f.asked) == 1) {
				t.Errorf("whole %v: asked for %q, want %q", whole, f.asked, c.want)
			}
			f.asked = nil
		}
		if err := p.held.Release(); err != nil {
			t.Error(err)
		}
	}
}

// TestPanicsElsewhere: nobody would catch one of the prober, or of who inspects.
func TestPanicsElsewhere(t *testing.T) {
	probes := 0
	f := &fake{
		find:    func(context.Context, string) (string, bool, error) { return "", false, errors.New("down") },
		probe:   func() error { probes++; panic("boom") },
		inspect: func() { panic("boom") },
	}
	run(t, f, time.Minute, func(t *testing.T, tab *Table) {
		if _, _, err := tab.Find(t.Context(), "a"); err == nil {
			t.Error("no error")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if probes < 2 || tab.backend.Lost(0) == nil {
			t.Errorf("%d probes; lost: %v", probes, tab.backend.Lost(0))
		}
		if _, _, err := tab.Inspect(t.Context()); err == nil || err.Error() != "panic: boom" {
			t.Errorf("inspected: %v", err)
		}
	})
}

// files is a kind whose sources are files; it counts what is opened.
func files(opened *[]*fake) Kind {
	return Kind{Name: "file", File: true, Open: func(s Source) (Driver, error) {
		f := &fake{find: func(context.Context, string) (string, bool, error) {
			return "", false, errors.New("denied to " + s.File.Secret("password"))
		}}
		s.File.Secret("password")
		s.File.Int("port", 1, 1, 2)
		*opened = append(*opened, f)
		return f, s.File.Err()
	}}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// policy is a loader with what it holds.
type policy struct {
	*table.Loader
	held *resource.Holder
}

func load(pool *resource.Pool, o Opener, before *policy) *policy {
	var previous *table.Loader
	if before != nil {
		previous = before.Loader
	}
	p := &policy{table.NewLoader(previous), pool.Hold()}
	p.Waiting = func(kind, source string) (table.Waiting, error) { return o.Open(p.held, nil, kind, source) }
	return p
}

// TestReload: a table whose file has not changed outlives the policy, however it is spelled; one
// whose file has changed is opened again, and the old one closed with its policy.
func TestReload(t *testing.T) {
	var opened []*fake
	var pool resource.Pool
	o := Opener{Kinds: []Kind{files(&opened)}}
	name := filepath.Join(t.TempDir(), "x.cf")
	write(t, name, "port = 1\n")
	first := load(&pool, o, nil)
	for _, spec := range []string{"file:" + name, "proxy:file:" + name} {
		if _, err := first.Open(spec); err != nil {
			t.Fatal(err)
		}
	}
	second := load(&pool, o, first)
	if _, err := second.Open("file:" + name); err != nil {
		t.Fatal(err)
	}
	if len(opened) != 1 || len(second.Changed()) > 0 {
		t.Fatalf("opened %d times, changed %q", len(opened), second.Changed())
	}
	write(t, name, "port = 2\n\n")
	if got := second.Changed(); !slices.Equal(got, []string{name}) {
		t.Errorf("changed: %q", got)
	}
	third := load(&pool, o, second)
	if _, err := third.Open("file:" + name); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*policy{first, second} {
		if err := p.held.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if len(opened) != 2 || opened[0].closed != 1 || opened[1].closed != 0 {
		t.Errorf("opened %d times; the first closed %d times", len(opened), opened[0].closed)
	}
	if err := third.held.Release(); err != nil || pool.Len() != 0 {
		t.Errorf("%v, %d in use", err, pool.Len())
	}
}

func TestOpenErrors(t *testing.T) {
	var opened []*fake
	o := Opener{Kinds: []Kind{files(&opened), {Name: "other"}}}
	dir := t.TempDir()
	wrong, syntax := filepath.Join(dir, "wrong.cf"), filepath.Join(dir, "syntax.cf")
	write(t, wrong, "# x\nport = 7\n")
	write(t, syntax, "port\n")
	for spec, want := range map[string]string{
		"file:" + wrong:  wrong + `:2: --list: port: "7" is not a whole number from 1 to 2`,
		"file:" + syntax: syntax + ":1: --list: there is no '='; a line is: name = value",
		"file:users":     `file:users: --list: "users" is no file; write the parameters that main.cf has as users_NAME into a file as NAME, and name it with its whole path`,
		"file:" + dir:    "not a regular file",
		"file:/none.cf":  "file:/none.cf: --list: open /none.cf: no such file or directory",
		"unionmap:{a}":   `--list: table type "unionmap" of "unionmap:{a}" is not supported: it joins what several tables say; give the flag several times, where the first table that has an answer gives it`,
		"proxy:unix:x":   `table type "unix" of "proxy:unix:x" is not supported`,
		"nonsense:x":     `--list: unknown table type "nonsense" in "nonsense:x"; known are texthash, hash, lmdb, btree, cdb, dbm, sdbm, cidr, regexp, pcre, inline, static, list, file, other`,
		"proxy:/x":       `--list: the table "proxy:/x" has no source; want proxy:TYPE:SOURCE, or TYPE:SOURCE`,
	} {
		var pool resource.Pool
		p := load(&pool, o, nil)
		_, err := p.List(table.ListOptions{}, spec)
		if err == nil || !strings.Contains(table.Of("list", err).Error(), want) {
			t.Errorf("%s: %v, want %s", spec, table.Of("list", err), want)
		}
		if pool.Len() != 0 {
			t.Errorf("%s: %d in use", spec, pool.Len())
		}
	}
}

func TestRemarksAndSecrets(t *testing.T) {
	var opened []*fake
	var pool resource.Pool
	name := filepath.Join(t.TempDir(), "x.cf")
	write(t, name, "prot = 1\npassword = geheim\n")
	p := load(&pool, Opener{Kinds: []Kind{files(&opened)}}, nil)
	one, err := p.Open("proxy:file:" + name)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`proxy:file:` + name + `: "proxy:" is left out; file:` + name + ` is asked directly`,
		name + `:1: nothing here is called "prot": the line is ignored, as Postfix does`,
	}
	if got := p.Remarks(); !slices.Equal(got, want) {
		t.Errorf("remarks %q, want %q", got, want)
	}
	_, err = one.Lookup(t.Context(), "key")
	if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "denied to ***") {
		t.Errorf("error %v", err)
	}
	if err := p.held.Release(); err != nil {
		t.Error(err)
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"": true, "localhost": true, "127.0.0.1": true, "127.1.2.3": true, "::1": true, "[::1]": true, "/run/x": true, "::ffff:127.0.0.1": true,
		"db.example": false, "192.0.2.1": false, "localhost.example": false,
	} {
		if Loopback(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}
