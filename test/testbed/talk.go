package testbed

import (
	"fmt"
	"strings"
)

// Talk is an SMTP client that ends the test at the first reply that is not the expected one.
type Talk struct {
	*Client
	tb  TB
	mta *MTA
}

// Talk connects to an address of the MTA and reads its greeting.
func (m *MTA) Talk(tb TB, address string) *Talk {
	tb.Helper()
	c, err := Dial(address, "")
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	if reply, err := c.ReadReply(); err != nil || reply.Code() != "220" {
		tb.Fatalf("greeting of %s: %q, %v\n%s", m.Name, reply, err, m.LogText())
	}
	return &Talk{c, tb, m}
}

// Say sends a command, or a whole message with its final dot. The reply must begin with want.
func (t *Talk) Say(command, want string) {
	t.tb.Helper()
	if got := t.answer(command); !strings.HasPrefix(got, want) {
		t.tb.Fatalf("%q is answered %q; want %q\n%s", command, got, want, t.mta.LogText())
	}
}

// Exactly is Say for a reply that is given to the letter.
func (t *Talk) Exactly(command, want string) {
	t.tb.Helper()
	if got := t.answer(command); got != want {
		t.tb.Fatalf("%q is answered %q; want %q and no more\n%s", command, got, want, t.mta.LogText())
	}
}

func (t *Talk) answer(command string) string {
	t.tb.Helper()
	reply, err := t.Ask(command)
	if err != nil {
		t.tb.Fatalf("%q: %v\n%s", command, err, t.mta.LogText())
	}
	return strings.Join(reply, "\n")
}

// Recipients names u1@example.org and so on, from first to last. No one is named twice: to Sendmail
// a repeated recipient is not one more.
func (t *Talk) Recipients(first, last int, want string) {
	t.tb.Helper()
	for i := first; i <= last; i++ {
		t.Say(fmt.Sprintf("RCPT TO:<u%d@example.org>", i), want)
	}
}

// Arrived waits for the messages that are to arrive at the sink, and no more, and returns them.
func (m *MTA) Arrived(tb TB, count int) []Message {
	tb.Helper()
	arrived, err := m.Sink.Wait(func(list []Message) bool { return len(list) >= count })
	if err != nil {
		tb.Fatalf("%v\n%s", err, m.LogText())
	}
	if len(arrived) != count {
		tb.Fatalf("%d messages arrived; want %d", len(arrived), count)
	}
	return arrived
}
