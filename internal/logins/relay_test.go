package logins

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
)

func event(id string) *policy.Event {
	return &policy.Event{
		ID: id, Time: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Check: "auth", Action: policy.ActionRefused, Client: netip.MustParseAddr("192.0.2.1"),
		Login: "bob", Dedup: &policy.Dedup{Alike: policy.AlikeClient, Times: 7},
	}
}

// What is decided comes to the milter as it was, but for what its sum will tell.
func TestRelay(t *testing.T) {
	socket, j := filepath.Join(t.TempDir(), "s"), &judge{events: make(chan *policy.Event, 10)}
	defer serve(t, socket, j)()
	c := NewClient(socket, nil)
	defer c.Close()
	r := NewRelay(c)
	repeated := event("mw-2")
	repeated.Repeated = true
	r.Event(event("mw-1"))
	r.Event(repeated)
	r.Transaction(&policy.Transaction{})
	r.Event(event("mw-3"))
	r.Close()
	for _, want := range []string{"mw-1", "mw-3"} {
		if got := <-j.events; !reflect.DeepEqual(got, event(want)) {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if len(j.events) > 0 || r.Dropped() > 0 {
		t.Errorf("%d more, %d dropped", len(j.events), r.Dropped())
	}
}

// A milter that is started later gets what has waited.
func TestRelayWaits(t *testing.T) {
	socket, j := filepath.Join(t.TempDir(), "s"), &judge{events: make(chan *policy.Event, 10)}
	c := NewClient(socket, nil)
	defer c.Close()
	r := NewRelay(c)
	r.Event(event("mw-1"))
	defer serve(t, socket, j)()
	if got := <-j.events; got.ID != "mw-1" {
		t.Errorf("%+v", got)
	}
	r.Close()
	if r.Dropped() > 0 {
		t.Errorf("%d dropped", r.Dropped())
	}
}

// What there is no room for, is too long, or comes to nobody until the end, is dropped and counted.
func TestRelayDrops(t *testing.T) {
	c := NewClient(filepath.Join(t.TempDir(), "nobody"), nil)
	defer c.Close()
	r := NewRelay(c)
	for i := range maxWaiting + 10 {
		r.Event(event(fmt.Sprint(i)))
	}
	if n := r.Dropped(); n < 9 || n > 10 { // one may be under way
		t.Errorf("%d dropped", n)
	}
	r.close() // the time at the end is over
	r.Close()
	r.Event(event("late"))
	if n := r.Dropped(); n != maxWaiting+11 {
		t.Errorf("%d dropped", n)
	}
}

// A milter that does not want events, as one of an earlier version, still answers about logins.
func TestRelayUnwanted(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Shutdown(context.Background()) }()
	c := NewClient(socket, nil)
	defer c.Close()
	r := NewRelay(c)
	r.Event(event("mw-1"))
	long := event("mw-2")
	long.Cause = strings.Repeat("x", maxEvent)
	r.Event(long)
	r.Close()
	if n := r.Dropped(); n != 2 {
		t.Errorf("%d dropped", n)
	}
	if _, _, err := c.Ask(t.Context(), bob); err != nil {
		t.Errorf("it counts as lost: %v", err)
	}
}
