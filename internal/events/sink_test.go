package events

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
	"pgregory.net/rapid"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// table is a third sink: it keeps one row an id, as a database would.
type table struct {
	rows         map[string]*policy.Event
	transactions []*policy.Transaction
}

func (s *table) Event(e *policy.Event) {
	if !e.Repeated {
		s.rows[e.ID] = e
	}
}

func (s *table) Transaction(t *policy.Transaction) { s.transactions = append(s.transactions, t) }

func newTable(b *bench) *table {
	s := &table{rows: map[string]*policy.Event{}}
	b.Recorder = NewRecorder(Options{Log: b.Log, Metrics: b.metrics, Clock: b.Clock, Host: b.Host, Sinks: []Sink{s}})
	return s
}

// A sink is added without any other knowing, and has every event and every transaction, with host,
// version and id.
func TestAnotherSink(t *testing.T) {
	b := newBench(t)
	s := newTable(b)
	for i := range 40 {
		b.refuseFor("192.0.2.1", fmt.Sprintf("u%d@ours.example", i))
	}
	b.Close()
	if len(s.rows) != domainLines+1 {
		t.Errorf("%d rows, want %d", len(s.rows), domainLines+1)
	}
	seen := map[string]int{}
	for id, e := range s.rows {
		if e.ID != id || e.Version != policy.EventVersion || e.Host != "mx1.example" || e.Repeated {
			t.Errorf("%+v", e)
		}
		for _, r := range e.Recipients {
			seen[r]++
		}
	}
	for i := range 40 {
		if r := fmt.Sprintf("u%d@ours.example", i); seen[r] != 1 {
			t.Errorf("%s is found in %d rows", r, seen[r])
		}
	}
	b.Settled(bomb("a@else.example", policy.Outcome{Fate: policy.Accepted}))
	if len(s.transactions) != 1 || s.transactions[0].RecipientCount != 2 || s.transactions[0].Host != "mx1.example" || !s.transactions[0].Ended.Equal(b.now) {
		t.Errorf("an accepted message is recorded as %+v", s.transactions)
	}
}

// refuseFor records the refusal of some recipients.
func (b *bench) refuseFor(client string, recipients ...string) *policy.Event {
	e := &policy.Event{
		Check: "sender-block", Mode: policy.Enforce, Stage: policy.StageRcpt, Client: netip.MustParseAddr(client), Service: policy.MX,
		Sender: "a@bad.example", HasSender: true, Recipients: recipients, Count: len(recipients),
	}
	e.ID = b.Identify(e)
	b.Record(e)
	return e
}

// A line names a hundred recipients and clients and counts them all; the event has a thousand
// recipients.
func TestSumNamesRecipientsAndClients(t *testing.T) {
	b := newBench(t)
	s := newTable(b)
	var last *policy.Event
	for i := range domainLines + 1200 {
		n := max(0, i-domainLines)
		last = b.refuseFor(fmt.Sprintf("2001:db8::%x", n+1), fmt.Sprintf("u%d@ours.example", n), "all@ours.example")
	}
	b.lines()
	b.Close()
	lines := b.lines()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	line := lines[0]
	if line["times"] != 1200.0 || line["clients"] != 1200.0 {
		t.Errorf("%v of %v clients, want 1200 each", line["times"], line["clients"])
	}
	names := strings.Split(line["recipient"].(string), ",")
	if len(names) != 100 || names[0] != "<u0@ours.example>" || names[1] != "<all@ours.example>" || names[99] != "<u98@ours.example>" {
		t.Errorf("%d recipients: %q", len(names), names)
	}
	if clients := strings.Split(line["client"].(string), ","); len(clients) != 100 || clients[99] != "2001:db8::64" {
		t.Errorf("%d clients: %q", len(clients), clients)
	}
	row := s.rows[last.ID]
	if len(row.Recipients) != policy.MaxEventRecipients || row.Count != 1201 || line["recipients"] != 1201.0 || row.Dedup.Times != 1200 {
		t.Errorf("%d recipients, counted %d, %+v", len(row.Recipients), row.Count, row.Dedup)
	}
}

// Every recipient of a message of many stands in its line.
func TestRecipientsOfOneMessage(t *testing.T) {
	b := newBench(t)
	var to []string
	for i := range 40 {
		to = append(to, fmt.Sprintf("u%d@ours.example", i))
	}
	b.refuseFor("192.0.2.1", to...)
	line := b.lines()[0]
	if got := strings.Split(line["recipient"].(string), ","); len(got) != 40 || line["recipients"] != 40.0 {
		t.Errorf("%d named, %v counted", len(got), line["recipients"])
	}
	b.refuseFor("192.0.2.1", "u@ours.example")
	if line := b.lines()[0]; line["recipient"] != "<u@ours.example>" || line["recipients"] != nil {
		t.Errorf("one recipient: %v, %v counted", line["recipient"], line["recipients"])
	}
}

// Long recipients do not make a line of any length, and sums do not fill the memory.
func TestSumsAreBounded(t *testing.T) {
	b := newBench(t)
	long := func(i int) string { return fmt.Sprintf("%d%s@ours.example", i, strings.Repeat("x", 1000)) }
	for i := range domainLines + 20_000 {
		b.refuseFor("192.0.2.1", long(i))
		b.refuseFor(fmt.Sprintf("192.0.2.%d", 2+i%50), long(i))
	}
	if b.dedups.room < 0 || b.dedups.room >= gatherOctets {
		t.Errorf("%d octets of room left", b.dedups.room)
	}
	b.lines()
	b.Close()
	for line := range strings.Lines(b.log.String()) {
		if len(line) > lineOctets+lineOctets/4 {
			t.Errorf("a line of %d octets", len(line))
		}
	}
	if b.dedups.room != gatherOctets {
		t.Errorf("%d octets are not given back", gatherOctets-b.dedups.room)
	}
}

// Whatever clients say, an event is one line of the log and valid JSON.
func TestHostileEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{hostile, "", "\u2028\u009b", strings.Repeat("\xff", 70)}),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		text := func(name string) string { return texts.Draw(t, name) }
		e := &policy.Event{
			Action: policy.Action(rapid.IntRange(0, 10).Draw(t, "action")), Check: "x", Cause: text("cause"), Err: text("err"), ClientName: text("name"),
			Helo: text("helo"), Login: text("login"), Sender: text("sender"), HasSender: true, Recipients: rapid.SliceOf(texts).Draw(t, "to"),
			QueueID: text("queue id"), Trace: []trace.Query{{Question: text("question"), Answer: text("answer")}},
			Edits: []policy.Edit{{Kind: policy.EditQuarantine, Value: text("quarantine")}},
		}
		e.Count = len(e.Recipients)
		if data, err := json.Marshal(e); err != nil || !utf8.Valid(data) {
			t.Fatalf("%q: %v", data, err)
		}
		for _, format := range []logrus.Formatter{&logrus.TextFormatter{DisableColors: true}, &logrus.JSONFormatter{}} {
			var out strings.Builder
			log := logrus.New()
			log.SetOutput(&out)
			log.SetFormatter(format)
			(&logSink{log: log}).Event(e)
			line, ended := strings.CutSuffix(out.String(), "\n")
			if !ended || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' }) || !utf8.ValidString(line) {
				t.Fatalf("%T writes %q", format, out.String())
			}
		}
	})
}
