package postfix_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// client is an SMTP client that ends the test at the first reply that differs.
type client struct {
	log func() string
	*testbed.Client
	t *testing.T
}

func (p *postfix) dial(t *testing.T, address string) client {
	t.Helper()
	c, err := testbed.Dial(address, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.ReadReply(); err != nil {
		t.Fatalf("greeting: %v\n%s", err, p.mta.LogText())
	}
	return client{p.mta.LogText, c, t}
}

// say sends a command; the reply must begin with want.
func (c client) say(command, want string) {
	c.t.Helper()
	if err := c.Send(command); err != nil {
		c.t.Fatal(err)
	}
	reply, err := c.ReadReply()
	if err != nil {
		c.t.Fatalf("%q: %v", command, err)
	}
	if got := strings.Join(reply, "\n"); !strings.HasPrefix(got, want) {
		c.t.Fatalf("%q is answered %q; want %q\n%s", command, got, want, c.log())
	}
}

// recipients names the recipients from first to last.
func (c client) recipients(first, last int, want string) {
	c.t.Helper()
	for i := first; i <= last; i++ {
		c.say(fmt.Sprintf("RCPT TO:<u%d@example.org>", i), want)
	}
}

func (p *postfix) arrived(t *testing.T, n int) []testbed.Message {
	t.Helper()
	arrived, err := p.mta.Sink.Wait(func(m []testbed.Message) bool { return len(m) >= n })
	if err != nil {
		t.Fatal(err)
	}
	if len(arrived) != n {
		t.Fatalf("%d messages arrived; want %d", len(arrived), n)
	}
	return arrived
}

// logged waits for a line of mailweir's log.
func (p *postfix) logged(t *testing.T, part string) {
	t.Helper()
	if _, ok := p.mailweir.Log.Wait(0, func(line string) bool { return strings.Contains(line, part) }); !ok {
		t.Errorf("the log has no line with %s:\n%s", part, p.mailweir.Log)
	}
}

func awaitGreeting(t *testing.T, mta *testbed.MTA, address string) {
	t.Helper()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	deadline := time.NewTimer(testbed.Patience)
	defer deadline.Stop()
	for {
		err := greeted(address)
		if err == nil {
			return
		}
		select {
		case <-pace.C:
		case <-deadline.C:
			t.Fatalf("postfix at %s: %v\n%s", address, err, mta.LogText())
		}
	}
}

func greeted(address string) error {
	c, err := testbed.Dial(address, "")
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.ReadReply()
	return err
}

// freeAddress is an address of loopback with a port that nobody has just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
