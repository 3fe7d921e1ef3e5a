package crash

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// load is mail that keeps coming in: correspondents who try each message until it is taken, as an
// MTA does, and an untrusted client whose messages are deferred and never come again.
type load struct {
	t       *testing.T
	address string
	strict  bool          // no client may see that mailweir did not answer
	told    chan struct{} // gets one for each reply that mailweir has had a hand in, unless it is full
	stop    chan struct{}
	ending  sync.Once
	clients sync.WaitGroup

	mu       sync.Mutex
	codes    map[string]int
	faults   []string             // what no client may see
	accepted []string             // subjects of messages that were answered 250 at their end
	sights   map[string]time.Time // senders of the untrusted client, and when each was told that it is greylisted
}

const (
	correspondents = 3
	mostMessages   = 20_000 // a bound for each client; a run has a thousand
	// pace is how long a client waits before its next try: it leaves the processor to those who
	// start meanwhile.
	pace = 10 * time.Millisecond
)

func startLoad(t *testing.T, address string, strict bool) *load {
	t.Helper()
	l := &load{
		t: t, address: address, strict: strict, told: make(chan struct{}, 1000), stop: make(chan struct{}),
		codes: make(map[string]int), sights: make(map[string]time.Time),
	}
	for i := range correspondents {
		l.clients.Go(func() { l.correspondent(i + 1) })
	}
	l.clients.Go(l.stranger)
	t.Cleanup(l.end)
	return l
}

// end lets every client come to its end.
func (l *load) end() {
	l.ending.Do(func() { close(l.stop) })
	l.clients.Wait()
}

// wait waits for so many replies, and fails the test when none comes any more.
func (l *load) wait(replies int) {
	l.t.Helper()
	deadline := time.NewTimer(testbed.Patience)
	defer deadline.Stop()
	for range replies {
		deadline.Reset(testbed.Patience)
		select {
		case <-l.told:
		case <-deadline.C:
			l.t.Fatalf("mailweir answers, and no client gets anything done within %v; %s", testbed.Patience, l.summary())
		}
	}
}

// forget drops what was told and seen so far: it belongs to an earlier life.
func (l *load) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.sights)
	for {
		select {
		case <-l.told:
		default:
			return
		}
	}
}

func (l *load) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d messages accepted, replies %v", len(l.accepted), l.codes)
}

// correspondent sends message after message from a net of its own, each until it is taken.
func (l *load) correspondent(n int) {
	c := client{load: l, from: fmt.Sprintf("127.0.%d.1", n)}
	defer c.hangUp()
	for i := range mostMessages {
		subject := fmt.Sprintf("message %d of %d", i+1, n)
		// Greylisting takes numbers out of users, not out of domains.
		sender := fmt.Sprintf("alice@m%d-%d.example.net", n, i+1)
		for !c.message(sender, "bob@example.org", subject) {
			if !c.wait() {
				return
			}
		}
		l.mu.Lock()
		l.accepted = append(l.accepted, subject)
		l.mu.Unlock()
		if !c.wait() {
			return
		}
	}
}

// stranger begins messages that greylisting defers, and notes which.
func (l *load) stranger() {
	c := client{load: l, from: "127.0.99.1"}
	defer c.hangUp()
	for i := range mostMessages {
		sender := fmt.Sprintf("mallory@s%d.example.net", i+1)
		reply := c.envelope(sender, strangersRecipient)
		if ours(reply) {
			l.mu.Lock()
			l.sights[sender] = time.Now()
			l.mu.Unlock()
		}
		if !c.wait() {
			return
		}
	}
}

// ours tells whether mailweir is the one who says "not now".
func ours(r testbed.Reply) bool { return r.Code() == "451" && strings.Contains(r[0], "[mw-") }

// client is one that sends over one connection until something goes wrong with it.
type client struct {
	load *load
	from string
	conn *testbed.Client
}

// wait waits before the next try; false when the load is to end.
func (c *client) wait() bool {
	timer := time.NewTimer(pace)
	defer timer.Stop()
	select {
	case <-c.load.stop:
		return false
	case <-timer.C:
		return true
	}
}

// message reports whether the message was taken.
func (c *client) message(from, to, subject string) bool {
	if c.envelope(from, to).Code() != "250" || c.say("DATA").Code() != "354" {
		return false
	}
	return c.say("From: "+from, "To: "+to, "Subject: "+subject, "", "hello", ".").Code() == "250"
}

// envelope begins a message and returns the first reply that is not 250, or the last.
func (c *client) envelope(from, to string) testbed.Reply {
	if c.conn == nil {
		if !c.connect() {
			return nil
		}
	} else if c.say("RSET").Code() != "250" {
		return nil
	}
	if reply := c.say("MAIL FROM:<" + from + ">"); reply.Code() != "250" {
		return reply
	}
	return c.say("RCPT TO:<" + to + ">")
}

func (c *client) connect() bool {
	conn, err := testbed.Dial(c.load.address, c.from)
	if err != nil {
		c.load.fault("no connection: %v", err)
		return false
	}
	c.conn = conn
	return c.read("(connection)").Code() == "220" && c.say("EHLO client.example").Code() == "250"
}

// say sends lines and reads the reply to the last; nil when the connection is no more.
func (c *client) say(lines ...string) testbed.Reply {
	if c.conn == nil {
		return nil
	}
	for _, line := range lines {
		if err := c.conn.Send(line); err != nil {
			c.load.fault("%s: %v", line, err)
			c.hangUp()
			return nil
		}
	}
	return c.read(lines[len(lines)-1])
}

// read reads a reply and holds it against what a client may see at worst: a temporary answer.
func (c *client) read(command string) testbed.Reply {
	reply, err := c.conn.ReadReply()
	if err != nil {
		c.load.fault("%s: %v after %q", command, err, reply)
		c.hangUp()
		return nil
	}
	code := reply.Code()
	c.load.count(code)
	switch {
	case code == "421":
		if _, err := c.conn.ReadReply(); !errors.Is(err, io.EOF) {
			c.load.fault("%s: %q, and the connection stays", command, reply)
		}
		c.hangUp()
	case strings.HasPrefix(code, "2") || strings.HasPrefix(code, "3"):
		c.load.tell()
	case !strings.HasPrefix(code, "4"):
		c.load.fault("%s: %q", command, reply)
		c.hangUp()
	case ours(reply):
		c.load.tell()
	default:
		if c.load.strict {
			c.load.fault("%s: %q", command, reply)
		}
		// Postfix asks a milter that has failed once no more in that connection.
		c.hangUp()
	}
	return reply
}

func (c *client) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (l *load) tell() {
	select {
	case l.told <- struct{}{}:
	default:
	}
}

func (l *load) count(code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes[code]++
}

func (l *load) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// check fails the test for what clients have seen that they may not.
func (l *load) check() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fault := range l.faults[:min(len(l.faults), 10)] {
		l.t.Errorf("a client saw %s", fault)
	}
	if len(l.faults) > 0 {
		l.t.FailNow()
	}
}
