package callforward

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// TestPostfix: a real next server, with STARTTLS, over one connection.
func TestPostfix(t *testing.T) {
	next := testbed.StartNextServer(t)
	a := open(t, "smtp", next.Address, nil)
	a.want("bob@example.org", "yes")
	a.want("bob+news@example.org", "yes")
	a.want("nobody@example.org", "no")
	a.want("x@elsewhere.example", "554 5.7.1") // "Relay access denied" is about us
	a.want("bob@catchall.example", "yes")
	a.wait(t, "suspended catchall.example: "+acceptsAll)
	a.want("nobody@example.org", "no")

	text, remarks, err := a.Inspect(t.Context(), []string{"example.org", "catchall.example", "elsewhere.example"})
	if err != nil || text != next.Address+" greets as mx.test.example, STARTTLS, SMTPUTF8" {
		t.Errorf("%q, %v", text, err)
	}
	if all := strings.Join(remarks, "\n"); !strings.Contains(all, "for catchall.example it accepts a random name: it is used for nothing there, and nobody there is refused") ||
		!strings.Contains(all, "random name of elsewhere.example") || strings.Contains(all, "of example.org") {
		t.Errorf("remarks:\n%s", all)
	}

	if err := next.Stop(); err != nil {
		t.Fatal(err)
	}
	a.want("carol@example.org", "unavailable: smtp:") // refused, or reset by an smtpd that is still ending
	next.Start()
	a.wait(t, "up")
	a.want("carol@example.org", "yes")
}

// TestPostfixDoesNotSlowDown: many refusals, and no reply is held back (smtpd_soft_error_limit):
// that is seen in its log, which names the client that it slows down or hangs up on.
func TestPostfixDoesNotSlowDown(t *testing.T) {
	next := testbed.StartNextServer(t)
	a := open(t, "smtp", next.Address, nil)
	for i := range 25 {
		a.want(fmt.Sprintf("nobody%d@example.org", i), "no")
	}
	if log := next.MTA.LogText(); strings.Contains(log, "too many errors") || strings.Count(log, ": connect from") > 5+1 {
		t.Errorf("log:\n%s", log)
	}
}

func TestDovecotLMTP(t *testing.T) {
	boxes := testbed.StartMailboxes(t)
	a := open(t, "lmtp", "unix:"+boxes.LMTP, nil)
	a.want("bob@example.org", "yes")
	a.want("bob+news@example.org", "yes")
	a.want("nobody@example.org", "no")
	a.want("bob@elsewhere.example", "no")
	text, _, err := a.Inspect(t.Context(), nil)
	if err != nil || !strings.Contains(text, boxes.LMTP+" greets as ") {
		t.Errorf("%q, %v", text, err)
	}
	a.work.Wait()
	if err := boxes.Stop(); err != nil {
		t.Fatal(err)
	}
	a.want("carol@example.org", "lmtp:unix:"+boxes.LMTP)
	boxes.Start()
	a.wait(t, "up")
	a.want("carol@example.org", "yes")
}

func TestDovecotUserdb(t *testing.T) {
	boxes := testbed.StartMailboxes(t)
	a := open(t, "dovecot", "unix:"+boxes.Userdb, nil)
	a.want("Bob@Example.org", "yes")
	a.want("nobody@example.org", "no")
	a.want("carol@example.org", "yes")
	if err := boxes.Do("bob@example.org dave@example.org"); err != nil {
		t.Fatal(err)
	}
	a.want("dave@example.org", "yes")
	a.want("carol@example.org", "no")
	a.work.Wait()
	if err := boxes.Stop(); err != nil {
		t.Fatal(err)
	}
	a.want("bob@example.org", "dovecot:unix:"+boxes.Userdb)
	boxes.Start()
	a.wait(t, "up")
	a.want("bob@example.org", "yes")
}

// TestDovecotWithoutUsers: while its file is gone Dovecot says NOTFOUND once a second, whoever it
// is asked about.
func TestDovecotWithoutUsers(t *testing.T) {
	users := filepath.Join(testbed.TempDir(t), "users")
	if err := os.WriteFile(users, []byte("carol@example.org:x:65534:65534::/nonexistent::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	boxes := testbed.StartMailboxes(t, "driver = passwd-file", "args = "+users)
	a := open(t, "dovecot", "unix:"+boxes.Userdb, nil)
	a.want("carol@example.org", "yes")
	a.want("nobody@example.org", "no")
	if err := os.Rename(users, users+".away"); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); {
		a.want("carol@example.org", "yes")
	}
}

// TestDovecotStatic: a static userdb finds everybody.
func TestDovecotStatic(t *testing.T) {
	boxes := testbed.StartMailboxes(t, "driver = static", "args = uid=nobody gid=nogroup home=/nonexistent allow_all_users=yes")
	a := open(t, "dovecot", "unix:"+boxes.Userdb, nil)
	a.want("nobody@example.org", "yes")
	a.wait(t, "suspended example.org: "+acceptsAll)
	a.want("nobody@example.org", ErrSuspended.Error())
}

// TestDovecotFails: a userdb that cannot tell says FAIL.
func TestDovecotFails(t *testing.T) {
	boxes := testbed.StartMailboxes(t, "driver = checkpassword", "args = /bin/false")
	a := open(t, "dovecot", "unix:"+boxes.Userdb, nil)
	a.want("bob@example.org", "FAIL")
	if a.breaker.Lost(0) != nil {
		t.Error("it answers, and counts as down")
	}
}
