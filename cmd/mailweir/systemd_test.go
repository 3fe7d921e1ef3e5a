package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

type managerKey struct{}

// manager is what systemd is to a daemon: it listens to what that says, and holds sockets for it.
type manager struct {
	conn  *net.UnixConn
	files []*os.File
	names []string
}

// theManager is the script's, nil before the command "manager".
func theManager(ts *testscript.TestScript) **manager { return ts.Value(managerKey{}).(**manager) }

// startManager is "manager [NAME SOCKET]...": daemons that start later tell it what they do, and
// are given these sockets.
func startManager(ts *testscript.TestScript, _ bool, args []string) {
	if m := *theManager(ts); m != nil {
		_ = m.conn.Close()
		ts.Check(os.Remove(ts.MkAbs("notify")))
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: ts.MkAbs("notify"), Net: "unixgram"})
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	m := &manager{conn: conn}
	for ; len(args) >= 2; args = args[2:] {
		l, err := net.Listen("unix", ts.MkAbs(args[1]))
		ts.Check(err)
		ts.Defer(func() { _ = l.Close() })
		file, err := l.(*net.UnixListener).File()
		ts.Check(err)
		ts.Defer(func() { _ = file.Close() })
		m.files, m.names = append(m.files, file), append(m.names, args[0])
	}
	*theManager(ts) = m
}

// endManager is "nomanager": daemons that start later have none.
func endManager(ts *testscript.TestScript, _ bool, _ []string) { *theManager(ts) = nil }

// managed has a daemon start as systemd does it. Of the variables, systemd sets LISTEN_PID between
// fork and exec.
func (m *manager) managed(ts *testscript.TestScript, cmd *exec.Cmd) {
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+m.conn.LocalAddr().String(), "WATCHDOG_USEC="+ts.Getenv("WATCHDOG_USEC"))
	if len(m.files) == 0 {
		return
	}
	cmd.ExtraFiles = m.files
	cmd.Env = append(cmd.Env, fmt.Sprintf("LISTEN_FDS=%d", len(m.files)), "LISTEN_FDNAMES="+strings.Join(m.names, ":"))
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
}

var mainPID = regexp.MustCompile(`MAINPID=(\d+)`)

// told is "told REGEXP": reads what the daemon tells systemd up to a message that matches. Only the
// watchdog and the status may come before it.
func told(ts *testscript.TestScript, _ bool, args []string) {
	m, want := *theManager(ts), regexp.MustCompile("^(?:"+args[0]+")$")
	ts.Check(m.conn.SetReadDeadline(time.Now().Add(patience)))
	for message := make([]byte, 4096); ; {
		n, err := m.conn.Read(message)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			ts.Fatalf("nothing that matches %s is told", want)
		}
		ts.Check(err)
		text := string(message[:n])
		ts.Logf("told %q", text)
		if found := mainPID.FindStringSubmatch(text); found != nil {
			(*theDaemon(ts)).main, err = strconv.Atoi(found[1])
			ts.Check(err)
		}
		if want.MatchString(text) {
			return
		}
		if !strings.HasPrefix(text, "WATCHDOG=1") && !strings.HasPrefix(text, "STATUS=") {
			ts.Fatalf("told %q, want %s", text, want)
		}
	}
}
