package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sirupsen/logrus/hooks/test"

	"mailweir/internal/backend"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/postgres"
)

var begin = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

func fixed() time.Time { return begin }

func decision(host, id string) record.Entry {
	return record.Entry{Event: &policy.Event{
		Version: policy.EventVersion, ID: id, Time: begin, Host: host, Check: "lists", Mode: policy.Enforce, Action: policy.ActionRefused,
		Client: netip.MustParseAddr("192.0.2.1"), Sender: "alice@example.com", HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1,
	}}
}

// found are the ids of what a query finds, in order.
func found(t *testing.T, s record.Reader, q record.Query) (ids []string) {
	t.Helper()
	for e, err := range record.All(t.Context(), s, q) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Event.ID)
	}
	return ids
}

// Hosts write, clean up and make the schema at once, under clocks that stand still, and never in
// one another's way.
func testSeveralHosts(t *testing.T, b bed) {
	url := b.url(t)
	const hosts, batches, each = 4, 5, 40
	var all sync.WaitGroup
	stores := make([]*postgres.Store, hosts)
	for i := range hosts {
		host := fmt.Sprintf("mx%d", i)
		stores[i] = open(t, url, postgres.Options{Clock: fixed, Host: host, For: 48 * time.Hour})
		all.Go(func() {
			for n := range batches {
				var batch []record.Entry
				for k := range each {
					batch = append(batch, decision(host, fmt.Sprintf("mw-%s-%d-%02d", host, n, k)))
				}
				if err := stores[i].Write(t.Context(), batch, []record.Change{{Host: host, Time: begin, Operation: "tried"}}); err != nil {
					t.Error(err)
				}
				if err := stores[i].Retain(t.Context(), begin.Add(time.Duration(n)*time.Hour)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	positions := map[record.Position]bool{}
	for e, err := range record.All(t.Context(), stores[0], record.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if positions[e.Position] {
			t.Errorf("two entries stand at %d", e.Position)
		}
		positions[e.Position] = true
	}
	if len(positions) != hosts*batches*each {
		t.Errorf("%d entries, want %d", len(positions), hosts*batches*each)
	}
	if ids := found(t, stores[0], record.Query{Host: "mx3", Recipient: "bob@example.org"}); len(ids) != batches*each || !strings.HasPrefix(ids[0], "mw-mx3-") {
		t.Errorf("%d entries of one host", len(ids))
	}
	counts, err := stores[1].Counts(t.Context(), time.Time{}, time.Time{}, time.Hour)
	if err != nil || len(counts) != 1 || counts[0].N != hosts*batches*each {
		t.Errorf("counts %+v, %v", counts, err)
	}
	x, err := stores[1].Extent(t.Context())
	if err != nil || x.Entries != hosts*batches*each {
		t.Errorf("extent %+v, %v", x, err)
	}
	for _, s := range stores { // and all drop the day at once
		all.Go(func() {
			if err := s.Retain(t.Context(), begin.Add(30*24*time.Hour)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := stores[0].Retain(t.Context(), begin.Add(30*24*time.Hour)); err != nil {
		t.Error(err)
	}
	if ids := found(t, stores[2], record.Query{}); len(ids) != 0 {
		t.Errorf("%d entries are left after a month", len(ids))
	}
}

// Of more than 1,024 writers two have one number: should they write in the same microsecond, the
// second draws another.
func testWritersOfOneNumber(t *testing.T, b bed) {
	url := b.url(t)
	one, other := open(t, url, postgres.Options{Clock: fixed, Host: "mx1"}), open(t, url, postgres.Options{Clock: fixed, Host: "mx2"})
	write := func(s record.Store, host, id string) {
		t.Helper()
		if err := s.Write(t.Context(), []record.Entry{decision(host, id)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	write(one, "mx1", "mw-first")
	_, schema, _ := strings.Cut(url, "search_path=")
	if err := b.Do("SELECT setval('" + schema + ".mailweir_writers', 1024)"); err != nil { // the next one is 1025
		t.Fatal(err)
	}
	write(other, "mx2", "mw-second")
	write(one, "mx1", "mw-third")
	if ids := found(t, one, record.Query{Forward: true}); len(ids) != 3 || !slices.Contains(ids, "mw-second") {
		t.Errorf("%v", ids)
	}
}

// A batch whose commit was not answered is given again: what has been kept is not kept twice, and
// what has not is.
func testBatchIsGivenAgain(t *testing.T, b bed) {
	s := open(t, b.url(t), postgres.Options{Clock: fixed, Host: "mx1"})
	batch := []record.Entry{decision("mx1", "mw-one"), decision("mx1", "mw-two")}
	changes := []record.Change{{Time: begin, Operation: "reload"}}
	for range 2 {
		if err := s.Write(t.Context(), batch, changes); err != nil {
			t.Fatal(err)
		}
		batch = append(batch, decision("mx1", "mw-new"))[:3]
	}
	if ids := found(t, s, record.Query{Forward: true}); !slices.Equal(ids, []string{"mw-one", "mw-two", "mw-new"}) {
		t.Errorf("%v", ids)
	}
	if list, err := s.Changes(t.Context(), record.ChangeQuery{}); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// watched tells when the database goes and when it returns.
type watched struct{ down, up chan error }

func watch() (watched, *backend.Observer) {
	w := watched{make(chan error, 100), make(chan error, 100)}
	return w, &backend.Observer{
		Down: func(_ string, err error) { w.down <- err },
		Up:   func(string) { w.up <- nil },
	}
}

func await(t *testing.T, what string, c chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(60 * time.Second):
		t.Fatalf("in a minute the database has not %s", what)
		return nil
	}
}

// The database is not there at the start, comes, goes and returns. Nobody who tells of a decision
// waits, it is said once each, and what was told meanwhile is kept, once.
func testGoneAndBack(t *testing.T, b bed) {
	url := b.url(t)
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	w, observer := watch()
	log, said := test.NewNullLogger()
	s, err := postgres.Open(url, postgres.Options{Host: "mx1", Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	sink := record.NewSink(s, record.SinkOptions{Log: log, Subjects: true, Entries: 100})
	defer sink.Close()
	tell := func(ids ...string) {
		for _, id := range ids {
			sink.Event(decision("mx1", id).Event)
		}
	}
	tell("mw-before")
	if err := await(t, "gone", w.down); !errors.Is(err, record.ErrUnavailable) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, err := s.Search(t.Context(), record.Query{}); !errors.Is(err, record.ErrUnavailable) {
		t.Errorf("a search while it is away: %v", err)
	}
	b.Start()
	_ = await(t, "come", w.up)
	flush := func() {
		t.Helper()
		if err := sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	flushed := func() { // once it is back the writer needs one more try
		t.Helper()
		for errors.Is(sink.Flush(t.Context()), record.ErrUnavailable) {
		}
	}
	flushed()
	tell("mw-there")
	flush()
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	tell("mw-while1")
	_ = await(t, "gone again", w.down)
	for i := range 200 { // more than the queue holds
		tell(fmt.Sprintf("mw-many-%03d", i))
	}
	b.Start()
	_ = await(t, "returned", w.up)
	flushed()
	tell("mw-after")
	flush()
	got := found(t, s, record.Query{Forward: true})
	if len(got) != 2+100+1 || !slices.Equal(got[:4], []string{"mw-before", "mw-there", "mw-while1", "mw-many-000"}) || got[len(got)-1] != "mw-after" {
		t.Errorf("%d entries are kept: %v", len(got), got)
	}
	if stats := sink.Stats(); stats.DroppedDecisions != 101 {
		t.Errorf("%d dropped, want 101", stats.DroppedDecisions)
	}
	if len(w.down)+len(w.up) != 0 {
		t.Errorf("it went %d times more, and returned %d times more", len(w.down), len(w.up))
	}
	errs := slices.DeleteFunc(said.AllEntries(), func(e *logrus.Entry) bool { return e.Level > logrus.ErrorLevel })
	if len(errs) != 1 {
		t.Errorf("%d errors in the log, want one of the queue", len(errs))
		for _, e := range errs {
			t.Log(e.Message, e.Data)
		}
	}
}

func testSchema(t *testing.T, b bed) {
	url := b.url(t)
	_, schema, _ := strings.Cut(url, "search_path=")
	reader := open(t, url, postgres.Options{ReadOnly: true})
	if _, err := reader.Search(t.Context(), record.Query{}); err == nil || errors.Is(err, record.ErrUnavailable) || !strings.Contains(err.Error(), "no record in this database yet") {
		t.Errorf("where none is: %v", err)
	}
	s := open(t, url, postgres.Options{Clock: fixed, Host: "mx1"})
	if err := s.Write(t.Context(), []record.Entry{decision("mx1", "mw-one")}, nil); err != nil {
		t.Fatal(err)
	}
	if ids := found(t, reader, record.Query{}); len(ids) != 1 {
		t.Errorf("%v", ids)
	}
	if err := b.Do("UPDATE " + schema + ".mailweir_version SET version = 99"); err != nil {
		t.Fatal(err)
	}
	later := open(t, url, postgres.Options{Clock: fixed, Host: "mx1"})
	var newer *postgres.NewerError
	if err := later.Write(t.Context(), []record.Entry{decision("mx1", "mw-two")}, nil); !errors.As(err, &newer) || newer.Version != 99 || errors.Is(err, record.ErrUnavailable) {
		t.Errorf("a newer schema: %v", err)
	}
}

// A host that died while it dropped a day has left it detached, or half so: the next one ends it.
func testDroppingIsResumed(t *testing.T, b bed) {
	url := b.url(t)
	_, schema, _ := strings.Cut(url, "search_path=")
	s := open(t, url, postgres.Options{Clock: fixed, Host: "mx1", For: 24 * time.Hour})
	if err := s.Write(t.Context(), []record.Entry{decision("mx1", "mw-one")}, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Do("SET search_path = " + schema + "; ALTER TABLE mailweir_entries DETACH PARTITION mailweir_entries_20261128; DROP TABLE mailweir_keys_20261128"); err != nil {
		t.Fatal(err)
	}
	if err := s.Retain(t.Context(), begin.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if x, err := s.Extent(t.Context()); err != nil || len(x.Days) != 0 {
		t.Errorf("%+v, %v", x, err)
	}
	if err := b.Do("SET search_path = " + schema + "; SELECT 1/count(*) FROM pg_class WHERE relname LIKE 'mailweir_entries_20261128' AND relnamespace = current_schema()::regnamespace"); err == nil {
		t.Error("the table of the day is still there")
	}
}

func TestCheck(t *testing.T) {
	for spec, says := range map[string]string{
		"postgres://mailweir@db.example/mailweir":                                   "",
		"postgres://mailweir@one,two:5433/mailweir?target_session_attrs=read-write": "",
		"postgres:///mailweir?host=/run/postgresql":                                 "",
		"postgres://mailweir:s3cret@db.example/mailweir":                            "passfile=",
		"postgres://mailweir@db.example/mailweir?password=s3cret":                   "passfile=",
		"postgres://mailweir@db.example/mailweir?sslpassword=s3cret":                "passfile=",
		"postgres://mailweir:s3cret/x@db.example/mailweir":                          "the URL is none",
		"postgres://mailweir:s3c@ret@db.example/mailweir":                           "passfile=",
		"postgres://mailweir@db.example":                                            "names no database",
		"postgres://mailweir@db.example/mailweir?sslmode=s3cret":                    "sslmode",
		"postgres://mailweir@db.example:s3cret/mailweir":                            "the URL is none",
	} {
		err := postgres.Check(spec)
		switch {
		case says == "" && err != nil, says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%s: %v", spec, err)
		case err != nil && strings.Contains(err.Error(), "s3c"):
			t.Errorf("%s: the error has the secret: %v", spec, err)
		}
	}
}

// A search that its asker leaves does not lose the database.
func testAskerLeaves(t *testing.T, b bed) {
	w, observer := watch()
	s := open(t, b.url(t), postgres.Options{Clock: fixed, Observer: observer})
	if err := s.Write(t.Context(), []record.Entry{decision("mx1", "mw-one")}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.Search(ctx, record.Query{}); err == nil {
		t.Error("a search that nobody waits for had an answer")
	}
	if len(w.down) != 0 {
		t.Errorf("the database is lost: %v", <-w.down)
	}
}
