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

// fieldNames are all that an event's line may have. Whoever reads the log by machine relies on
// them: docs/operate/log.md lists them.
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
	doc, err := os.ReadFile("../../docs/operate/log.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "alike", "change", "clients", "senders", "times") {
		if !strings.Contains(string(doc), "`"+name+"`") && !strings.Contains(string(doc), name+"=") {
			t.Errorf("docs/operate/log.md does not explain %s", name)
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
	if len(lines) != defectLines || lines[0]["msg"] != "a defect outside of any answer; please report it" || lines[0]["error"] != "panic: nil" || !strings.Contains(fmt.Sprint(lines[defectLines-1]["error"]), "mailweir_defects_total") {
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
