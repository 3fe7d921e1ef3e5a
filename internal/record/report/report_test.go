package report_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/record/report"
)

var update = flag.Bool("update", false, "write the golden files")

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// keep makes a record of entries.
func keep(t *testing.T, entries ...record.Entry) record.Store {
	t.Helper()
	now := start
	s, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, e := range entries {
		now = e.Time()
		if err := s.Write(t.Context(), []record.Entry{e}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

var listed = policy.Reply{ID: "one", Row: "P1", Code: 554, Enhanced: "5.7.1", Text: "no"}

func decision(n int, at time.Duration, change func(*policy.Event)) record.Entry {
	e := &policy.Event{
		Version: 1, ID: fmt.Sprintf("mw-%08d", n), Time: start.Add(at), Check: "lists", Mode: policy.Enforce, Line: policy.Object(&listed).Line(&listed, policy.Enforce),
		Client: netip.MustParseAddr("192.0.2.7"), Sender: "a@spam.example", HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1, Direction: "inbound",
	}
	change(e)
	return record.Entry{Event: e}
}

func accepted(n int, at time.Duration, change func(*policy.Transaction)) record.Entry {
	m := &policy.Transaction{
		Version: 1, Ended: start.Add(at), Session: fmt.Sprintf("s%d", n), Number: 1, Client: netip.MustParseAddr("2001:db8:1:2::3"), Sender: "friend@example.net",
		Recipients: []policy.RecipientOutcome{{Recipient: "bob@example.org", Direction: "inbound"}}, RecipientCount: 1,
	}
	change(m)
	return record.Entry{Message: m}
}

func nothing(*policy.Event) {}

func as(is string) func(*policy.Transaction) {
	return func(m *policy.Transaction) {
		if is != "" {
			m.Login, m.Sender, m.Service = is, is, policy.Submission
			m.Recipients = []policy.RecipientOutcome{{Recipient: "carol@example.org", Direction: "internal"}, {Recipient: "x@elsewhere.example", Direction: "outbound"}}
		}
	}
}

func example(t *testing.T) record.Store {
	hour, day := time.Hour, 24*time.Hour
	list := []record.Entry{
		decision(1, 0, nothing),
		decision(2, hour, func(e *policy.Event) {
			e.Check, e.Action, e.Line = "waiting", policy.ActionDeferred, policy.Object(&listed).Line(&listed, policy.Defer)
			e.Sender = ""
		}),
		decision(3, 2*hour, func(e *policy.Event) {
			e.Mode, e.Action, e.Recipients = policy.Monitor, policy.ActionWould, []string{"b@example.org", "c@example.org"}
		}),
		decision(4, day, func(e *policy.Event) { // a flood of one client, to whomever
			e.Dedup = &policy.Dedup{Alike: policy.AlikeClient, Times: 1234, Clients: []netip.Addr{e.Client}, ClientCount: 1, Senders: []string{"a@x.example", "b@y.example"}, SenderCount: 2}
			e.Recipients = []string{"bob@example.org", "carol@example.com"}
		}),
		decision(5, day+hour, func(e *policy.Event) { // and one of many clients
			e.Dedup = &policy.Dedup{Alike: policy.AlikeCheck, Times: 50, Clients: []netip.Addr{e.Client, netip.MustParseAddr("198.51.100.1")}, ClientCount: 40, SenderCount: 1}
		}),
		decision(6, day+2*hour, func(e *policy.Event) {
			e.Check, e.Action, e.Line, e.Client, e.HasSender, e.Sender = "virus", policy.ActionError, policy.Line{}, netip.Addr{}, false, ""
		}),
		decision(7, day+3*hour, func(e *policy.Event) {
			e.Login, e.Direction, e.Sender = "Frank@example.org", "outbound", "frank@example.org"
		}),
		accepted(1, day+4*hour, as("")),
		accepted(2, 2*day, as("frank@example.org")),
		accepted(3, 2*day+hour, as("=cmd\x1b[31m@example.org")),
		accepted(4, 2*day+2*hour, func(m *policy.Transaction) { m.Fate, m.Check = policy.Refused, "lists" }),
	}
	return keep(t, list...)
}

func TestGolden(t *testing.T) {
	r, err := report.Look(t.Context(), example(t), report.Options{Since: start.Add(-72 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", text.String())
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", string(data)+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another one (-update writes it):\n%s", path, got)
	}
}

func TestTopAndSpan(t *testing.T) {
	r, err := report.Look(t.Context(), example(t), report.Options{Since: start.Add(24 * time.Hour), Until: start.Add(48 * time.Hour), Top: 1})
	if err != nil {
		t.Fatal(err)
	}
	if want := (report.Tally{Accepted: 1, Refused: 1234 + 50 + 1, Other: 1}); r.Total != want {
		t.Errorf("%+v, want %+v", r.Total, want)
	}
	if len(r.Days) != 1 || len(r.Checks.Rows) != 1 || r.Checks.More != 1 || len(r.Notes) != 0 {
		t.Errorf("%+v", r)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), "\n1 more (--top)\n") {
		t.Errorf("%v\n%s", err, &text)
	}
}

func TestEmpty(t *testing.T) {
	r, err := report.Look(t.Context(), keep(t), report.Options{Since: start})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), "note: the record is empty") {
		t.Errorf("%v\n%s", err, &text)
	}
}
