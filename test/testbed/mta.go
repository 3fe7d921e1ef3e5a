package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Trusted is the client address from which both MTAs relay anywhere. All others,
// 127.0.0.1 among them, are untrusted clients.
const Trusted = "127.0.0.2"

// MTA is a running Postfix or Sendmail that asks a milter about every message
// and delivers all mail to Sink.
type MTA struct {
	Name       string // "postfix" or "sendmail"
	MX         string // address of the service for untrusted clients
	Submission string // address of the submission service
	Reinject   string // address of the service behind a content filter
	Milter     string // path of the unix socket on which the milter is to listen
	Sink       *Sink
	Process    *Process

	authority  *authority
	etc        string   // Postfix's configuration directory
	mailLog    string   // the MTA's own log
	quarantine string   // what the queue file of a message that is held begins with, before its id
	submit     []string // command of the local submission, "sendmail -t"
}

// MTAConfig is what differs between the MTAs of a test run. The zero value is
// the usual MTA. It is comparable, so that tests can share an MTA of the same
// configuration.
type MTAConfig struct {
	// Extra lines for the end of main.cf (Postfix) or the mc file (Sendmail).
	Extra string
	// CommandTimeout and ContentTimeout are how long the MTA waits for the
	// milter before and at the end of the message; 20 s and 60 s if zero.
	CommandTimeout, ContentTimeout time.Duration
	// ErrorLimit is Postfix's smtpd_hard_error_limit and smtpd_soft_error_limit;
	// 1100 if zero, as contrib recommends.
	ErrorLimit int
	// NonSMTPD attaches the milter to Postfix's local submission too
	// (non_smtpd_milters). Sendmail always asks it there.
	NonSMTPD bool
	// Logins lets clients log in at Postfix, over TLS alone: a Dovecot of its own knows alice and
	// bob, both with the password "secret". Sendmail would need Cyrus SASL.
	Logins bool
	// Discard lets Postfix throw mail away instead of delivering it to Sink.
	Discard bool
	// NoMilter attaches none.
	NoMilter bool
}

func (c MTAConfig) withDefaults() MTAConfig {
	if c.CommandTimeout == 0 {
		c.CommandTimeout = 20 * time.Second
	}
	if c.ContentTimeout == 0 {
		c.ContentTimeout = 60 * time.Second
	}
	if c.ErrorLimit == 0 {
		c.ErrorLimit = 1100
	}
	return c
}

// StartMTA starts the MTA of that name.
func StartMTA(tb TB, name string, config MTAConfig) *MTA {
	tb.Helper()
	switch name {
	case "postfix":
		return StartPostfix(tb, config)
	case "sendmail":
		return StartSendmail(tb, config)
	}
	tb.Fatalf("testbed: no MTA named %q", name)
	return nil
}

// Service returns the address of a service: "mx", "submission" or "reinject".
func (m *MTA) Service(name string) (string, error) {
	switch name {
	case "mx":
		return m.MX, nil
	case "submission":
		return m.Submission, nil
	case "reinject":
		return m.Reinject, nil
	}
	return "", fmt.Errorf("no service %q (mx, submission or reinject)", name)
}

// WaitQuarantined waits until the message with that queue id is held for a person to look at.
func (m *MTA) WaitQuarantined(id string) error {
	return Until(func() error {
		_, err := os.Stat(m.quarantine + id)
		return err
	})
}

// Services is mailweir's flag that names the services by their ports.
func (m *MTA) Services() string {
	return fmt.Sprintf("--services=%s=mx,%s=submission,%s=reinject", Port(m.MX), Port(m.Submission), Port(m.Reinject))
}

// ConfigDir is the directory of Postfix's main.cf.
func (m *MTA) ConfigDir() string { return m.etc }

// Submit hands a message to the MTA's local submission, "sendmail -t -f FROM",
// and returns what the command printed.
func (m *MTA) Submit(from, message string) (string, error) {
	args := append(append([]string(nil), m.submit[1:]...), "-t", "-f", from)
	cmd := mtaCommand(m.submit[0], args...)
	cmd.Stdin = strings.NewReader(message)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out), nil
}

// LogText returns what the MTA has written to its log, for failed tests.
func (m *MTA) LogText() string {
	text, err := os.ReadFile(m.mailLog)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return m.Process.Log.String() + string(text)
}

// AwaitGreeting waits for the greeting of each address.
func (m *MTA) AwaitGreeting(tb TB, addresses ...string) {
	tb.Helper()
	for _, address := range addresses {
		err := untilOr(m.Process.done, func() error {
			c, err := Dial(address, "")
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.ReadReply()
			return err
		})
		if err != nil {
			tb.Fatalf("%s at %s: %v; at its ports listen %q\n%s", m.Name, address, err,
				slices.Concat(whoListens(m.MX), whoListens(m.Submission), whoListens(m.Reinject)), m.LogText())
		}
	}
}

// milterDir makes the directory for the milter's socket. Its group owns what is
// created in it (setgid), so the MTA's own user may use a socket of mode 0660.
func milterDir(tb TB, dir, group string) string {
	tb.Helper()
	name := filepath.Join(dir, "mw")
	err := os.Mkdir(name, 0o750)
	if err == nil {
		err = chown(name, "", group)
	}
	if err == nil {
		err = os.Chmod(name, 0o750|os.ModeSetgid)
	}
	if err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	return filepath.Join(name, "mw.sock")
}

// chown changes owner and group by name; an empty name keeps what is.
func chown(path, owner, group string) error {
	uid, gid := -1, -1
	if owner != "" {
		u, err := user.Lookup(owner)
		if err != nil {
			return err
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return err
		}
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return err
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return err
		}
	}
	return os.Chown(path, uid, gid)
}

func writeFile(tb TB, name string, data []byte, mode os.FileMode) {
	tb.Helper()
	if err := os.WriteFile(name, data, mode); err != nil {
		tb.Fatalf("testbed: %v", err)
	}
}
