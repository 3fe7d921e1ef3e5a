// Package sendmail_test runs a real Sendmail with the lines of this directory.
package sendmail_test

import (
	"os"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

func TestInet(t *testing.T) {
	testbed.Require(t, "sendmail")
	milter, reinject := testbed.FreeAddress(t), testbed.FreeAddress(t)
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
	s := start(t, config{attach: socket, listen: socket, reinject: testbed.FreeAddress(t), extra: strict})
	hundred(t, s)
}

func hundred(t *testing.T, s *sendmail) {
	s.mta.Sink.Clear()
	c := s.mta.Talk(t, s.mta.MX)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.net>", "250")
	c.Recipients(1, 100, "250 2.1.5 ")
	c.Recipients(101, 300, "452 4.5.3 Too many recipients [mw-")
	c.Say("DATA", "354")
	c.Say("From: alice@example.net\r\nSubject: to many\r\n\r\nhello\r\n.", "250 2.0.0 ")
	c.Say("QUIT", "221")
	if n := len(s.mta.Arrived(t, 1)[0].To); n != 100 {
		t.Errorf("%d recipients have the message; want 100", n)
	}
}

// submission: this reply is given on that service only.
func submission(t *testing.T, s *sendmail) {
	c := s.mta.Talk(t, s.mta.Submission)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.org>", "550 5.7.0 <alice@example.org>... Submitter failed to authenticate [mw-")
}

func reinjection(t *testing.T, s *sendmail, address string) {
	s.mta.Sink.Clear()
	message := func(address, want string) {
		c := s.mta.Talk(t, address)
		c.Say("EHLO filter.example", "250")
		c.Say("MAIL FROM:<alice@example.net>", "250")
		c.Say("RCPT TO:<bob@example.org>", "250")
		c.Say("DATA", "354")
		c.Say("From: blocked@example.net\r\n\r\nhello\r\n.", want)
		c.Say("QUIT", "221")
	}
	message(s.mta.MX, "550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From [mw-")
	message(address, "250 2.0.0 ")
	s.mta.Arrived(t, 1)
}

// unanswered: Sendmail cannot or will not ask mailweir, so it greets, and puts MAIL off.
func unanswered(t *testing.T, s *sendmail) {
	c := s.mta.Talk(t, s.mta.MX)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.net>", "451 4.3.2 Please try again later")
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
