package test

import (
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"

	"mailweir/test/testbed"
)

// With a socket that outlives the service, as systemd's, a restart under twenty sessions ends no
// smtpd: each client is greeted, and reads that its password is right or, at worst, that it is to
// try again.
func TestAuthRestart(t *testing.T) {
	t.Parallel()
	b := newAuthBed(t)
	b.startDovecot()
	socket := b.mta.Below(authSocket)
	listening := listenAs(t, socket, "postfix")
	flags := []string{"--auth-upstream=unix:" + b.mta.Below("private/auth")}
	b.auth = testbed.StartAuthOn(t, b.binary, socket, listening, flags...)
	var over atomic.Bool
	var right, later atomic.Int64
	var sessions sync.WaitGroup
	for range 20 {
		sessions.Go(func() {
			for !over.Load() {
				switch got := loginOnce(b); got {
				case readsRight:
					right.Add(1)
				case readsLater:
					later.Add(1)
				default:
					t.Errorf("a client reads %q", got)
					return
				}
			}
		})
	}
	for range 5 {
		before := right.Load()
		if err := testbed.Until(func() error { // sessions are under way
			if right.Load() < before+20 {
				return errUnderWay
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := b.auth.Stop(); err != nil {
			t.Fatal(err)
		}
		b.auth = testbed.StartAuthOn(t, b.binary, socket, listening, flags...)
	}
	over.Store(true)
	sessions.Wait()
	b.noFatal()
	t.Logf("five restarts: %d logins, %d clients told to try again", right.Load(), later.Load())
}

// loginOnce is one session with one login, and returns what is said to that, or what went wrong
// before.
func loginOnce(b *authBed) string {
	c, err := testbed.Dial(b.mta.Submission, "")
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	if reply, err := c.ReadReply(); err != nil || reply.Code() != "220" {
		return "no greeting: " + errorText(err)
	}
	for _, command := range []string{"EHLO client.example", "STARTTLS"} {
		if reply, err := c.Ask(command); err != nil || reply.Code()[0] != '2' {
			return command + ": " + errorText(err)
		}
	}
	if err := c.StartTLS(nil); err != nil {
		return err.Error()
	}
	if _, err := c.Ask("EHLO client.example"); err != nil {
		return "EHLO over TLS: " + err.Error()
	}
	reply, err := c.Ask(authPlain("alice", "secret"))
	if err != nil {
		return err.Error()
	}
	return reply[0]
}

func errorText(err error) string {
	if err == nil {
		return "refused"
	}
	return err.Error()
}

// listenAs opens a unix socket for a group, as systemd would.
func listenAs(t *testing.T, path, group string) *os.File {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // the file stays
	t.Cleanup(func() { _ = file.Close() })
	if out, err := exec.Command("chgrp", group, path).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	return file
}
