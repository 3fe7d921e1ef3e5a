package testbed

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"time"
)

// dovecotUsers may log in, both with the password "secret".
const dovecotUsers = "alice:{PLAIN}secret\nbob:{PLAIN}secret\n"

// StartDovecot starts a Dovecot that does nothing but tell Postfix, on the unix socket at path,
// whose password is right; that of more users is "secret" as well.
func StartDovecot(tb TB, path string, more ...string) *Process {
	tb.Helper()
	Require(tb, "dovecot")
	dir := TempDir(tb)
	conf := filepath.Join(dir, "dovecot.conf")
	users := dovecotUsers
	for _, user := range more {
		users += user + ":{PLAIN}secret\n"
	}
	writeFile(tb, filepath.Join(dir, "users"), []byte(users), 0o644)
	writeFile(tb, conf, []byte(dovecotConf(dir, path)), 0o644)
	p := start(tb, exec.Command("dovecot", "-F", "-c", conf))
	if err := untilOr(p.done, func() error { return greetDovecot(path) }); err != nil {
		tb.Fatalf("dovecot: %v\n%s", err, p.Log)
	}
	return p
}

func dovecotConf(dir, path string) string {
	return fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols =
ssl = no
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service anvil {
  # Clients that have failed once do not wait.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener %[2]s {
    mode = 0660
    user = postfix
    group = postfix
  }
}
`, dir, path)
}

// greetDovecot reads Dovecot's side of the handshake: it names its mechanisms when it is ready
// (Dovecot Authentication Protocol, version 1).
func greetDovecot(path string) error {
	conn, err := net.DialTimeout("unix", path, Patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if lines.Text() == "DONE" {
			return nil
		}
	}
	return errors.Join(errors.New("no DONE from "+path), lines.Err())
}
