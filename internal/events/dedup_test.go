package events

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"mailweir/internal/policy"
)

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

// A client whose sender domains are ever others is told of by itself, with the first of its
// senders; others at the same time stand alone.
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
