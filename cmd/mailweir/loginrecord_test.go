package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/events"
	"mailweir/internal/logins"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
)

// What mailweir auth says goes into the record as a decision about a login, or not at all.
func TestLoginEvents(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	good := func() *policy.Event {
		return &policy.Event{
			ID: "mw-0123abcd", Time: now.Add(-time.Minute), Check: "auth", Mode: policy.Enforce, Action: policy.ActionRefused,
			Client: netip.MustParseAddr("::ffff:192.0.2.1"), Login: "bob", Cause: "mechanism PLAIN", Service: policy.Submission,
		}
	}
	for name, c := range map[string]struct {
		change func(*policy.Event)
		after  bool // one of that id has come before
		want   bool
		at     time.Time
	}{
		"refused":                  {change: func(*policy.Event) {}, want: true, at: now.Add(-time.Minute)},
		"deferred":                 {change: func(e *policy.Event) { e.Action = policy.ActionDeferred }, want: true, at: now.Add(-time.Minute)},
		"monitored":                {change: func(e *policy.Event) { e.Action = policy.ActionWould }, want: true, at: now.Add(-time.Minute)},
		"of the future":            {change: func(e *policy.Event) { e.Time = now.Add(time.Second) }, want: true, at: now},
		"a day old":                {change: func(e *policy.Event) { e.Time = now.Add(-24 * time.Hour) }, want: true, at: now.Add(-24 * time.Hour)},
		"older":                    {change: func(e *policy.Event) { e.Time = now.Add(-24*time.Hour - time.Second) }, want: true, at: now},
		"another check":            {change: func(e *policy.Event) { e.Check = "hops" }},
		"no check":                 {change: func(e *policy.Event) { e.Check = "" }},
		"an edit":                  {change: func(e *policy.Event) { e.Action = policy.ActionChanged }},
		"no id":                    {change: func(e *policy.Event) { e.ID = "" }},
		"an id that is none":       {change: func(e *policy.Event) { e.ID = "mw-0123abcd " }},
		"a sum of what came":       {change: func(e *policy.Event) { e.Dedup = &policy.Dedup{Times: 3} }, after: true, want: true, at: now.Add(-time.Minute)},
		"a sum of somebody else's": {change: func(e *policy.Event) { e.Dedup = &policy.Dedup{Times: 3} }},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			sink := record.NewSink(store, record.SinkOptions{Log: logrus.New(), Clock: clock})
			defer sink.Close()
			l := &loginEvents{record: &recording{store: store, sink: sink}, clock: clock}
			if c.after {
				if err := l.Record(good()); err != nil {
					t.Fatal(err)
				}
			}
			e := good()
			c.change(e)
			// What only a message has is not taken over.
			e.Sender, e.HasSender, e.Recipients, e.Stack, e.Host = "a@else.example", true, []string{"bob@ours.example"}, "stack", "mx"
			if err := l.Record(e); errors.Is(err, errLoginEvent) == c.want {
				t.Errorf("%v", err)
			}
			if err := sink.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			page, err := store.Search(t.Context(), record.Query{})
			if err != nil || (len(page.Entries) == 1) != c.want {
				t.Fatalf("%+v, %v", page, err)
			}
			if !c.want {
				return
			}
			got := page.Entries[0].Event
			if !got.Time.Equal(c.at) || got.Client != netip.MustParseAddr("192.0.2.1") || got.Login != "bob" || got.Host != "mx" || got.Stage != policy.StageAuth {
				t.Errorf("%+v", got)
			}
			if got.HasSender || got.Sender != "" || len(got.Recipients) > 0 || got.Stack != "" || (got.Dedup != nil) != c.after {
				t.Errorf("taken over: %+v", got)
			}
		})
	}
}

// What mailweir auth decides is found by its id in the milter's record.
func TestLoginRelay(t *testing.T) {
	store, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	sink := record.NewSink(store, record.SinkOptions{Log: logrus.New(), Clock: time.Now})
	defer sink.Close()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := logins.NewServer(l, loginJudge{loginEvents: &loginEvents{record: &recording{store: store, sink: sink}, clock: time.Now}})
	server.Start()
	defer stopLogins(server)
	client := logins.NewClient(socket, nil)
	defer client.Close()
	relay := logins.NewRelay(client)
	recorder := events.NewRecorder(events.Options{Log: quietLog(), Metrics: events.NewMetrics("test"), Clock: time.Now, Host: "mx", Sinks: []events.Sink{relay}})
	var ids []string
	for range 20 { // the last of them share an id
		e := &policy.Event{Time: time.Now(), Check: "auth", Mode: policy.Enforce, Action: policy.ActionRefused, Client: netip.MustParseAddr("192.0.2.1"), Login: "bob"}
		e.ID = recorder.Identify(e)
		recorder.Record(e)
		ids = append(ids, e.ID)
	}
	recorder.Close()
	relay.Close()
	if err := sink.Flush(t.Context()); err != nil || relay.Dropped() > 0 {
		t.Fatal(err, relay.Dropped())
	}
	for i, times := range map[int]int{0: 0, 19: 10} {
		page, err := store.Search(t.Context(), record.Query{IDs: ids[i : i+1]})
		if err != nil || len(page.Entries) != 1 {
			t.Fatalf("%s: %+v, %v", ids[i], page, err)
		}
		e := page.Entries[0].Event
		if e.Login != "bob" || e.Host != "mx" || (e.Dedup != nil) != (times > 0) || times > 0 && e.Dedup.Times != times {
			t.Errorf("%+v, %+v", e, e.Dedup)
		}
	}
}

// Without a record nothing is kept, and nothing is wrong; the ids that are known are bounded.
func TestLoginEventsAreBounded(t *testing.T) {
	l := &loginEvents{clock: time.Now}
	for i := range 3 * maxLoginIDs {
		e := &policy.Event{ID: fmt.Sprintf("mw-%08d", i), Check: "auth"}
		if err := l.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(l.ids); n > maxLoginIDs || l.ids[n-1] != fmt.Sprintf("mw-%08d", 3*maxLoginIDs-1) {
		t.Errorf("%d ids, the last %s", n, l.ids[n-1])
	}
}
