package would_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/would"
)

var update = flag.Bool("update", false, "write the golden files")

// busy is a week of a small site.
func busy() *history {
	h := new(history)
	var soft policy.Line
	if err := json.Unmarshal([]byte(`{"code": 451, "enhanced": "4.7.1", "text": "Internal resource temporarily unavailable"}`), &soft); err != nil {
		panic(err)
	}
	for i := range 210 {
		h.add(mail{
			at: time.Duration(i)*47*time.Minute + time.Minute, from: fmt.Sprintf("x%c%c@spam.example", 'a'+i/26, 'a'+i%26), client: fmt.Sprintf("198.51.100.%d", i),
			would: "list", fate: policy.Refused, check: "virus",
		})
	}
	h.add(mail{at: -time.Hour, would: "list grey"})
	for i := range 12 {
		from := fmt.Sprintf("friend%c@good.example", 'a'+i)
		h.add(mail{at: time.Duration(i) * 9 * time.Hour, from: from, would: "grey", line: soft}, mail{at: time.Duration(i)*9*time.Hour + time.Hour, from: from})
	}
	h.add(
		mail{at: 3 * day, from: "bob@ours.example", to: "friendb@good.example", direction: "outbound", client: "127.0.0.1"},
		mail{at: 4 * day, from: "\x1b[31m<script>@evil.example", would: "grey", line: soft, permit: "does not count: nothing vouches for the sender"},
		mail{at: 5 * day, from: "<>", to: "bob@ours.example carol@ours.example", whole: "spam", action: policy.ActionWouldChange},
	)
	return h
}

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
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// What people read, and what programs do. Pages that come in pieces change nothing.
func TestReport(t *testing.T) {
	for _, r := range []record.Reader{busy().inMemory(), busy().kept(t), reader{Reader: busy().inMemory(), pieces: true}} {
		report := lookAt(t, r)
		var text bytes.Buffer
		if err := report.Write(&text); err != nil {
			t.Fatal(err)
		}
		golden(t, "report.txt", text.Bytes())
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "report.json", append(data, '\n'))
		if report.ExitCode() != 1 {
			t.Errorf("exit code %d", report.ExitCode())
		}
	}
}

func TestNothing(t *testing.T) {
	h := new(history)
	h.add(mail{at: time.Hour})
	report := look(t, h)
	var text strings.Builder
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	if want := "cannot tell yet: no check in monitor mode objected to anything in this time\n"; !strings.HasSuffix(text.String(), want) || report.ExitCode() != 2 {
		t.Errorf("%s, exit code %d", text.String(), report.ExitCode())
	}
}

// Only the checks that are asked about are read.
func TestOneCheck(t *testing.T) {
	h := new(history)
	h.add(mail{at: time.Hour, would: "grey other"})
	report := look(t, h, "other")
	if len(report.Checks) != 1 || report.Checks[0].Name != "other" || report.Checks[0].Total != 1 {
		t.Errorf("%+v", report.Checks)
	}
}

// Of a sum the example is the message that is good, with the id that it shares.
func TestExampleOfSum(t *testing.T) {
	h := new(history)
	h.add(
		mail{at: day, from: "spam@else.example", would: "grey", folded: true},
		mail{at: day + time.Minute, from: "friend@else.example", to: "carol@ours.example dora@ours.example", whole: "grey", folded: true},
		mail{at: 2 * day, from: "bob@ours.example", to: "friend@else.example", direction: "outbound"},
	)
	h.sum("grey", policy.AlikeDomain, day, day+time.Hour, 2, "spam@else.example", "192.0.2.1")
	id := h.entries[len(h.entries)-1].Event.ID
	examples := of(t, look(t, h), "grey").Examples
	if len(examples) != 1 || examples[0].ID != id || examples[0].Sender != "friend@else.example" || examples[0].Recipient != "carol@ours.example" || !examples[0].Time.Equal(start.Add(day+time.Minute)) {
		t.Errorf("%+v", examples)
	}
}

// The strongest reasons come first, then the newest; each sender once, and ten at most.
func TestExamples(t *testing.T) {
	h := new(history)
	for i := range 15 {
		from := fmt.Sprintf("friend%c@good.example", 'a'+i)
		h.add(mail{at: time.Duration(i) * time.Hour, from: from, would: "grey"}, mail{at: day, from: from})
	}
	h.add(mail{at: 30 * time.Minute, from: "a@good.example", would: "grey", permit: "does not count"})
	h.add(mail{at: 2 * day, from: "friendo@good.example", would: "grey"}, mail{at: 3 * day, from: "friendo@good.example"})
	c := of(t, look(t, h), "grey")
	var got []string
	for _, x := range c.Examples {
		got = append(got, strings.TrimSuffix(x.Sender, "@good.example")+" "+x.Time.Sub(start).String())
	}
	want := "a 30m0s, friendo 48h0m0s, friendn 13h0m0s, friendm 12h0m0s, friendl 11h0m0s, friendk 10h0m0s, friendj 9h0m0s, friendi 8h0m0s, friendh 7h0m0s, friendg 6h0m0s"
	if strings.Join(got, ", ") != want || c.Good.N != 17 {
		t.Errorf("of %d: %s", c.Good.N, strings.Join(got, ", "))
	}
}

// The span that a check is known to have been looking ends where the record does.
func TestRecordEnds(t *testing.T) {
	h := new(history)
	h.add(mail{at: 0, would: "grey"}, mail{at: 5 * day})
	c := of(t, look(t, h), "grey")
	if !c.Begun.Equal(start) || !c.Ended.Equal(start.Add(5*day+time.Second)) {
		t.Errorf("%s to %s", c.Begun, c.Ended)
	}
	h = new(history)
	h.add(mail{at: 0, would: "grey"}, mail{at: 6*day + time.Second})
	if c := of(t, look(t, h), "grey"); !c.Ended.Equal(now) {
		t.Errorf("to %s", c.Ended)
	}
}

// Decisions before MAIL have no message, and no mail is known of them.
func TestBeforeMail(t *testing.T) {
	h := new(history)
	h.entries = append(h.entries, record.Entry{Event: &policy.Event{ID: "mw-1", Time: start, Check: "load", Mode: policy.Monitor, Action: policy.ActionWould, Session: "s"}})
	h.add(mail{at: time.Hour})
	if got := tallies(of(t, look(t, h), "load")); got != untold {
		t.Error(got)
	}
}

func TestFails(t *testing.T) {
	store := busy().inMemory()
	for n := range 8 {
		if _, err := would.Look(t.Context(), &failing{Reader: store, after: n}, would.Options{Since: start, Until: now}); err == nil {
			t.Errorf("the %d. question failed, and nothing is said", n+1)
		}
	}
}
