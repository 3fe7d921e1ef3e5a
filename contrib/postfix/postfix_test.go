// Package postfix_test runs a real Postfix with the lines of this directory.
package postfix_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mailweir/test/testbed"
)

// TestInet uses the lines as they stand, but for ports.
func TestInet(t *testing.T) {
	testbed.Require(t, "postfix")
	address := testbed.FreeAddress(t)
	p := start(t, "inet:"+address, "inet:"+address)
	t.Run("a hundred of three hundred recipients", func(t *testing.T) { hundred(t, p) })
	t.Run("stock error limits lose all of them", func(t *testing.T) { none(t, p) })
	t.Run("submission is known", func(t *testing.T) { submission(t, p) })
	t.Run("re-injected mail is not judged again", func(t *testing.T) { reinjection(t, p) })
	t.Run("mail waits while mailweir is down", func(t *testing.T) { down(t, p) })
}

// TestUnix uses the path that the comment about the chroot recommends.
func TestUnix(t *testing.T) {
	testbed.Require(t, "postfix")
	p := start(t, "unix:mailweir/mailweir.sock", "unix:QUEUE/mailweir/mailweir.sock")
	t.Run("a hundred of three hundred recipients", func(t *testing.T) { hundred(t, p) })
}

func hundred(t *testing.T, p *postfix) {
	p.mta.Sink.Clear()
	c := p.mta.Talk(t, p.mx)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.net>", "250")
	c.Recipients(1, 100, "250 2.1.5 Ok")
	c.Recipients(101, 300, "452 4.5.3 Too many recipients [mw-")
	c.Say("DATA", "354")
	c.Say("From: alice@example.net\r\nSubject: to many\r\n\r\nhello\r\n.", "250 2.0.0 Ok: queued as")
	arrived := p.mta.Arrived(t, 1)
	if n := len(arrived[0].To); n != 100 {
		t.Errorf("%d recipients have the message; want 100", n)
	}
}

// none shows why master.cf raises the limits: the testbed's own service has them low.
func none(t *testing.T, p *postfix) {
	c := p.mta.Talk(t, p.mta.MX)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.net>", "250")
	c.Recipients(1, 100, "250 2.1.5 Ok")
	c.Recipients(101, 119, "452 4.5.3 Too many recipients [mw-")
	c.Say("RCPT TO:<last@example.org>", "452 4.5.3 Too many recipients [mw-")
	c.Say("RCPT TO:<onemore@example.org>", "421 4.7.0 mx.test.example Error: too many errors")
}

// submission shows that mailweir is told of the service and of the login: from
// a submitter it takes more than a hundred recipients.
func submission(t *testing.T, p *postfix) {
	c := p.mta.Talk(t, p.submission)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.net>", "530 5.7.0 Must issue a STARTTLS command first")
	c.Say("STARTTLS", "220")
	if err := c.StartTLS(nil); err != nil {
		t.Fatal(err)
	}
	c.Say("EHLO client.example", "250")
	c.Say("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "235")
	c.Say("MAIL FROM:<alice@example.org>", "250")
	c.Recipients(1, 101, "250 2.1.5 Ok")
	c.Say("DATA", "354")
	c.Say("From: blocked@example.net\r\n\r\nhello\r\n.", "550 5.7.1 Rejected by header based Blocked Senders")
	p.logged(t, `"login":"alice"`)
	p.logged(t, `"service":"submission"`)
}

func reinjection(t *testing.T, p *postfix) {
	p.mta.Sink.Clear()
	message := func(address, want string) {
		c := p.mta.Talk(t, address)
		c.Say("EHLO filter.example", "250")
		c.Say("MAIL FROM:<alice@example.net>", "250")
		c.Say("RCPT TO:<bob@example.org>", "250")
		c.Say("DATA", "354")
		c.Say("From: blocked@example.net\r\n\r\nhello\r\n.", want)
	}
	message(p.mx, "550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From [mw-")
	message(p.reinject, "250 2.0.0 Ok: queued as")
	p.mta.Arrived(t, 1)
}

func down(t *testing.T, p *postfix) {
	if err := p.mailweir.Stop(); err != nil {
		t.Fatal(err)
	}
	c := p.mta.Talk(t, p.mx)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<alice@example.net>", "451 4.7.1")
}

// postfix is a private Postfix with the lines of this directory, and a mailweir.
type postfix struct {
	mta                      *testbed.MTA
	mailweir                 *testbed.Mailweir
	mx, submission, reinject string // addresses of the services of master.cf
}

// start starts both. Postfix knows mailweir by the address attach; mailweir
// listens at listen, where QUEUE stands for the queue directory.
func start(t *testing.T, attach, listen string) *postfix {
	t.Helper()
	p := &postfix{mx: testbed.FreeAddress(t), submission: testbed.FreeAddress(t), reinject: testbed.FreeAddress(t)}
	p.mta = testbed.StartPostfix(t, testbed.MTAConfig{
		NoMilter:   true,
		ErrorLimit: 20, // Postfix's default
		Extra: replace(t, "main.cf", "{ inet:127.0.0.1:8424", "{ "+attach) +
			"smtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n",
	})
	dir := filepath.Dir(filepath.Dir(p.mta.Milter))
	testbed.StartDovecot(t, filepath.Join(dir, "queue/private/auth"))
	socketDirectory(t, filepath.Join(dir, "queue/mailweir"))
	p.mailweir = testbed.StartMailweir(t, testbed.MailweirConfig{
		Binary: testbed.BuildMailweir(t),
		Flags: []string{
			// The harness talks to its own socket, Postfix to the other.
			"--listen=unix:" + p.mta.Milter,
			"--listen=" + strings.Replace(listen, "QUEUE", filepath.Join(dir, "queue"), 1),
			"--services=" + testbed.Port(p.mx) + "=mx,ORIGINATING=submission",
			"--trusted-nets=127.0.0.2",
			"--header-from-list=inline:{blocked@example.net=REJECT}",
		},
		Socket: p.mta.Milter,
	})
	services := replace(t, "master.cf", "\nsmtp ", "\n"+p.mx+" ", "\nsubmission ", "\n"+p.submission+" ",
		"\n127.0.0.1:10026 ", "\n"+p.reinject+" ")
	appendFile(t, filepath.Join(dir, "etc/master.cf"), services)
	if err := p.mta.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.mta.AwaitGreeting(t, p.mx, p.submission, p.reinject)
	understood(t, filepath.Join(dir, "etc"))
	return p
}

// understood asks Postfix whether anything in its files is unknown or unused.
func understood(t *testing.T, dir string) {
	t.Helper()
	for _, form := range []string{"-n", "-M", "-P"} {
		cmd := exec.Command("postconf", "-c", dir, form)
		var complaints strings.Builder
		cmd.Stderr = &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("postconf %s: %v\n%s", form, err, &complaints)
		}
	}
}

// logged waits for a line of mailweir's log.
func (p *postfix) logged(t *testing.T, part string) {
	t.Helper()
	if _, ok := p.mailweir.Log.Wait(0, func(line string) bool { return strings.Contains(line, part) }); !ok {
		t.Errorf("the log has no line with %s:\n%s", part, p.mailweir.Log)
	}
}

// socketDirectory makes a directory in which the group postfix can reach what
// mailweir creates, as docs/start/postfix.md says.
func socketDirectory(t *testing.T, name string) {
	t.Helper()
	if err := os.Mkdir(name, 0o750); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chgrp", "postfix", name).CombinedOutput(); err != nil {
		t.Fatalf("chgrp: %v\n%s", err, out)
	}
	if err := os.Chmod(name, 0o750|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
}

// replace reads a file of this directory; each old text must be in it.
func replace(t *testing.T, name string, oldnew ...string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(oldnew); i += 2 {
		if strings.Count(text, oldnew[i]) == 0 {
			t.Fatalf("%s has no %q", name, oldnew[i])
		}
		text = strings.Replace(text, oldnew[i], oldnew[i+1], 1)
	}
	return text
}

func appendFile(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
