package events

import (
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/logline"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// BenchmarkLogLine writes the line of a usual refusal.
func BenchmarkLogLine(b *testing.B) {
	e := &policy.Event{
		ID: "mw-ABCDEFGH", Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Check: "sender-block", Stage: policy.StageMail, Action: policy.ActionRefused,
		Reply: "sender-block", Cause: `"bad.example" matches /etc/mailweir/senders:3`, Session: "SESSION1", Client: netip.MustParseAddr("192.0.2.1"),
		ClientName: "client.example", Helo: "client.example", Service: policy.MX, Sender: "a@bad.example", HasSender: true, Recipients: []string{"a@ours.example"},
		Count: 1, Direction: "inbound", QueueID: "4AbC", Trace: []trace.Query{{Question: "A 1.2.0.192.bl.example", Answer: "127.0.0.2"}},
	}
	for name, formatter := range map[string]logrus.Formatter{
		"text": logline.Text{}, "json": logline.JSON{},
	} {
		b.Run(name, func(b *testing.B) {
			log := logrus.New()
			log.SetOutput(io.Discard)
			log.SetFormatter(formatter)
			sink := &logSink{log: log}
			b.ReportAllocs()
			for b.Loop() {
				sink.Event(e)
			}
		})
	}
}
