package imported

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mailweir/test/testbed"
)

// outcome is what became of a recipient: "accepted", "refused", "deferred", "held", "discarded";
// and the reply that said so.
type outcome struct{ fate, reply string }

// stopped says that the recipient has not got the message.
func (o outcome) stopped() bool { return o.fate == "refused" || o.fate == "deferred" }

// side is a Postfix with or without mailweir.
type side struct {
	*testbed.Host
	postscreen bool   // stands before its smtpd at port 25, and takes the client's address from a proxy's line
	last       string // a recipient who is there
}

// parallel is how many clients a side has at once. Those of a postscreen mostly wait.
const parallel = 30

// all has every dialog spoken, and returns what became of each recipient.
func (s *side) all(t *testing.T, dialogs []*dialog) [][]outcome {
	t.Helper()
	outcomes := make([][]outcome, len(dialogs))
	queued := make([]string, len(dialogs))
	next := make(chan int)
	var speaking sync.WaitGroup
	for range parallel {
		speaking.Go(func() {
			for i := range next {
				var err error
				if outcomes[i], queued[i], err = s.speak(dialogs[i]); err != nil {
					t.Errorf("dialog %s: %v", dialogs[i], err)
				}
			}
		})
	}
	for i := range dialogs {
		next <- i
	}
	close(next)
	speaking.Wait()
	s.settle(t, outcomes, queued)
	return outcomes
}

// conversation is a dialog that is being spoken.
type conversation struct {
	*testbed.Client
	d        *dialog
	outcomes []outcome
}

// speak returns what became of the recipients and the id under which Postfix has queued the
// message.
func (s *side) speak(d *dialog) (outcomes []outcome, id string, err error) {
	port := "25"
	if d.login != "" {
		port = "587"
	}
	c := conversation{d: d, outcomes: make([]outcome, len(d.recipients))}
	if c.Client, err = testbed.Dial(net.JoinHostPort(s.Address, port), ""); err != nil {
		return nil, "", err
	}
	defer c.Close()
	address, name, _ := strings.Cut(d.client, " ")
	if s.postscreen && d.login == "" {
		if err := c.Send(proxied(address)); err != nil {
			return nil, "", err
		}
	}
	if ended, err := c.begin(address, name); ended || err != nil {
		return c.outcomes, "", err
	}
	id, err = c.transfer()
	return c.outcomes, id, err
}

// proxied is the line by which a proxy says who its client is (HAProxy's PROXY protocol, version
// 1).
func proxied(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() {
		return "PROXY TCP6 " + address + " ::1 40000 25"
	}
	return "PROXY TCP4 " + address + " 127.0.0.1 40000 25"
}

// say gives a command and reports whether the answer ends the dialog for all recipients.
func (c *conversation) say(command, want string) (ended bool, err error) {
	reply, err := c.Ask(command)
	if err != nil {
		return true, fmt.Errorf("%q: %w", command, err)
	}
	if reply.Code() == want {
		return false, nil
	}
	c.all(reply)
	return true, nil
}

// all is the outcome of all recipients that have none yet.
func (c *conversation) all(reply testbed.Reply) {
	for i := range c.outcomes {
		if c.outcomes[i].fate == "" {
			c.outcomes[i] = answered(reply)
		}
	}
}

func answered(reply testbed.Reply) outcome {
	fate := "accepted"
	switch reply.Code()[0] {
	case '4':
		fate = "deferred"
	case '5':
		fate = "refused"
	}
	return outcome{fate, strings.Join(reply, " ")}
}

// begin plays the client. Postscreen's own SMTP server, which refuses a listed client, knows no
// XCLIENT.
func (c *conversation) begin(address, name string) (ended bool, err error) {
	if ended, err := c.greeting(); ended || err != nil {
		return ended, err
	}
	reply, err := c.Ask("EHLO " + c.d.helo)
	if err != nil {
		return true, err
	}
	if !strings.Contains(strings.Join(reply, "\n"), "XCLIENT") {
		return false, nil
	}
	if name == "" {
		name = "[UNAVAILABLE]"
	}
	if strings.Contains(address, ":") {
		address = "IPV6:" + address
	}
	if ended, err := c.say("XCLIENT ADDR="+address+" NAME="+name, "220"); ended || err != nil {
		return ended, err
	}
	if ended, err := c.say("EHLO "+c.d.helo, "250"); ended || err != nil || c.d.login == "" {
		return ended, err
	}
	return c.say("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+c.d.login+"\x00secret")), "235")
}

// greeting reads what the server says first: postscreen says a line that promises more, waits, and
// may then refuse.
func (c *conversation) greeting() (ended bool, err error) {
	reply, err := c.ReadReply()
	if err != nil {
		return true, err
	}
	if last := reply[len(reply)-1:]; last.Code() != "220" {
		c.all(last)
		return true, nil
	}
	return false, nil
}

func (c *conversation) transfer() (id string, err error) {
	if ended, err := c.say("MAIL FROM:<"+c.d.sender+">", "250"); ended || err != nil {
		return "", err
	}
	accepted := 0
	for i, r := range c.d.recipients {
		reply, err := c.Ask("RCPT TO:<" + r.text + ">")
		if err != nil {
			return "", err
		}
		if reply.Code() == "421" {
			c.all(reply)
			return "", nil
		}
		if reply.Code() == "250" {
			accepted++
			continue
		}
		c.outcomes[i] = answered(reply)
	}
	if accepted == 0 {
		return "", nil
	}
	if ended, err := c.say("DATA", "354"); ended || err != nil {
		return "", err
	}
	for _, line := range c.d.message() {
		if err := c.Send(line); err != nil {
			return "", err
		}
	}
	reply, err := c.Ask(".")
	if err != nil {
		return "", err
	}
	c.all(reply)
	if m := queuedAs.FindStringSubmatch(strings.Join(reply, " ")); m != nil {
		id = m[1]
	}
	return id, nil
}

var queuedAs = regexp.MustCompile(`queued as ([0-9A-F]+)$`)

// settle finds out what became of messages that were accepted: Postfix says the same of those that
// it throws away or holds.
func (s *side) settle(t *testing.T, outcomes [][]outcome, queued []string) {
	t.Helper()
	if err := testbed.Until(s.empty); err != nil {
		t.Fatalf("%v\n%s", err, s.LogText())
	}
	// The queue manager logs what has left the queue in its order: once that of the last message
	// stands there, all do.
	last := &dialog{client: "127.0.0.1 localhost", helo: "localhost.localdomain", recipients: []value{{text: s.last}}, subject: "last"}
	end, id, err := s.speak(last)
	if err != nil || id == "" {
		t.Fatalf("the last message: %v, %v\n%s", end, err, s.LogText())
	}
	removed := func(id string) bool { return strings.Contains(s.LogText(), id+": removed") }
	if err := testbed.Until(func() error {
		if !removed(id) {
			return fmt.Errorf("%s is not removed", id)
		}
		return nil
	}); err != nil {
		t.Fatalf("%v\n%s", err, s.LogText())
	}
	log := s.LogText()
	for i, id := range queued {
		fate := "discarded"
		if _, err := os.Stat(s.Queue("hold/" + id)); id != "" && err == nil {
			fate = "held"
		}
		if id == "" || strings.Contains(log, id+": removed") {
			continue
		}
		for j := range outcomes[i] {
			if outcomes[i][j].fate == "accepted" {
				outcomes[i][j].fate = fate
			}
		}
	}
}

// empty reports which message is still to be delivered.
func (s *side) empty() error {
	for _, name := range []string{"incoming", "active", "deferred"} {
		var found string
		err := filepath.Walk(s.Queue(name), func(path string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() {
				found = path
			}
			return nil // it may have gone meanwhile
		})
		if err != nil {
			return err
		}
		if found != "" {
			return fmt.Errorf("%s is still in the queue", found)
		}
	}
	return nil
}
