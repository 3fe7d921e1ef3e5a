package events

import (
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// transaction tells the recorder of one.
func (b *bench) transaction(service policy.Service, recipients int, fields int, o policy.Outcome) {
	t := &policy.Transaction{
		Sender: "a@else.example", Client: netip.MustParseAddr("192.0.2.1"), Service: service, Fields: fields, Outcome: o, RecipientCount: recipients,
	}
	for range recipients {
		t.Recipients = append(t.Recipients, policy.RecipientOutcome{Recipient: "u@ours.example", Outcome: o})
	}
	b.Settled(t)
}

func (b *bench) messages(level string) (lines []string) {
	for _, line := range b.lines() {
		if line["level"] == level {
			lines = append(lines, line["msg"].(string))
		}
	}
	return lines
}

func TestIncomplete(t *testing.T) {
	abandoned := policy.Outcome{Fate: policy.Abandoned}
	for _, c := range []struct {
		name               string
		recipients, fields int
		outcome            policy.Outcome
		want               int
	}{
		{"recipients and no header", 2, 0, abandoned, 1},
		{"lost", 1, 0, policy.Outcome{Fate: policy.Lost}, 1},
		{"a body without a header", 1, 0, policy.Outcome{Fate: policy.Accepted}, 1},
		{"no recipient", 0, 0, abandoned, 0},
		{"a header", 1, 1, abandoned, 0},
		{"a message", 1, 3, policy.Outcome{Fate: policy.Accepted}, 0},
		{"refused by a check", 1, 0, policy.Outcome{Fate: policy.Refused, Check: "size"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.transaction(policy.MX, c.recipients, c.fields, c.outcome)
			if got := b.messages("info"); len(got) != c.want || c.want == 1 && got[0] != "incomplete" {
				t.Errorf("logged %q, want %d", got, c.want)
			}
		})
	}
}

// That most of a service's transactions are incomplete is said once, and nothing is said of one
// that is not so.
func TestMostIncomplete(t *testing.T) {
	b := newBench(t)
	abandoned := policy.Outcome{Fate: policy.Abandoned}
	for i := range 4 * missingOutOf {
		b.transaction(policy.MX, 1, 0, abandoned)
		b.transaction(policy.Submission, 1, i%2, abandoned) // half of them
	}
	warnings := b.messages("warning")
	if len(warnings) != 1 || !strings.Contains(warnings[0], "smtpd_proxy_filter") {
		t.Errorf("%q", warnings)
	}
}
