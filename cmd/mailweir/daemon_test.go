package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait for a process; it is never what a test waits for.
const patience = 20 * time.Second

// running is a daemon that a script has started.
type running struct {
	command *exec.Cmd
	lines   chan string // of its log; closed at its end
	ready   string      // the line that says so
	main    int         // process that has taken its place; 0 for none
}

type daemonKey struct{}

// startDaemon is "daemon ARGUMENT...": mailweir serve, beside the script. "waitlog" reads its log.
func startDaemon(ts *testscript.TestScript, _ bool, args []string) {
	d := &running{command: exec.Command("mailweir", append([]string{"serve"}, args...)...), lines: make(chan string, 1000)}
	d.command.Dir = ts.MkAbs(".")
	d.command.Env = append(os.Environ(), "MAILWEIR_DNS=127.0.0.1:9", "JOURNAL_STREAM=", "NOTIFY_SOCKET=")
	if m := *theManager(ts); m != nil {
		m.managed(ts, d.command)
	}
	log, err := d.command.StderrPipe()
	ts.Check(err)
	ts.Check(d.command.Start())
	go func() {
		defer close(d.lines)
		for in := bufio.NewScanner(log); in.Scan(); {
			d.lines <- in.Text()
		}
	}()
	ts.Defer(func() {
		if d.command.ProcessState == nil {
			if d.main != 0 {
				_ = syscall.Kill(d.main, syscall.SIGKILL)
			}
			_ = d.command.Process.Kill()
			for range d.lines {
			}
			_ = d.command.Wait()
		}
	})
	*theDaemon(ts) = d
}

// theDaemon is the place of the script's latest daemon; Setup makes it.
func theDaemon(ts *testscript.TestScript) **running { return ts.Value(daemonKey{}).(**running) }

// waitLog is "waitlog REGEXP [NOT]": reads the log up to a line that matches. No line before it may
// match NOT.
func waitLog(ts *testscript.TestScript, _ bool, args []string) {
	d, want, not := *theDaemon(ts), regexp.MustCompile(args[0]), (*regexp.Regexp)(nil)
	if len(args) > 1 {
		not = regexp.MustCompile(args[1])
	}
	deadline := time.After(patience)
	for {
		select {
		case line, more := <-d.lines:
			if !more {
				ts.Fatalf("the daemon has ended without a line that matches %q", want)
			}
			ts.Logf("%s", line)
			if strings.Contains(line, "mailweir is ready") {
				d.ready = line
			}
			if want.MatchString(line) {
				return
			}
			if not != nil && not.MatchString(line) {
				ts.Fatalf("a line matches %q", not)
			}
		case <-deadline:
			ts.Fatalf("no line matches %q", want)
		}
	}
}

// signalDaemon is "signal HUP", "signal TERM" or "signal KILL".
func signalDaemon(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	d := *theDaemon(ts)
	if d.main == 0 {
		ts.Check(d.command.Process.Signal(signals[args[0]]))
		return
	}
	process, err := os.FindProcess(d.main)
	ts.Check(err)
	ts.Check(process.Signal(signals[args[0]]))
}

// ended is "ended CODE": waits for the daemon's end.
func ended(ts *testscript.TestScript, _ bool, args []string) {
	d := *theDaemon(ts)
	deadline := time.AfterFunc(patience, func() { _ = d.command.Process.Kill() })
	defer deadline.Stop()
	for line := range d.lines {
		ts.Logf("%s", line)
	}
	_ = d.command.Wait() // the code says it
	if code := strconv.Itoa(d.command.ProcessState.ExitCode()); code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

var listensAt = regexp.MustCompile(` http="?([0-9.]+:[0-9]+)`)

// get is "get STATUS PATH": asks the daemon by HTTP and writes what it says to the file "body".
func get(ts *testscript.TestScript, _ bool, args []string) {
	address := listensAt.FindStringSubmatch((*theDaemon(ts)).ready)
	if address == nil {
		ts.Fatalf("the log has not said where to ask")
	}
	client := http.Client{Timeout: patience}
	answer, err := client.Get("http://" + address[1] + args[1])
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if got := fmt.Sprint(answer.StatusCode); got != args[0] {
		ts.Fatalf("%s is answered with %s, want %s", args[1], got, args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs("body"), body, 0o600))
}

// The log has addresses as --listen takes them.
func TestListenAddress(t *testing.T) {
	for _, tt := range []struct {
		address net.Addr
		want    string
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8424}, "inet:127.0.0.1:8424"},
		{&net.UnixAddr{Net: "unix", Name: "/run/m.sock"}, "unix:/run/m.sock"},
	} {
		if got := listenAddress(tt.address); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.address, got, tt.want)
		}
	}
}
