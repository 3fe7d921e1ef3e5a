package events

import (
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"mailweir/internal/policy"
)

// kept is a sink that keeps events.
type kept struct{ list []*policy.Event }

func (k *kept) Event(e *policy.Event)         { k.list = append(k.list, e) }
func (*kept) Transaction(*policy.Transaction) {}

// What is recorded of a message that is over is about the recipients who remained, the first of
// them and how many there were.
func TestSettledRecipients(t *testing.T) {
	accepted, refused := policy.Outcome{Fate: policy.Accepted}, policy.Outcome{Fate: policy.Refused, Event: "mw-1"}
	for _, tt := range []struct {
		name              string
		remaining, others int // that the transaction names
		beyond            int // that it only counts
		want              int
	}{
		{"one", 1, 0, 0, 1},
		{"nobody", 0, 0, 0, 0},
		{"some were refused", 2, 3, 0, 2},
		{"more than are named", 4, 3, 10, 14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, seen := newBench(t), &kept{}
			b.Recorder = NewRecorder(Options{Log: b.Log, Metrics: b.metrics, Clock: b.Clock, Sinks: []Sink{seen}})
			x := &policy.Transaction{
				Fields: 1, Outcome: accepted, RecipientCount: tt.others + tt.remaining + tt.beyond,
				Unexamined: []policy.Unexamined{{Limit: "ratio", Where: "ratio"}},
			}
			for range tt.others {
				x.Recipients = append(x.Recipients, policy.RecipientOutcome{Recipient: "no@ours.example", Outcome: refused})
			}
			for range tt.remaining {
				x.Recipients = append(x.Recipients, policy.RecipientOutcome{Recipient: "yes@ours.example", Direction: "inbound", Outcome: accepted})
			}
			b.Settled(x)
			if len(seen.list) != 1 {
				t.Fatalf("%d events", len(seen.list))
			}
			e := seen.list[0]
			if e.Count != tt.want || !slices.Equal(e.Recipients, slices.Repeat([]string{"yes@ours.example"}, tt.remaining)) || (e.Direction != "") != (tt.remaining > 0) {
				t.Errorf("%d recipients %q, direction %q, want %d", e.Count, e.Recipients, e.Direction, tt.want)
			}
		})
	}
}

// Check errors are counted apart from decisions, and only they are.
func TestCheckErrorsAreCounted(t *testing.T) {
	b := newBench(t)
	b.refuse("192.0.2.1", "a@bad.example")
	b.Record(&policy.Event{Check: "sender-block", Action: policy.ActionError, Err: "unavailable"})
	var m dto.Metric
	if err := b.metrics.failures.WithLabelValues("sender-block").Write(&m); err != nil {
		t.Fatal(err)
	}
	if got := m.GetCounter().GetValue(); got != 1 {
		t.Errorf("%v check errors counted, want 1", got)
	}
}

// A text is cut where it is longer than a field may be, at a whole character, and the cut shows.
func TestCut(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"abcd", "abcd"},
		{"abcde", "abcd…"},
		{"abcéf", "abc…"},
		{"abéf", "abé…"},
	} {
		if got := cut(tt.text, 4); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.text, got, tt.want)
		}
	}
}
