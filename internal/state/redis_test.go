package state

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// host is one process that shares a store, and what it was told.
type host struct {
	*Redis
	down chan error
	up   chan struct{}
}

func newHost(t *testing.T, spec string, clock func() time.Time) *host {
	t.Helper()
	h := &host{down: make(chan error, 100), up: make(chan struct{}, 100)}
	var err error
	h.Redis, err = OpenRedis(t.Context(), spec, Options{
		Clock: clock, OnDown: func(err error) { h.down <- err }, OnUp: func() { h.up <- struct{}{} },
		renewEvery: time.Hour, // tests renew when it is time
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func wait[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(testbed.Patience):
		t.Fatalf("no word within %v: %s", testbed.Patience, what)
		panic("not reached")
	}
}

func (h *host) wantDown(t *testing.T) {
	t.Helper()
	if err := wait(t, "it is unavailable", h.down); !errors.Is(err, ErrDown) {
		t.Errorf("it is told %v", err)
	}
}

// enter enters a row, again while the store is unavailable.
func (h *host) enter(t *testing.T, key string) {
	t.Helper()
	for {
		_, err := h.Do(t.Context(), Put(key, []byte("x"), 0).Entered())
		if err == nil {
			return
		}
		if !errors.Is(err, ErrDown) && !errors.Is(err, ErrUnsynced) {
			t.Fatal(err)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the test ends")
		}
	}
}

func TestRedisGoesAndReturns(t *testing.T) {
	server := testbed.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	h := newHost(t, "redis://"+server.Address, nil)
	h.enter(t, "a|entered")
	server.Kill()
	for range 20 {
		if _, _, err := h.Get(t.Context(), "a|k"); !errors.Is(err, ErrDown) {
			t.Fatalf("a server that was killed: %v", err)
		}
		if _, err := h.List(t.Context(), "a|", "", 1); !errors.Is(err, ErrDown) {
			t.Fatalf("a list of a server that was killed: %v", err)
		}
	}
	h.wantDown(t)
	server.Start()
	wait(t, "it is back", h.up)
	wantValue(t, h, "a|entered", "x")
	h.enter(t, "a|again")
	if len(h.down)+len(h.up) != 0 {
		t.Error("it is told more than once")
	}
	if stats, err := h.Stats(t.Context()); err != nil || len(stats.Notes) != 0 || stats.Bytes == 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestRedisConfirms: what the replica does not have is not acknowledged.
func TestRedisConfirms(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	replica := testbed.StartRedis(t, "--replicaof", "127.0.0.1", testbed.Port(server.Address), "--repl-diskless-sync-delay", "0")
	replica.Wait("master_link_status:up", "INFO", "replication")
	server.Wait("state=online", "INFO", "replication")
	h.enter(t, "a|k")
	replica.Pause()
	_, err := h.Do(t.Context(), Put("a|k", []byte("x"), 0).Entered())
	replica.Resume()
	if !errors.Is(err, ErrUnsynced) || errors.Is(err, ErrDown) {
		t.Errorf("with a replica that hangs: %v", err)
	}
}

func TestRedisHangs(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	put(t, h, "a|k", "x", 0)
	server.Pause()
	_, _, err := h.Get(t.Context(), "a|k")
	known := h.backend.Lost(0)
	server.Resume()
	if !errors.Is(err, ErrDown) || known == nil {
		t.Errorf("a server that hangs: %v; the breaker has %v", err, known)
	}
	h.wantDown(t)
	wait(t, "it is back", h.up)
	wantValue(t, h, "a|k", "x")
}

func TestRedisStartsWithoutServer(t *testing.T) {
	server := testbed.StartRedis(t)
	server.Kill()
	h := newHost(t, "redis://"+server.Address, nil)
	h.wantDown(t)
	if _, err := h.Do(t.Context(), Put("a|k", nil, 0)); !errors.Is(err, ErrDown) {
		t.Error(err)
	}
	server.Start()
	wait(t, "it is there", h.up)
	put(t, h, "a|k", "x", 0)
}

func TestRedisWatchesOtherHosts(t *testing.T) {
	server := testbed.StartRedis(t)
	spec := "redis://" + server.Address
	one, two := newHost(t, spec, nil), newHost(t, spec, nil)
	heard := make(chan string, 100)
	stop := two.Watch("w|", func(key string) { heard <- key })
	defer stop()
	if key := wait(t, "listens", heard); key != "" {
		t.Fatalf("hears first of %q", key)
	}
	one.enter(t, "v|other")
	one.enter(t, "w|k")
	if key := wait(t, "an entry of the other host", heard); key != "w|k" {
		t.Errorf("hears of %q", key)
	}
	server.Kill()
	server.Start()
	if key := wait(t, "the server is back", heard); key != "" {
		t.Errorf("after a restart it hears of %q", key)
	}
	one.enter(t, "w|again")
	if key := wait(t, "an entry after the restart", heard); key != "w|again" {
		t.Errorf("after a restart it hears of %q", key)
	}
}

// die ends a host as a crash does: nobody gives anything back.
func (h *host) die() {
	h.stop()
	h.work.Wait()
	h.reconnect()
}

// TestRedisLateEntry: what a person entered while the server hung is done when it wakes, and who
// watches hears of it.
func TestRedisLateEntry(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	heard := make(chan string, 100)
	defer h.Watch("w|", func(key string) { heard <- key })()
	if key := wait(t, "listens", heard); key != "" {
		t.Fatalf("hears first of %q", key)
	}
	h.enter(t, "w|known") // the server has the script, and a connection for what a person enters
	if key := wait(t, "it is entered", heard); key != "w|known" {
		t.Errorf("hears of %q", key)
	}
	server.Pause()
	_, err := h.Do(t.Context(), Put("w|late", []byte("x"), 0).Entered())
	if !errors.Is(err, ErrDown) {
		t.Errorf("a server that hangs: %v", err)
	}
	if key := wait(t, "it may have been done", heard); key != "w|late" {
		t.Errorf("hears of %q", key)
	}
	server.Resume()
	if key := wait(t, "it is done", heard); key != "w|late" && key != "" {
		t.Errorf("hears of %q", key)
	}
	wait(t, "it is back", h.up)
	wantValue(t, h, "w|late", "x")
}

// TestRedisDamagedRow: a row that another hand has spoilt is an error of who asks for it, and not a
// server that is lost.
func TestRedisDamagedRow(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	for _, spoilt := range []string{"", "spoilt", "e5x x", "e x"} {
		put(t, h, "a|k", "x", 0)
		if _, err := server.Ask("HSET", h.names.key(h.names.bucket("a|k"), "rows", "a"), "a|k", spoilt); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.Get(t.Context(), "a|k"); !errors.Is(err, errDamaged) || errors.Is(err, ErrDown) {
			t.Errorf("%q: get: %v", spoilt, err)
		}
		both, err := h.Do(t.Context(), Get("a|k"), Add("b|other", 1, 0))
		if !errors.Is(err, errDamaged) || !errors.Is(both[0].Err, errDamaged) || both[1].Err != nil || !both[1].Done {
			t.Errorf("%q: beside another: %+v", spoilt, both)
		}
		if list, err := h.List(t.Context(), "a|", "", 1); err != nil || len(list) != 0 {
			t.Errorf("%q: list: %v, %v", spoilt, list, err)
		}
		if first, err := h.Do(t.Context(), First("a|k", []byte("y"), 0)); err != nil || !first[0].Done {
			t.Errorf("%q: set: %+v, %v", spoilt, first, err)
		}
		wantValue(t, h, "a|k", "y")
	}
}

// TestRedisUnknownScript: a server that forgot the script gets it again, within the same call and
// in order.
func TestRedisUnknownScript(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	for range 3 {
		if _, err := server.Ask("SCRIPT", "FLUSH"); err != nil {
			t.Fatal(err)
		}
		results, err := h.Do(t.Context(), Delete("a|k"), First("a|k", []byte("x"), 0), Get("a|k"), Add("a|n", 1, 0))
		if err != nil || !results[1].Done || string(results[2].Value) != "x" {
			t.Fatalf("%+v, %v", results, err)
		}
	}
	wantValue(t, h, "a|n", "3")
}

// reads returns how often the server has read from its connections.
func reads(t *testing.T, server *testbed.Redis) int64 {
	t.Helper()
	info, err := server.Ask("INFO", "stats")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(info, "total_reads_processed:")
	word, _, _ := strings.Cut(after, "\r")
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		t.Fatalf("INFO stats is %q: %v", info, err)
	}
	return n
}

// TestRedisRoundTrips: what one call asks, the server reads at once.
func TestRedisRoundTrips(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	put(t, h, "a|warm", "x", 0) // the server has the script
	count := func(what string, do func() error) {
		t.Helper()
		first := reads(t, server)
		second := reads(t, server)
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if n := reads(t, server) - second - (second - first); n != 1 {
			t.Errorf("%s: the server reads %d times", what, n)
		}
	}
	count("one call", func() error {
		_, err := h.Do(t.Context(), Get("a|k"), Get("b|k"), First("a|k", nil, time.Hour), Add("b|n", 1, time.Hour), Get("a|k"))
		return err
	})
	acquire(t, h, "l|k", 1, true)
	count("a place", func() error {
		_, _, err := h.Acquire(t.Context(), "l|k", 1)
		return err
	})
	seen, err := h.Do(t.Context(), Get("a|k"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(was Result) ([]byte, time.Duration) { return append(was.Value, 'x'), time.Hour }
	count("an update with a hint", func() error {
		_, err := h.Do(t.Context(), Update("a|k", seen[0], change))
		return err
	})
}

func TestRedisSentinelFailover(t *testing.T) {
	set := testbed.StartSentinel(t)
	var addresses []string
	for _, s := range set.Sentinels {
		addresses = append(addresses, s.Address)
	}
	spec := "redis://" + strings.Join(addresses, ",") + "?master=mw"
	one, two := newHost(t, spec, nil), newHost(t, spec, nil)
	for i := range 20 {
		one.enter(t, Key("a", fmt.Sprint(i)))
	}
	set.Primary.Kill()
	if _, _, err := one.Get(t.Context(), "a|0"); !errors.Is(err, ErrDown) {
		t.Errorf("just after the loss: %v", err)
	}
	one.wantDown(t)
	wait(t, "the replica has taken over", one.up)
	for i := range 20 { // what was entered is on the replica
		wantValue(t, one, Key("a", fmt.Sprint(i)), "x")
	}
	one.enter(t, "a|after")
	two.enter(t, "b|after") // it had nothing to do meanwhile
	wantValue(t, two, "a|after", "x")
}

// TestRedisClusterLosesNode: what is on other nodes goes on, what was entered on the lost one is on
// its replica.
func TestRedisClusterLosesNode(t *testing.T) {
	cluster := testbed.StartRedisCluster(t)
	h := newHost(t, "redis://"+cluster.Nodes[0].Address+","+cluster.Nodes[1].Address, nil)
	for i := range 64 {
		h.enter(t, Key("a", fmt.Sprint(i)))
	}
	lost := cluster.Primaries()[1]
	lost.Kill()
	works, fails := 0, 0
	for i := range 64 {
		switch _, _, err := h.Get(t.Context(), Key("a", fmt.Sprint(i))); {
		case err == nil:
			works++
		case errors.Is(err, ErrDown):
			fails++
		default:
			t.Error(err)
		}
	}
	var steps []Step
	for i := range 64 {
		steps = append(steps, Get(Key("a", fmt.Sprint(i))))
	}
	results, err := h.Do(t.Context(), steps...)
	if !errors.Is(err, ErrDown) {
		t.Errorf("all at once: %v", err)
	}
	for i, r := range results {
		if errors.Is(r.Err, ErrDown) == (string(r.Value) == "x") {
			t.Errorf("in one call, %s: %+v", steps[i].key, r)
		}
	}
	if works == 0 || fails == 0 {
		t.Errorf("with one of three nodes lost, %d keys work and %d do not", works, fails)
	}
	h.wantDown(t)
	wait(t, "the replica has taken over", h.up)
	for i := range 64 {
		key := Key("a", fmt.Sprint(i))
		h.enter(t, Key("b", fmt.Sprint(i)))
		wantValue(t, h, key, "x")
	}
}
