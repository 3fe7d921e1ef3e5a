// Package sendmail_test runs a real Sendmail with the lines of this directory.
package sendmail_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

func TestInet(t *testing.T) {
	testbed.Require(t, "sendmail")
	milter, reinject := freeAddress(t), freeAddress(t)
	s := start(t, config{attach: "inet:" + testbed.Port(milter) + "@127.0.0.1", listen: "inet:" + milter, reinject: reinject})
	t.Run("a hundred of three hundred recipients", func(t *testing.T) { hundred(t, s) })
	t.Run("submission is known", func(t *testing.T) { submission(t, s) })
	t.Run("re-injected mail is not judged again", func(t *testing.T) { reinjection(t, s, reinject) })
	t.Run("mail waits while mailweir is down", func(t *testing.T) {
		if err := s.mailweir.Stop(); err != nil {
			t.Fatal(err)
		}
		unanswered(t, s)
	})
}

// strict takes back the leniencies with which the testbed works below /tmp.
const strict = "define(`confDONT_BLAME_SENDMAIL', `safe')dnl\n"

// TestUnix has the socket in a directory like /run/mailweir. Below /tmp Sendmail
// would not start: "local socket name unsafe: World writable directory".
func TestUnix(t *testing.T) {
	testbed.Require(t, "sendmail")
	t.Setenv("TMPDIR", "/run")
	socket := "unix:" + socketDirectory(t) + "/mailweir.sock"
	s := start(t, config{attach: socket, listen: socket, reinject: freeAddress(t), extra: strict})
	hundred(t, s)
}

func hundred(t *testing.T, s *sendmail) {
	s.mta.Sink.Clear()
	c := s.dial(t, s.mta.MX)
	c.say("EHLO client.example", "250")
	c.say("MAIL FROM:<alice@example.net>", "250")
	c.recipients(1, 100, "250 2.1.5 ")
	c.recipients(101, 300, "452 4.5.3 Too many recipients [mw-")
	c.say("DATA", "354")
	c.say("From: alice@example.net\r\nSubject: to many\r\n\r\nhello\r\n.", "250 2.0.0 ")
	c.say("QUIT", "221")
	if n := len(s.arrived(t)[0].To); n != 100 {
		t.Errorf("%d recipients have the message; want 100", n)
	}
}

// submission: this reply is given on that service only.
func submission(t *testing.T, s *sendmail) {
	c := s.dial(t, s.mta.Submission)
	c.say("EHLO client.example", "250")
	c.say("MAIL FROM:<alice@example.org>", "550 5.7.0 <alice@example.org>... Submitter failed to authenticate [mw-")
}

func reinjection(t *testing.T, s *sendmail, address string) {
	s.mta.Sink.Clear()
	message := func(address, want string) {
		c := s.dial(t, address)
		c.say("EHLO filter.example", "250")
		c.say("MAIL FROM:<alice@example.net>", "250")
		c.say("RCPT TO:<bob@example.org>", "250")
		c.say("DATA", "354")
		c.say("From: blocked@example.net\r\n\r\nhello\r\n.", want)
		c.say("QUIT", "221")
	}
	message(s.mta.MX, "550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From [mw-")
	message(address, "250 2.0.0 ")
	s.arrived(t)
}

// unanswered: Sendmail cannot or will not ask mailweir, so it greets, and puts MAIL off.
func unanswered(t *testing.T, s *sendmail) {
	c := s.dial(t, s.mta.MX)
	c.say("EHLO client.example", "250")
	c.say("MAIL FROM:<alice@example.net>", "451 4.3.2 Please try again later")
}

// sendmail is a private Sendmail with the lines of this directory, and a mailweir.
type sendmail struct {
	mta      *testbed.MTA
	mailweir *testbed.Mailweir
}

// config is what takes the place of addresses in the lines.
type config struct {
	attach, listen string // mailweir's address as Sendmail and as mailweir spell it
	reinject       string // address of the daemon without a filter
	extra          string // further lines
}

// start starts both.
func start(t *testing.T, c config) *sendmail {
	t.Helper()
	data, err := os.ReadFile("mailweir.mc")
	if err != nil {
		t.Fatal(err)
	}
	lines := string(data)
	for _, r := range [][2]string{{"`S=inet:8424@127.0.0.1,", "`S=" + c.attach + ","}, {"Port=10026,", "Port=" + testbed.Port(c.reinject) + ","}} {
		if !strings.Contains(lines, r[0]) {
			t.Fatalf("mailweir.mc has no %q", r[0])
		}
		lines = strings.Replace(lines, r[0], r[1], 1)
	}
	mta := testbed.StartSendmail(t, testbed.MTAConfig{NoMilter: true, Extra: lines + c.extra})
	mailweir := testbed.StartMailweir(t, testbed.MailweirConfig{
		Binary: testbed.BuildMailweir(t),
		Socket: mta.Milter,
		Flags: []string{
			"--listen=unix:" + mta.Milter, // where the harness asks whether it is there
			"--listen=" + c.listen,
			mta.Services(),
			"--trusted-nets=127.0.0.2",
			"--header-from-list=inline:{blocked@example.net=REJECT}",
		},
	})
	return &sendmail{mta, mailweir}
}

func socketDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "mw")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// client is an SMTP client that ends the test at the first reply that differs.
type client struct {
	*testbed.Client
	t *testing.T
	s *sendmail
}

func (s *sendmail) dial(t *testing.T, address string) client {
	t.Helper()
	c, err := testbed.Dial(address, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.ReadReply(); err != nil {
		t.Fatalf("greeting: %v\n%s", err, s.mta.LogText())
	}
	return client{c, t, s}
}

// say sends a command; the reply must begin with want. (Sendmail inserts
// the address into 450, 550 and 553 to MAIL and RCPT; none is expected here.)
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
		c.t.Fatalf("%q is answered %q; want %q\n%s", command, got, want, c.s.mta.LogText())
	}
}

// recipients names the recipients from first to last. No one is named twice: a
// repeated recipient is not one more.
func (c client) recipients(first, last int, want string) {
	c.t.Helper()
	for i := first; i <= last; i++ {
		c.say(fmt.Sprintf("RCPT TO:<u%d@example.org>", i), want)
	}
}

// arrived waits for the one message that is to arrive.
func (s *sendmail) arrived(t *testing.T) []testbed.Message {
	t.Helper()
	arrived, err := s.mta.Sink.Wait(func(m []testbed.Message) bool { return len(m) > 0 })
	if err != nil {
		t.Fatalf("%v\n%s", err, s.mta.LogText())
	}
	if len(arrived) != 1 {
		t.Fatalf("%d messages arrived; want 1", len(arrived))
	}
	return arrived
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
