package testbed

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Host is a machine of its own as far as its configuration goes: what is run on it sees an /etc of
// its own, a copy of this machine's with files laid over it, and empty directories of Postfix. So a
// configuration can be what it is on a real host, with all its paths. Everything else, such as the
// network, is this machine's.
type Host struct {
	Address string // of loopback, which no other host has
	Dir     string // its files, as this machine sees them
	Milter  string // path of the unix socket on which its milter is to listen
	postfix *Process
}

// NewHost makes a host. What of this machine's /etc would be taken for the host's own is left out:
// Postfix's maps, postgrey, rspamd and mailweir.
func NewHost(tb TB, trees ...string) *Host {
	tb.Helper()
	Require(tb, "postfix")
	h := &Host{Address: OwnLoopback(tb), Dir: TempDir(tb)}
	// Something may be installed meanwhile, so that a file is listed and gone.
	if err := Until(func() error { return exec.Command("cp", "-a", "/etc", h.Dir).Run() }); err != nil {
		tb.Fatalf("host: %v", err)
	}
	for _, name := range []string{"mailweir", "postgrey", "default/postgrey", "rspamd/local.d", "rspamd/override.d"} {
		h.do(tb, "rm", "-rf", h.Etc(name))
	}
	if err := os.Mkdir(h.Etc("mailweir"), 0o755); err != nil {
		tb.Fatalf("host: %v", err)
	}
	for _, tree := range trees {
		h.do(tb, "cp", "-r", tree+"/.", h.Etc(""))
	}
	h.do(tb, "mkdir", "-p", h.Lib(""))
	postfixDirectories(tb, filepath.Join(h.Dir, "var"))
	h.Milter = milterDir(tb, h.Dir, "postfix")
	return h
}

func (h *Host) do(tb TB, argv ...string) {
	tb.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		tb.Fatalf("host: %q: %v\n%s", argv, err, out)
	}
}

// Etc is where this machine has a file of the host's /etc.
func (h *Host) Etc(name string) string { return filepath.Join(h.Dir, "etc", name) }

// Log is where Postfix logs on the host, if main.cf says so, for this machine and the host alike.
func (h *Host) Log() string { return filepath.Join(h.Dir, "var/mail.log") }

// Lib is a directory of the host's /var/lib, which this machine must have, too; whoever puts it
// there does so before the host runs anything that is to see it.
func (h *Host) Lib(name string) string { return filepath.Join(h.Dir, "var/lib", name) }

// Queue is a directory of the queue, such as "hold".
func (h *Host) Queue(name string) string { return filepath.Join(h.Dir, "var/queue", name) }

// enter is run in a mount namespace of its own, before what the host is to run.
const enter = `mount --bind "$0/etc" /etc
mount --bind "$0/var/queue" /var/spool/postfix
mount --bind "$0/var/data" /var/lib/postfix
for dir in "$0"/var/lib/*/; do [ -d "$dir" ] && mount --bind "$dir" "/var/lib/$(basename "$dir")"; done
exec "$@"`

// Command is a command on the host.
func (h *Host) Command(argv ...string) *exec.Cmd {
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-ec", enter, h.Dir}, argv...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "TZ=UTC", RaceOptions()}
	return cmd
}

// Program writes a program that runs another one on the host, and returns its name: for what starts
// programs by their names.
func (h *Host) Program(tb TB, program string) string {
	tb.Helper()
	name := filepath.Join(h.Dir, filepath.Base(program))
	script := fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -ec '%s' %s %s \"$@\"\n", enter, h.Dir, program)
	writeFile(tb, name, []byte(script), 0o755)
	return name
}

// Start starts a process on the host; it ends with the test.
func (h *Host) Start(tb TB, argv ...string) *Process {
	tb.Helper()
	return start(tb, h.Command(argv...))
}

// StartPostgrey starts a postgrey on the host, by a command that becomes it; it ends with the test.
func (h *Host) StartPostgrey(tb TB, argv ...string) *Process {
	tb.Helper()
	return h.Start(tb, argv...).nagged()
}

// StartPostfix starts the host's Postfix and waits for a greeting at each of the ports.
func (h *Host) StartPostfix(tb TB, ports ...string) {
	tb.Helper()
	// Postfix reads a file that has just changed again and again for two seconds.
	past := time.Now().Add(-time.Minute)
	for _, name := range []string{"main.cf", "master.cf"} {
		if err := os.Chtimes(h.Etc("postfix/"+name), past, past); err != nil {
			tb.Fatalf("postfix: %v", err)
		}
	}
	h.postfix = start(tb, h.Command(postfixDaemons+"/master", "-c", "/etc/postfix", "-d"))
	h.postfix.outlast(tb)
	// It would log that it ends, and may find nobody who takes that: then it is stuck for 5 s.
	tb.Cleanup(h.postfix.Kill)
	for _, port := range ports {
		if err := untilOr(h.postfix.done, func() error { return h.listens(port) }); err != nil {
			tb.Fatalf("postfix of the host: %v\n%s", err, h.LogText())
		}
	}
}

// listens tells whether Postfix's master has opened the port: what is said there waits for the
// service itself.
func (h *Host) listens(port string) error {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(h.Address, port), Patience)
	if err == nil {
		err = conn.Close()
	}
	return err
}

// LogText returns what Postfix has logged.
func (h *Host) LogText() string {
	text, _ := os.ReadFile(h.Log()) // it may not have begun
	return h.postfix.Log.String() + string(text)
}

// OwnLoopback returns an address of loopback at which nobody listens: neither for SMTP and DNS,
// whose clients cannot all be told another port, nor for all else.
func OwnLoopback(tb TB) string {
	tb.Helper()
	for range 100 {
		ip := fmt.Sprintf("127.%d.%d.%d", 16+rand.IntN(200), rand.IntN(256), 1+rand.IntN(254))
		if free(ip+":25") && free(ip+":53") && free(ip+":587") {
			return ip
		}
	}
	tb.Fatalf("testbed: somebody listens at port 25, 53 or 587 of all addresses")
	return ""
}

func free(address string) bool {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
