// Package testbed starts and stops the real peers of mailweir's tests: Postfix,
// Sendmail, rbldnsd behind unbound, an SMTP sink, and mailweir itself.
//
// Every peer lives in a temporary directory of its own, listens on loopback at
// ports that are free, counts as ready when it has answered its own
// protocol, and is ended by its own process id. Several of each may run at once.
package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is the longest that the harness waits for any one answer. It is a
// deadline for what should take milliseconds, generous for a busy machine.
const Patience = 30 * time.Second

// TB is what the harness needs of a test. *testing.T and *testing.B have it, and
// so has the bench, which is an ordinary program.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
}

// components says how each optional part of a machine is recognised.
var components = map[string]func() error{
	"root":      needRoot,
	"postfix":   all(needRoot, needPostfix),
	"sendmail":  all(needRoot, needCommands("unshare"), needSendmail),
	"dns":       needCommands("rbldnsd", "unbound"),
	"dkim":      all(needRoot, needCommands("unbound", "unshare", "ip", "opendkim-testmsg"), needDKIM),
	"documents": needDocuments,
	"redis":     needCommands("redis-server", "redis-cli"),
	"dovecot":   all(needRoot, needCommands("dovecot"), needFiles("/usr/lib/dovecot/auth")),
	"auth":      all(needRoot, needCommands("dovecot"), needFiles("/usr/lib/dovecot/auth")), // mailweir auth before one
	"ldap":      all(needRoot, needCommands("slapd", "slapadd", "ldapmodify")),
	"mariadb":   all(needRoot, needCommands("mariadbd", "mariadb-install-db", "mariadb")),
	"sqlite":    needCommands("sqlite3"),
	"postgres":  all(needRoot, needPostgres),
	"rspamd":    all(needRoot, needCommands("rspamd")),
	"postgrey":  all(needRoot, needCommands("postgrey")),
	"spamd":     all(needRoot, needCommands("spamd")),
	"clamd":     needCommands("clamd"),
	"packages":  all(needRoot, needCommands("git", "lintian", "rpm", "dpkg", "qemu-aarch64-static")),
	"machine":   all(needRoot, needCommands("mmdebstrap", "unshare", "nsenter", "mount")), // test/installed
	"outside":   func() error { _, err := Outside(); return err },
	"cc":        all(needCommands("gcc"), needFiles("/usr/include/libmilter/mfapi.h")),
	"postmap":   needCommands("postmap"),

	"prometheus": needFiles(prometheusRoot + "/complete"),
	"fail2ban":   all(needCommands("python3"), needFiles(fail2banRoot+"/complete")),

	// Those of dialogs.
	"strict-clamd": needCommands("clamd"),
	"next-server":  all(needRoot, needPostfix),
	"lmtp":         all(needRoot, needCommands("dovecot"), needFiles("/usr/lib/dovecot/lmtp")),
	"userdb":       all(needRoot, needCommands("dovecot"), needFiles("/usr/lib/dovecot/lmtp")),
	"tables":       func() error { return nil }, // the testbed's own
}

// Require skips the test when a component of the machine is missing ("root", "postfix", "sendmail",
// "dovecot", "dns", "dkim", "redis", "ldap", "mariadb", "postgres", "sqlite", "clamd", "rspamd",
// "spamd", "postgrey", "machine", "packages", "cc", "postmap", "prometheus" or "fail2ban";
// test/install.sh installs them), or an address of the machine that is not loopback ("outside"), as
// [Missing] does. In a run with -short it skips whatever is there, see [Peers].
func Require(tb TB, component string) {
	tb.Helper()
	if component != "root" {
		Peers(tb)
	}
	probe, known := components[component]
	if !known {
		tb.Fatalf("testbed: no component named %q", component)
	}
	err := probe()
	if err == nil {
		return
	}
	Missing(tb, fmt.Sprintf("no %s: %v (run test/install.sh)", component, err))
}

// Missing skips the test because something is missing that test/install.sh installs. With CI=true
// it fails.
func Missing(tb TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s", what)
	}
	Skip(tb, what)
}

// Skip skips the test and writes why to the file that MAILWEIR_SKIPS names, so that the run can
// close with a list of what it did not try.
func Skip(tb TB, why string) {
	tb.Helper()
	if name := os.Getenv("MAILWEIR_SKIPS"); name != "" {
		if err := appendLine(name, tb.Name()+": "+why); err != nil {
			tb.Logf("could not record the skip: %v", err)
		}
	}
	tb.Skipf("%s", why)
}

// Peers skips the test in a run with -short, which starts no program but Go's.
func Peers(tb TB) {
	tb.Helper()
	if testing.Testing() && testing.Short() {
		tb.Skipf("-short starts no peer")
	}
}

func appendLine(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

func needRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("must run as root")
	}
	return nil
}

func needFiles(names ...string) func() error {
	return func() error {
		for _, name := range names {
			if _, err := os.Stat(name); err != nil {
				return err
			}
		}
		return nil
	}
}

// needDocuments looks for the libraries that write documents and the programs that read them.
func needDocuments() error {
	if err := needCommands("docx2txt", "odt2txt", "unrtf")(); err != nil {
		return err
	}
	if out, err := exec.Command("/usr/bin/python3", "-c", "import docx, openpyxl, odf, vobject").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func needCommands(names ...string) func() error {
	return func() error {
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil {
				return err
			}
		}
		return nil
	}
}

func all(probes ...func() error) func() error {
	return func() error {
		for _, probe := range probes {
			if err := probe(); err != nil {
				return err
			}
		}
		return nil
	}
}

// TempDir makes a directory with a short absolute name (a unix socket has 107
// octets for its path) that daemons without privileges can enter.
func TempDir(tb TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "mw")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// memoryDir is TempDir in memory, where the machine has such a directory: for servers that write to
// the disk before they answer, when others who fill it may keep them waiting for seconds.
func memoryDir(tb TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "mw")
	if err != nil {
		return TempDir(tb)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Until asks again and again until ask succeeds, and returns its last error
// when that takes longer than Patience.
func Until(ask func() error) error {
	return untilOr(nil, ask)
}

// untilOr is Until, ended early when gone is closed (the peer has died).
func untilOr(gone <-chan struct{}, ask func() error) error {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-pace.C:
		case <-gone:
			return fmt.Errorf("ended before it answered: %w", err)
		case <-deadline.C:
			return fmt.Errorf("no answer within %v: %w", Patience, err)
		}
	}
}

// Log holds the lines that a peer wrote and lets others wait for one.
type Log struct {
	mu      sync.Mutex
	lines   []string
	partial []byte
	changed chan struct{}
}

// Write appends output; lines are split here because a pipe knows none.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := strings.Cut(string(l.partial), "\n")
		if !found {
			break
		}
		l.lines = append(l.lines, line)
		l.partial = []byte(rest)
	}
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return len(p), nil
}

// Lines returns the complete lines so far.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// String returns everything written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n") + "\n" + string(l.partial)
}

// Wait returns the first line at index from or later that match accepts, as
// soon as it is written, and false when none comes within Patience.
func (l *Log) Wait(from int, match func(line string) bool) (string, bool) {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		for ; from < len(l.lines); from++ {
			if match(l.lines[from]) {
				line := l.lines[from]
				l.mu.Unlock()
				return line, true
			}
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			return "", false
		}
	}
}
