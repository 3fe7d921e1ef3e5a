package testbed

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Mailboxes is a Dovecot that keeps the mailboxes of bob and carol of example.org: its LMTP and its
// userdb.
type Mailboxes struct {
	LMTP, Userdb string // paths of the sockets
	*Process
	tb    TB
	users string
	edits int // each edit has a user of its own, so that it is seen when Dovecot has read it
	cmd   func() *exec.Cmd
}

// StartMailboxes starts one. The userdb, if given, is the body of the block of its configuration,
// such as "driver = static"; else it has the users of the passdb.
func StartMailboxes(tb TB, userdb ...string) *Mailboxes {
	tb.Helper()
	Require(tb, "lmtp")
	dir := TempDir(tb)
	m := &Mailboxes{
		LMTP: filepath.Join(dir, "run/lmtp"), Userdb: filepath.Join(dir, "run/auth-userdb"),
		tb: tb, users: filepath.Join(dir, "users"),
	}
	if err := m.write("bob@example.org\ncarol@example.org"); err != nil {
		tb.Fatalf("dovecot: %v", err)
	}
	block := fmt.Sprintf("driver = passwd-file\nargs = %s", m.users)
	if len(userdb) > 0 {
		block = strings.Join(userdb, "\n")
	}
	conf := filepath.Join(dir, "dovecot.conf")
	writeFile(tb, conf, fmt.Appendf(nil, mailboxesConf, dir, block), 0o644)
	m.cmd = func() *exec.Cmd { return exec.Command("dovecot", "-F", "-c", conf) }
	m.Start()
	return m
}

const mailboxesConf = `base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols = lmtp
ssl = no
mail_location = maildir:%[1]s/mail/%%u
recipient_delimiter = +
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
%[2]s
}
service auth {
  unix_listener auth-userdb {
    mode = 0666
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
`

// Start starts the server after Stop.
func (m *Mailboxes) Start() {
	m.tb.Helper()
	m.Process = start(m.tb, m.cmd())
	for _, one := range []struct{ path, greeting string }{{m.LMTP, "220 "}, {m.Userdb, "VERSION\t"}} {
		if err := untilOr(m.done, func() error { return greets(one.path, one.greeting) }); err != nil {
			m.tb.Fatalf("dovecot: %v\n%s", err, m.Log)
		}
	}
}

// greets waits for the first line at a unix socket.
func greets(path, want string) error {
	conn, err := net.DialTimeout("unix", path, Patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, want) {
		err = errors.New(path + " greets by " + line)
	}
	return err
}

// Do has just these addresses be users, one a line, and waits until Dovecot, which looks at the
// file once a second, has read it. None: the file is gone.
func (m *Mailboxes) Do(users string) error {
	if err := m.write(users); err != nil || users == "" {
		return err
	}
	return untilOr(m.done, func() error {
		answer, err := m.ask(m.marker())
		if err == nil && !strings.HasPrefix(answer, "USER\t1\t") {
			err = fmt.Errorf("%s answers %q", m.Userdb, answer)
		}
		return err
	})
}

func (m *Mailboxes) marker() string { return fmt.Sprintf("edit-%d@edits.invalid", m.edits) }

// write replaces the file.
func (m *Mailboxes) write(users string) error {
	if users == "" {
		return os.Remove(m.users)
	}
	m.edits++
	var lines strings.Builder
	for _, user := range append(strings.Fields(users), m.marker()) {
		fmt.Fprintf(&lines, "%s:{PLAIN}secret:65534:65534::/nonexistent::\n", user)
	}
	next := m.users + ".next"
	if err := os.WriteFile(next, []byte(lines.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(next, m.users)
}

// ask asks the userdb for one user.
func (m *Mailboxes) ask(user string) (string, error) {
	conn, err := net.DialTimeout("unix", m.Userdb, Patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "VERSION\t1\t0\nUSER\t1\t%s\tservice=lmtp\n", user); err != nil {
		return "", err
	}
	in := bufio.NewScanner(conn)
	for in.Scan() {
		if line := in.Text(); !strings.HasPrefix(line, "VERSION") && !strings.HasPrefix(line, "SPID") {
			return line, nil
		}
	}
	return "", errors.Join(errors.New("no answer"), in.Err())
}

// Pause stops all its processes without ending them: connections stay, and nothing is answered.
func (m *Mailboxes) Pause() { m.pauseAll() }

// Resume lets them go on.
func (m *Mailboxes) Resume() { m.resumeAll() }
