package events

import (
	"fmt"
	"net/netip"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"mailweir/internal/policy"
)

// bomb is a message of which these limits kept a part from being examined, with what became of it.
func bomb(from string, o policy.Outcome, limits ...policy.Unexamined) *policy.Transaction {
	t := &policy.Transaction{
		Sender: from, Client: netip.MustParseAddr("192.0.2.1"), Service: policy.MX, Fields: 1, Outcome: o, Unexamined: limits, RecipientCount: 2,
	}
	for _, to := range []string{"u@ours.example", "v@ours.example"} {
		t.Recipients = append(t.Recipients, policy.RecipientOutcome{Recipient: to, Direction: policy.Inbound.String(), Outcome: o})
	}
	return t
}

func (b *bench) limitsCounted(limit string) float64 {
	var counted dto.Metric
	if err := b.metrics.limits.WithLabelValues(limit).Write(&counted); err != nil {
		b.t.Fatal(err)
	}
	return counted.GetCounter().GetValue()
}

// A limit that was reached is in the log and in the metrics, once a message, whatever became of the
// message.
func TestUnexamined(t *testing.T) {
	b := newBench(t)
	limits := []policy.Unexamined{{Limit: "ratio", Where: `ratio in "a.zip/b"`}, {Limit: "ratio", Where: `ratio in "a.zip/c"`}, {Limit: "time", Where: "time"}}
	b.Settled(bomb("a@else.example", policy.Outcome{Fate: policy.Refused, Check: "content"}, limits...))
	var found int
	for _, line := range b.lines() {
		if line["msg"] != "unexamined" {
			continue
		}
		found++
		for name, want := range map[string]any{
			"check": "unexamined", "cause": `limits reached: ratio in "a.zip/b", ratio in "a.zip/c", time; the message was refused`,
			"sender": "<a@else.example>", "recipient": "<u@ours.example>,<v@ours.example>", "client": "192.0.2.1", "direction": "inbound",
			"code": nil, "level": "info",
		} {
			if line[name] != want {
				t.Errorf("%s is %v, want %v", name, line[name], want)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d lines, want 1", found)
	}
	for limit, want := range map[string]float64{"ratio": 1, "time": 1, "depth": 0} {
		if got := b.limitsCounted(limit); got != want {
			t.Errorf("%s is counted %v times, want %v", limit, got, want)
		}
	}
	b.Settled(bomb("a@else.example", policy.Outcome{}))
	if lines := b.messages("info"); len(lines) != 0 {
		t.Errorf("a message that was examined whole: %q", lines)
	}
}

// A flood of bombs is counted, and does not fill the log.
func TestUnexaminedFlood(t *testing.T) {
	b := newBench(t)
	for i := range 300 {
		b.Settled(bomb(fmt.Sprintf("%d@else.example", i), policy.Outcome{}, policy.Unexamined{Limit: "ratio", Where: fmt.Sprintf("ratio in %q", fmt.Sprint(i))}))
	}
	if got := len(b.messages("info")); got != domainLines+1 {
		t.Errorf("%d lines, want %d", got, domainLines+1)
	}
	if got := b.limitsCounted("ratio"); got != 300 {
		t.Errorf("%v counted, want 300", got)
	}
}
