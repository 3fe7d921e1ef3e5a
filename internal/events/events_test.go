package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/sirupsen/logrus"

	"mailweir/internal/dns"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
	"mailweir/rbl"
)

// bench is a recorder with a clock that is set and a log that is read.
type bench struct {
	*Recorder
	t       *testing.T
	now     time.Time
	log     bytes.Buffer
	metrics *Metrics
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), metrics: NewMetrics("test")}
	log := logrus.New()
	log.SetOutput(&b.log)
	log.SetLevel(logrus.DebugLevel)
	log.SetFormatter(&logrus.JSONFormatter{DisableTimestamp: true})
	b.Recorder = NewRecorder(Options{Log: log, Metrics: b.metrics, Clock: func() time.Time { return b.now }, Host: "mx1.example"})
	return b
}

// refuse records one refusal of a sender at a client, as the runner does.
func (b *bench) refuse(client, sender string) string {
	e := &policy.Event{
		Check: "sender-block", Mode: policy.Enforce, Stage: policy.StageRcpt, Client: netip.MustParseAddr(client), Service: policy.MX,
		Sender: sender, HasSender: true,
	}
	e.ID = b.Identify(e)
	b.Record(e)
	return e.ID
}

// lines returns what has been logged since the last call.
func (b *bench) lines() []map[string]any {
	b.t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(b.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			b.t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, fields)
	}
	b.log.Reset()
	return lines
}

func TestDedup(t *testing.T) {
	b := newBench(t)
	ids := map[string]int{}
	for range 10 {
		ids[b.refuse("192.0.2.1", "a@bad.example")]++
	}
	if len(ids) != 10 || len(b.lines()) != 10 {
		t.Fatalf("%d ids for 10 events", len(ids))
	}
	// The eleventh is written; those after it share its id and its line.
	shared := b.refuse("192.0.2.1", "b@bad.example")
	if lines := b.lines(); len(lines) != 1 || lines[0]["event"] != shared || ids[shared] != 0 {
		t.Fatalf("%v", lines)
	}
	for i := range 30 {
		if id := b.refuse("192.0.2.1", fmt.Sprintf("%d@BAD.example", i)); id != shared {
			t.Fatalf("event %d has the id %s, want %s", i, id, shared)
		}
	}
	if lines := b.lines(); len(lines) != 0 {
		t.Fatalf("%v", lines)
	}
	// Others do not share it.
	for _, other := range []string{b.refuse("192.0.2.2", "a@bad.example"), b.refuse("192.0.2.1", "a@other.example")} {
		if other == shared {
			t.Error("another client or domain shares the id")
		}
	}
	if lines := b.lines(); len(lines) != 2 {
		t.Fatalf("%v", lines)
	}
	// A minute later a line tells how many there were, and the next event is one of its own.
	b.now = b.now.Add(time.Minute)
	fresh := b.refuse("192.0.2.1", "a@bad.example")
	lines := b.lines()
	if len(lines) != 2 || lines[0]["event"] != shared || lines[0]["times"] != 31.0 || lines[0]["msg"] != "refused ×31" || lines[1]["event"] != fresh {
		t.Errorf("%v", lines)
	}
	var counted dto.Metric
	if err := b.metrics.decisions.WithLabelValues("sender-block", "enforce", "refused", "0").Write(&counted); err != nil {
		t.Fatal(err)
	}
	if got := counted.GetCounter().GetValue(); got != 44 {
		t.Errorf("%v decisions counted, want every one of 44", got)
	}
}

// A client whose sender domains are ever others is told of by itself, with the first of its senders;
// others at the same time stand alone.
func TestDedupByClient(t *testing.T) {
	b := newBench(t)
	ids := map[string]int{}
	refuse := func(n int) string {
		b.now = b.now.Add(time.Second / 20) // fewer than are told of each check
		return b.refuse("192.0.2.1", fmt.Sprintf("a@d%d.example", n))
	}
	for i := range clientLines {
		ids[refuse(i)]++
	}
	if len(ids) != clientLines || len(b.lines()) != clientLines {
		t.Fatalf("%d ids for %d events", len(ids), clientLines)
	}
	shared := refuse(clientLines)
	for i := range 150 {
		if id := refuse(clientLines + 1 + i); id != shared {
			t.Fatalf("event %d has the id %s, want %s", i, id, shared)
		}
	}
	if lines := b.lines(); len(lines) != 1 || lines[0]["event"] != shared || ids[shared] != 0 {
		t.Fatalf("%v", lines)
	}
	if other := b.refuse("192.0.2.2", "a@d0.example"); other == shared || len(b.lines()) != 1 {
		t.Error("another client shares the id")
	}
	b.now = b.now.Add(time.Minute)
	b.Sweep()
	lines := b.lines()
	if len(lines) != 1 || lines[0]["msg"] != "refused ×151" || lines[0]["event"] != shared || lines[0]["alike"] != "client" || lines[0]["senders"] != 151.0 {
		t.Fatalf("%v", lines)
	}
	if names := strings.Split(lines[0]["sender"].(string), ","); len(names) != 100 || names[1] != fmt.Sprintf("<a@d%d.example>", clientLines+1) {
		t.Errorf("senders %q", names)
	}
}

// What is above the lines of a check in one second shares the id of that second, each reply its
// own; other checks have lines of their own.
func TestDedupByCheck(t *testing.T) {
	b := newBench(t)
	n := 0
	refuse := func(reply string) string {
		n++
		e := &policy.Event{
			Check: "address", Reply: reply, Mode: policy.Enforce, Client: client(n), Sender: fmt.Sprintf("a@d%d.example", n), HasSender: true,
		}
		e.ID = b.Identify(e)
		b.Record(e)
		return e.ID
	}
	for range checkLines {
		refuse("address-sender")
	}
	if n := len(b.lines()); n != checkLines {
		t.Fatalf("%d lines", n)
	}
	shared := map[string]string{"address-sender": refuse("address-sender"), "address-recipient": refuse("address-recipient")}
	for range 20 {
		for reply, id := range shared {
			if got := refuse(reply); got != id {
				t.Errorf("%s has the id %s, want %s", reply, got, id)
			}
		}
	}
	b.refuse("192.0.2.1", "a@bad.example")
	if lines := b.lines(); len(lines) != 3 || lines[2]["check"] != "sender-block" || shared["address-sender"] == shared["address-recipient"] {
		t.Errorf("%v", lines)
	}
	b.now = b.now.Add(checkSpan)
	next := refuse("address-sender")
	lines := b.lines()
	if len(lines) != 3 || next == shared["address-sender"] || lines[2]["event"] != next {
		t.Fatalf("%v", lines)
	}
	for _, line := range lines[:2] {
		if line["event"] != shared[line["reply"].(string)] || line["msg"] != "refused ×21" || line["alike"] != "check, above 100 lines a second" || line["clients"] != 21.0 {
			t.Errorf("%v", line)
		}
	}
	var m dto.Metric
	if err := b.metrics.unwritten.WithLabelValues("address").Write(&m); err != nil {
		t.Fatal(err)
	}
	if got := m.GetCounter().GetValue(); got != 40 {
		t.Errorf("%v lines left out are counted, want 40", got)
	}
}

func TestSumsAreWrittenAtTheEnd(t *testing.T) {
	b := newBench(t)
	for range 13 {
		b.refuse("192.0.2.1", "a@bad.example")
	}
	b.lines()
	b.Close()
	if lines := b.lines(); len(lines) != 1 || lines[0]["times"] != 3.0 {
		t.Errorf("%v", lines)
	}
}

// TestDedupKeepsRepliesApart: whoever asks about an id is shown the reply that it stood in.
func TestDedupKeepsRepliesApart(t *testing.T) {
	b := newBench(t)
	ids := map[string]string{} // the reply of each id
	for range domainLines + 2 {
		for _, reply := range []string{"address-sender", "address-recipient"} {
			e := &policy.Event{Check: "address", Reply: reply, Mode: policy.Enforce, Sender: "a@spam.example", HasSender: true}
			e.ID = b.Identify(e)
			b.Record(e)
			if other := ids[e.ID]; other != "" && other != reply {
				t.Fatalf("%s stands in the replies %s and %s", e.ID, other, reply)
			}
			ids[e.ID] = reply
		}
	}
}

// What stands alone under an id was written when it came.
func TestLoneRepeat(t *testing.T) {
	b := newBench(t)
	for range 11 {
		b.refuse("192.0.2.1", "a@bad.example")
	}
	b.lines()
	b.Close()
	if lines := b.lines(); len(lines) != 0 {
		t.Errorf("%v", lines)
	}
}

func TestDedupsAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ds := newDedups(func() time.Time { return now })
	sizes := func() []int {
		return []int{len(ds.clients.open), len(ds.domains.open), len(ds.clients.queue), len(ds.domains.queue)}
	}
	for i := range dedupKeys + 500 {
		ds.identify(&policy.Event{
			Check: fmt.Sprint("check", i/checkLines), Client: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), Sender: fmt.Sprintf("a@d%d.example", i),
		})
	}
	if got := sizes(); !slices.Equal(got, []int{dedupKeys, dedupKeys, dedupKeys, dedupKeys}) {
		t.Errorf("%v keys", got)
	}
	now = now.Add(time.Minute)
	ds.identify(&policy.Event{Check: "later", Client: netip.MustParseAddr("192.0.2.1"), Sender: "a@later.example"})
	if got := append(sizes(), len(ds.seconds.open), len(ds.checks.open), len(ds.shared)); !slices.Equal(got, []int{1, 1, 1, 1, 1, 0, 0}) {
		t.Errorf("%v keys a minute later", got)
	}
}

// fieldNames are all that an event's line may have. Whoever reads the log by machine relies on
// them: docs/operating.md lists them.
var fieldNames = []string{
	"asked", "cause", "check", "client", "client_name", "code", "direction", "enhanced", "error", "event", "helo", "login", "mode",
	"queue_id", "recipient", "recipients", "reply", "sender", "service", "session", "stack", "stage", "text",
}

func TestFieldNames(t *testing.T) {
	full := &policy.Event{
		ID: "mw-1", Check: "rbl", Mode: policy.Enforce, Stage: policy.StageConnect, Reply: "rbl", Cause: "c", Err: "e", Stack: "s", Session: "s",
		Client: netip.MustParseAddr("192.0.2.1"), ClientName: "n", Helo: "h", Service: policy.MX, Login: "l", Sender: "a@b", HasSender: true,
		Recipients: []string{"c@d", "e@f"}, Count: 12, Direction: "inbound", QueueID: "q", Trace: []trace.Query{{Question: "q", Answer: "a"}, {Question: "r", Answer: "b"}},
	}
	fields := eventFields(full)
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, fieldNames) {
		t.Errorf("fields %v\nwant %v", names, fieldNames)
	}
	doc, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "alike", "change", "clients", "senders", "times") {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/operating.md does not explain %s", name)
		}
	}
	for name, want := range map[string]any{"recipient": "<c@d>,<e@f>", "recipients": 12, "asked": "q → a; r → b", "sender": "<a@b>"} {
		if fields[name] != want {
			t.Errorf("%s is %v, want %v", name, fields[name], want)
		}
	}
	// What is not known is left out; the null sender is known.
	bare := eventFields(&policy.Event{ID: "mw-1", Check: "load", HasSender: true})
	if bare["sender"] != "<>" || bare["client"] != "unknown" {
		t.Errorf("%v", bare)
	}
	for _, name := range []string{"recipient", "helo", "login", "queue_id", "asked", "cause", "stack", "error", "client_name", "direction"} {
		if _, ok := bare[name]; ok {
			t.Errorf("%s stands there without a value", name)
		}
	}
	// A check error has refused nothing.
	if _, ok := eventFields(&policy.Event{Action: policy.ActionError, Reply: "rbl"})["reply"]; ok {
		t.Error("an error has a reply")
	}
}

// A defect that every message meets is counted each time and written ten times a minute.
func TestDefects(t *testing.T) {
	b := newBench(t)
	for range 500 {
		b.Defect(errors.New("panic: nil"))
	}
	lines := b.lines()
	if len(lines) != defectLines || lines[0]["error"] != "panic: nil" || !strings.Contains(fmt.Sprint(lines[defectLines-1]["error"]), "mailweir_defects_total") {
		t.Errorf("%v", lines)
	}
	b.now = b.now.Add(time.Minute)
	b.Defect(errors.New("panic: nil"))
	if lines := b.lines(); len(lines) != 1 {
		t.Errorf("%d lines a minute later", len(lines))
	}
	var m dto.Metric
	if err := b.metrics.defects.Write(&m); err != nil {
		t.Fatal(err)
	}
	if got := m.GetCounter().GetValue(); got != 501 {
		t.Errorf("%v counted", got)
	}
}

// What is dropped behind the answers is counted, and said once a minute.
func TestDropped(t *testing.T) {
	b := newBench(t)
	for range 500 {
		b.Dropped()
	}
	if lines := b.lines(); len(lines) != 1 || lines[0]["level"] != "warning" {
		t.Errorf("%v", lines)
	}
	b.now = b.now.Add(time.Minute)
	b.Dropped()
	var m dto.Metric
	if err := b.metrics.dropped.Write(&m); err != nil {
		t.Fatal(err)
	}
	if lines := b.lines(); len(lines) != 1 || m.GetCounter().GetValue() != 501 {
		t.Errorf("%v, %v counted", lines, m.GetCounter().GetValue())
	}
}

func TestLevels(t *testing.T) {
	for want, e := range map[string]*policy.Event{
		"info":    {Check: "hops"},
		"warning": {Check: "rbl", Err: "time-out"},
		"error":   {Check: "hops", Err: "panic", Fault: true},
	} {
		b := newBench(t)
		e.ID = b.Identify(e)
		b.Record(e)
		if lines := b.lines(); len(lines) != 1 || lines[0]["level"] != want {
			t.Errorf("%v, want %s", lines, want)
		}
	}
}

// The metrics are named as Prometheus wants them, and nothing that came from outside is in a label.
func TestMetrics(t *testing.T) {
	b := newBench(t)
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{"127.0.0.1:9"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resolver.Close()
	lists := rbl.NewLists(resolver, rbl.ListsOptions{})
	defer lists.Close()
	b.metrics.WatchLists(lists, resolver)
	b.refuse("203.0.113.77", "who@stranger.example")
	b.Record(&policy.Event{Check: "rbl", Action: policy.ActionError, Err: "203.0.113.77", Helo: "stranger.example"})
	b.Opened(&policy.Connection{ConnectFacts: policy.ConnectFacts{Client: netip.MustParseAddr("203.0.113.77")}, Service: policy.MX})
	b.Settled(&policy.Transaction{Service: policy.MX, Sender: "who@stranger.example", Octets: 7})
	for _, stage := range policy.Stages() {
		b.Took(stage, time.Millisecond)
	}
	b.metrics.Loaded(b.now)
	b.metrics.NotLoaded()

	families, err := b.metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	text := fmt.Sprint(families)
	for _, foreign := range []string{"203.0.113", "stranger", "who@"} {
		if strings.Contains(text, foreign) {
			t.Errorf("a metric holds %q", foreign)
		}
	}
	for _, want := range []string{"mailweir_decisions_total", "mailweir_stage_duration_seconds", "mailweir_sessions", "mailweir_reload_successful"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}
