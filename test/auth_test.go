package test

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"mailweir/test/testbed"
)

// Whatever the mode, only the right password is a login.
func TestAuthByDovecot(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"--mode=monitor", "--auth=monitor", "--auth=enforce"} {
		t.Run(mode, func(t *testing.T) {
			b := newAuthBed(t)
			b.serve(mode)
			b.byDovecot(mode)
			c := b.client("192.0.2.1")
			c.Exactly(authPlain("alice", "wrong"), readsWrong)
			c.Exactly(authPlain("nobody", "secret"), readsWrong)
			c.Exactly("AUTH PLAIN =", readsWrong)
			c.Say("AUTH LOGIN", "334 VXNlcm5hbWU6")
			c.Say("*", "501")
			c.Exactly(authPlain("alice", "secret"), readsRight)
			c = b.client("192.0.2.1")
			c.Say("AUTH LOGIN "+base64.StdEncoding.EncodeToString([]byte("Bob")), "334 UGFzc3dvcmQ6")
			c.Exactly(base64.StdEncoding.EncodeToString([]byte("secret")), readsRight)
			entry, err := b.auth.WaitEntry(0, testbed.Entry{"check": "auth", "reply": "auth", "code": "535", "login": "nobody", "client": "192.0.2.1", "mode": "enforce"})
			if err != nil || !strings.HasPrefix(entry["event"], "mw-") || entry["cause"] != "mechanism PLAIN: no such login, or wrong password" {
				t.Errorf("%v, %v", entry, err)
			}
			if strings.Contains(b.auth.Log.String(), "wrong\"") || strings.Contains(b.auth.Log.String(), "secret") {
				t.Errorf("a password shows:\n%s", b.auth.Log)
			}
		})
	}
}

// Mechanisms that hide the password are Dovecot's business.
func TestAuthSCRAM(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.serve()
	b.byDovecot()
	c := b.client("192.0.2.1")
	if got := scram(t, c, "alice", "wrong"); got != readsWrong {
		t.Errorf("wrong: %q", got)
	}
	if got := scram(t, c, "alice", "secret"); got != readsRight {
		t.Errorf("right: %q", got)
	}
}

func TestAuthByFile(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	file := b.byFile("--auth=monitor")
	c := b.client("192.0.2.1")
	c.Exactly(authPlain("alice", "wrong"), readsWrong)
	c.Exactly(authPlain("nobody", "secret"), readsWrong)
	c.Exactly(authPlain("Alice", "secret"), readsRight)
	passwd := exec.Command(b.binary, "auth", "passwd", "carol", "--auth-passwords="+file)
	passwd.Stdin = strings.NewReader("new one\n")
	if out, err := passwd.CombinedOutput(); err != nil || string(out) != "carol has a new password in "+file+"\n" {
		t.Fatalf("%s, %v", out, err)
	}
	c = b.client("192.0.2.1")
	c.Exactly(authPlain("carol", "new one"), readsRight)
	c = b.client("192.0.2.1")
	c.Say("AUTH LOGIN", "334 VXNlcm5hbWU6")
	c.Say(base64.StdEncoding.EncodeToString([]byte("carol")), "334 UGFzc3dvcmQ6")
	c.Exactly(base64.StdEncoding.EncodeToString([]byte("new one")), readsRight)
	if strings.Contains(b.auth.Log.String(), "new one") {
		t.Errorf("a password shows:\n%s", b.auth.Log)
	}
}

// Postfix asks over TCP as well, on this host alone.
func TestAuthInet(t *testing.T) {
	t.Parallel()
	address := testbed.FreeAddress(t)
	b := newAuthBedAt(t, "inet:"+address)
	b.byFile("--auth-listen=inet:" + address)
	c := b.client("192.0.2.1")
	c.Exactly(authPlain("alice", "wrong"), readsWrong)
	c.Exactly(authPlain("alice", "secret"), readsRight)
}

// A Dovecot that is not there, or that hangs, is 454 behind a greeting, and logins work again when
// it does.
func TestAuthDovecotAway(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.serve()
	b.byDovecot()
	if err := b.dovecot.Stop(); err != nil {
		t.Fatal(err)
	}
	c := b.client("192.0.2.1")
	c.Exactly(authPlain("alice", "secret"), readsLater)
	c.Exactly(authPlain("alice", "wrong"), readsLater)
	b.startDovecot()
	b.waitBackend("Dovecot answers again")
	c.Exactly(authPlain("alice", "wrong"), readsWrong)
	c.Exactly(authPlain("alice", "secret"), readsRight)
	lines := len(b.auth.Log.Lines())
	b.pause(syscall.SIGSTOP)
	c = b.client("192.0.2.1")
	c.Exactly(authPlain("alice", "secret"), readsLater) // Postfix's own limit is 10 s
	c.Exactly(authPlain("alice", "secret"), readsLater)
	b.pause(syscall.SIGCONT)
	if _, err := b.auth.WaitEntry(lines, testbed.Entry{"msg": "Dovecot answers again"}); err != nil {
		t.Fatal(err)
	}
	c.Exactly(authPlain("alice", "secret"), readsRight)
	for _, msg := range []string{"Dovecot does not answer; clients that log in are to try again (454)", "Dovecot answers again"} {
		if n := strings.Count(b.auth.Log.String(), msg); n != 2 {
			t.Errorf("%q stands in the log %d times, want 2", msg, n)
		}
	}
	b.noFatal()
}

// Nobody has ever seen this Dovecot, and smtpd greets all the same.
func TestAuthDovecotNeverThere(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.auth = testbed.StartAuth(t, b.binary, b.mta.Below(authSocket), "--auth-upstream=unix:"+b.mta.Below("private/auth"), "--auth-mechanisms=PLAIN")
	c := b.client("192.0.2.1")
	c.Exactly(authPlain("alice", "secret"), readsLater)
	b.noFatal()
}

// Guessing puts a client on the temporary block list; then not even the right password is looked
// at, but for a login that has been there before.
func TestAuthGuesses(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	control := "unix:" + b.mta.Milter + ".control"
	b.serve("--control=" + control)
	b.byDovecot()
	b.client("192.0.2.1").Exactly(authPlain("bob", "secret"), readsRight)
	for i := range 10 {
		b.client("192.0.2.1").Exactly(authPlain("alice", fmt.Sprint("guess", i)), readsWrong)
	}
	b.client("192.0.2.1").Exactly(authPlain("alice", "secret"), readsLater)
	c := b.client("192.0.2.1")
	c.Say("AUTH LOGIN", "334 VXNlcm5hbWU6")
	c.Exactly(base64.StdEncoding.EncodeToString([]byte("alice")), readsLater)
	b.client("192.0.2.1").Exactly(authPlain("bob", "secret"), readsRight)
	b.client("192.0.2.2").Exactly(authPlain("alice", "secret"), readsRight)
	out, err := exec.Command(b.binary, "tempblock", "list", "--control="+control).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "192.0.2.1") || !strings.Contains(string(out), "auth-fail=10/10m: 10 bad") {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := b.auth.WaitEntry(0, testbed.Entry{"reply": "auth-unavailable", "code": "454", "login": "alice", "client": "192.0.2.1", "msg": "deferred"}); err != nil {
		t.Error(err)
	}
	if out, err := exec.Command(b.binary, "tempblock", "rm", "192.0.2.1", "--control="+control).CombinedOutput(); err != nil {
		t.Errorf("%s, %v", out, err)
	}
	b.client("192.0.2.1").Exactly(authPlain("alice", "secret"), readsRight)
}

// A mail program with an old password blocks nobody.
func TestAuthOldPassword(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.serve()
	b.byDovecot()
	for range 5 {
		c := b.client("192.0.2.1")
		for range 10 {
			c.Exactly(authPlain("alice", "old"), readsWrong)
		}
	}
	b.client("192.0.2.1").Exactly(authPlain("alice", "secret"), readsRight)
}

// Each failure is an error to Postfix, which hangs up after twenty.
func TestAuthTwentyOneFailures(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.byDovecot()
	c := b.client("192.0.2.1")
	for i := range 20 {
		want := readsWrong
		c.Exactly(authPlain("alice", fmt.Sprint("guess", i)), want)
	}
	c.Say(authPlain("alice", "secret"), "421 4.7.0")
}

// With the milter away logins work, and nobody is blocked.
func TestAuthMilterAway(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.byDovecot()
	for i := range 12 {
		b.client("192.0.2.1").Exactly(authPlain("alice", fmt.Sprint("guess", i)), readsWrong)
	}
	b.client("192.0.2.1").Exactly(authPlain("alice", "secret"), readsRight)
	b.serve()
	if _, err := b.auth.WaitEntry(0, testbed.Entry{"msg": "the milter answers again"}); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		b.client("192.0.2.1").Exactly(authPlain("bob", fmt.Sprint("guess", i)), readsWrong)
	}
	b.client("192.0.2.1").Exactly(authPlain("bob", "secret"), readsLater)
}

func (b *authBed) waitBackend(msg string) {
	b.Helper()
	if _, err := b.auth.WaitEntry(0, testbed.Entry{"msg": msg}); err != nil {
		b.Fatal(err)
	}
}

// pause sends a signal to every process of Dovecot.
func (b *authBed) pause(signal syscall.Signal) {
	b.Helper()
	if err := syscall.Kill(-b.dovecot.PID(), signal); err != nil {
		b.Fatal(err)
	}
}

// noFatal fails the test if an smtpd has died.
func (b *authBed) noFatal() {
	b.Helper()
	if log := b.mta.LogText(); strings.Contains(log, "fatal:") {
		b.Errorf("an smtpd has died:\n%s", log)
	}
}
