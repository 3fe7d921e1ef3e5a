package events

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/sirupsen/logrus"

	"mailweir/internal/logline"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

var update = flag.Bool("update", false, "write testdata again")

// golden compares with a file of testdata. Others read these formats by machine: a change here is a
// change of version, unless it only adds.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// a client's text: an escape of a terminal, a line end, an octet that is no UTF-8, a character that
// turns the text around.
const hostile = "\x1b[31m\r\nforged=1 \xff\u202e"

func refusal() *policy.Event {
	return &policy.Event{
		Version: policy.EventVersion, ID: "mw-ABCDEFGH", Time: time.Date(2026, 11, 23, 12, 0, 0, 5000, time.UTC), Host: "mx1.example",
		Check: "sender-block", Mode: policy.Enforce, Stage: policy.StageMail, AnsweredAt: policy.StageRcpt, Action: policy.ActionRefused,
		Reply: "sender-block", Row: "P7", Cause: "list:3", Session: "SESSION1", Transaction: 2,
		Client: netip.MustParseAddr("192.0.2.1"), ClientName: "client.example", Helo: hostile, Service: policy.MX, Login: "bob",
		Sender: hostile + "@bad.example", HasSender: true, Recipients: []string{"a@ours.example", hostile}, Count: 2, Direction: "inbound",
		QueueID: "4AbC", Trace: []trace.Query{{Question: "A 1.2.0.192.bl.example", Answer: "127.0.0.2"}},
	}
}

func sum() *policy.Event {
	e := refusal()
	e.Helo, e.Sender, e.Recipients, e.Count = "client.example", "a@bad.example", []string{"a@ours.example", "b@ours.example"}, 7
	e.Dedup = &policy.Dedup{
		Alike: policy.AlikeDomain, Times: 31, Last: e.Time.Add(time.Minute), ClientCount: 2,
		Clients: []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")},
	}
	return e
}

// sampled is what a flood from ever other clients leaves of a second.
func sampled() *policy.Event {
	e := sum()
	e.Dedup.Alike, e.Dedup.Times = policy.AlikeCheck, 1900
	e.Dedup.Senders, e.Dedup.SenderCount = []string{"a@bad.example", hostile + "@b.example"}, 1850
	return e
}

func changed() *policy.Event {
	e := refusal()
	e.Action, e.Helo, e.Sender, e.Recipients, e.Count = policy.ActionChanged, "client.example", "", nil, 0
	e.Edits = []policy.Edit{policy.Quarantine("lottery"), policy.AddField("X-Spam", "yes")}
	return e
}

func failed() *policy.Event {
	return &policy.Event{
		Version: policy.EventVersion, ID: "mw-ABCDEFGJ", Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Check: "rbl", Mode: policy.Monitor,
		Stage: policy.StageConnect, Action: policy.ActionError, Err: "panic: nil", Fault: true, Stack: "main.go:1",
	}
}

func transaction() *policy.Transaction {
	return &policy.Transaction{
		Version: policy.EventVersion, Begun: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 23, 12, 0, 3, 0, time.UTC),
		Host: "mx1.example", Session: "SESSION1", Number: 2, Service: policy.MX, Client: netip.MustParseAddr("2001:db8::1"),
		ClientName: "client.example", Helo: hostile, TLS: policy.TLS{Version: "TLSv1.3", Cipher: "AES", Bits: 256}, Login: "bob",
		Sender: "a@else.example", RecipientCount: 2, QueueID: "4AbC", MessageID: "<1@else.example>", From: "A <a@else.example>",
		Subject: hostile, Fields: 12, Octets: 4711, DeclaredSize: 4000, SPF: mailauth.SPFPass, DKIM: []string{"else.example"},
		Recipients: []policy.RecipientOutcome{
			{Recipient: "x@ours.example", Direction: "inbound", Outcome: policy.Outcome{Fate: policy.RefusedByMTA}},
			{Recipient: "y@ours.example", Direction: "inbound", Outcome: policy.Outcome{Fate: policy.Accepted, Would: []string{"greylist"}}},
		},
		Outcome:    policy.Outcome{Fate: policy.Accepted, Would: []string{"content", "greylist"}},
		Unexamined: []policy.Unexamined{{Limit: "ratio", Where: `ratio in "a.zip/b"`}},
	}
}

func TestJSON(t *testing.T) {
	for name, v := range map[string]any{
		"refusal.json": refusal(), "sum.json": sum(), "sampled.json": sampled(), "changed.json": changed(), "failed.json": failed(), "transaction.json": transaction(),
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			out := json.NewEncoder(&b)
			out.SetEscapeHTML(false)
			out.SetIndent("", "  ")
			if err := out.Encode(v); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

// What has been written can be read again, as a record of years must be.
func TestJSONIsRead(t *testing.T) {
	options := []cmp.Option{cmpopts.EquateComparable(netip.Addr{}, policy.Line{})}
	for _, e := range []*policy.Event{sum(), changed(), failed()} {
		var back policy.Event
		readBack(t, e, &back)
		if diff := cmp.Diff(*e, back, options...); diff != "" {
			t.Error(diff)
		}
	}
	var line policy.Line
	if err := json.Unmarshal([]byte(`{"code":550,"enhanced":"5.7.1","text":"No"}`), &line); err != nil || line.String() != "550 5.7.1 No" {
		t.Errorf("%q, %v", line, err)
	}
	x := transaction()
	x.Helo, x.Subject = "h", "s"
	var back policy.Transaction
	readBack(t, x, &back)
	if diff := cmp.Diff(*x, back, options...); diff != "" {
		t.Error(diff)
	}
	if err := json.Unmarshal([]byte(`{"action":"praised"}`), &policy.Event{}); err == nil {
		t.Error("an unknown action is read")
	}
}

func readBack(t *testing.T, v, to any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestLogLines(t *testing.T) {
	for name, formatter := range map[string]logrus.Formatter{"log.txt": logline.Text{Timeless: true}, "log.json": untimed{}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			log := logrus.New()
			log.SetOutput(&b)
			log.SetLevel(logrus.DebugLevel)
			log.SetFormatter(formatter)
			sink := &logSink{log: log}
			for _, e := range []*policy.Event{refusal(), sum(), sampled(), changed(), failed()} {
				sink.Event(e)
			}
			repeated := refusal()
			repeated.Repeated = true
			sink.Event(repeated) // no line
			sink.Transaction(transaction())
			sink.accepted.Store(true)
			sink.Transaction(transaction())
			golden(t, name, b.Bytes())
		})
	}
}

// untimed writes JSON at one time.
type untimed struct{ logline.JSON }

func (u untimed) Format(e *logrus.Entry) ([]byte, error) {
	e.Time = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return u.JSON.Format(e)
}

// A message that was accepted has a line of level info where that is wanted, and no other message.
func TestLogAccepted(t *testing.T) {
	accepted, refused := transaction(), transaction()
	refused.Fate = policy.Refused
	for _, c := range []struct {
		name   string
		wanted bool
		t      *policy.Transaction
		lines  int
	}{
		{"not wanted", false, accepted, 0},
		{"wanted", true, accepted, 1},
		{"wanted, and refused", true, refused, 0},
	} {
		var b bytes.Buffer
		log := logrus.New()
		log.SetOutput(&b)
		log.SetFormatter(logline.Text{Timeless: true})
		r := NewRecorder(Options{Log: log, Metrics: NewMetrics("test"), Clock: time.Now})
		r.LogAccepted(true)
		r.LogAccepted(c.wanted)
		r.log.Transaction(c.t)
		if got := strings.Count(b.String(), "level=info"); got != c.lines || strings.Count(b.String(), "\n") != c.lines {
			t.Errorf("%s: %q", c.name, b.String())
		}
	}
}
