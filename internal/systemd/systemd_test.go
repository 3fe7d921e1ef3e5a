package systemd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/systemd"
)

// patience bounds every wait; it is never what a test waits for.
const patience = 20 * time.Second

// TestMain is also the program that hangs, for TestHang.
func TestMain(m *testing.M) {
	if os.Getenv("HANGS") == "" {
		os.Exit(m.Run())
	}
	n, err := systemd.NewNotifier(nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	n.Ready("works")
	var lock sync.Mutex
	moved := 0
	n.Watch(context.Background(), func(err error) { fmt.Fprintln(os.Stderr, err) },
		systemd.Part{Name: "what works", Moves: func(context.Context) error { return nil }},
		systemd.Part{Name: "what hangs", Moves: func(context.Context) error {
			if moved++; moved == 3 {
				lock.Lock()
			}
			lock.Lock() // for ever, the third time
			defer lock.Unlock()
			return nil
		}})
}

// manager listens as systemd does.
type manager struct{ conn *net.UnixConn }

func listen(t *testing.T) *manager {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return &manager{conn}
}

// next is the next message, "" when none came within that time.
func (m *manager) next(t *testing.T, within time.Duration) string {
	t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 4096)
	n, err := m.conn.Read(message)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return string(message[:n])
}

func notifier(t *testing.T) *systemd.Notifier {
	t.Helper()
	n, err := systemd.NewNotifier(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMessages has the words of sd_notify(3).
func TestMessages(t *testing.T) {
	m := listen(t)
	n := notifier(t)
	for _, c := range []struct {
		name string
		does func()
		want string
	}{
		{"ready", func() { n.Ready("works") }, `READY=1\nSTATUS=works`},
		{"status", func() { n.Status("1\n2") }, `STATUS=1 2`},
		{"status again", func() { n.Status("1\n2"); n.Status("3") }, `STATUS=3`},
		{"reload", n.Reloading, `RELOADING=1\nMONOTONIC_USEC=\d+`},
		{"end", func() { n.Stopping("drains", time.Minute) }, `STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000\nSTATUS=drains`},
		{"load", func() { n.Loading("reads")() }, `STATUS=reads`},
	} {
		c.does()
		if got := m.next(t, patience); !regexp.MustCompile("^" + c.want + "$").MatchString(got) {
			t.Errorf("%s: %q, want %s", c.name, got, c.want)
		}
	}
}

// TestSilence: without systemd nothing is said and nothing watched.
func TestSilence(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "1000")
	n := notifier(t)
	n.Ready("works")
	n.Watch(context.Background(), nil, systemd.Part{Name: "x", Moves: func(context.Context) error { panic("asked") }})
	if n.Listens() {
		t.Error("somebody listens")
	}
}

// TestGone: what cannot be said is told once, and nobody waits.
func TestGone(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	told := 0
	n, err := systemd.NewNotifier(func(error) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	n.Ready("a")
	n.Status("b")
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// TestHang plays systemd for a program of which a part hangs: the watchdog is fed while all moves,
// not any more afterwards, and SIGABRT shows where it hangs.
func TestHang(t *testing.T) {
	m := listen(t)
	const watchdog = 2 * time.Second
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HANGS=1", fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds()), "GOTRACEBACK=")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if got := m.next(t, patience); !strings.HasPrefix(got, "READY=1") {
		t.Fatalf("%q", got)
	}
	fed := 0
	for m.next(t, watchdog) == "WATCHDOG=1" {
		fed++
	}
	if fed != 2 {
		t.Errorf("the watchdog was fed %d times, want 2", fed)
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for in := bufio.NewScanner(log); in.Scan(); {
		text.WriteString(in.Text() + "\n")
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it ended in order")
	}
	for _, want := range []string{"what hangs does not move: context deadline exceeded; unless that ends, systemd ends this process within 2s", "SIGABRT", "sync.(*Mutex).Lock", "TestMain"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, text.String())
		}
	}
}

// TestMovesAgain: a part that moves again is told of once each time it hangs.
func TestMovesAgain(t *testing.T) {
	m := listen(t)
	t.Setenv("WATCHDOG_USEC", "400000")
	n := notifier(t)
	ctx, cancel := context.WithCancel(context.Background())
	hangs := make(chan error, 100)
	gate := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		n.Watch(ctx, func(err error) { hangs <- err }, systemd.Part{Name: "the gate", Moves: func(ctx context.Context) error {
			select {
			case gate <- struct{}{}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
	})
	if err := <-hangs; !strings.HasPrefix(err.Error(), "the gate does not move") {
		t.Error(err)
	}
	<-gate
	if got := m.next(t, patience); got != "WATCHDOG=1" {
		t.Errorf("%q", got)
	}
	if err := <-hangs; err == nil {
		t.Error("no second hang")
	}
	cancel()
	watching.Wait()
	if len(hangs) > 0 {
		t.Errorf("told again: %v", <-hangs)
	}
}

// TestSockets hands sockets over as systemd does: descriptors from 3 on, named by variables.
func TestSockets(t *testing.T) {
	if os.Getenv("TAKES") != "" {
		takes(t)
		return
	}
	dir := t.TempDir()
	var files []*os.File
	for _, name := range []string{"a", "b"} {
		l, err := net.Listen("unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		file, err := l.(*net.UnixListener).File()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	datagrams, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "c"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	odd, err := datagrams.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files []*os.File
		want  string
	}{
		{"none", nil, "[]"},
		{"two", files, "[milter " + dir + "/a other.socket " + dir + "/b]"},
		{"no stream", append(files, odd), "LISTEN_FD_5: nobody can connect to it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run=TestSockets`, os.Args[0])
			cmd.ExtraFiles = c.files
			cmd.Env = append(os.Environ(), "TAKES=1", fmt.Sprintf("LISTEN_FDS=%d", len(c.files)), "LISTEN_FDNAMES=milter:other.socket")
			out, err := cmd.Output()
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, %s; want %s", err, out, c.want)
			}
		})
	}
}

func takes(*testing.T) {
	sockets, err := systemd.Sockets()
	var names []string
	for _, s := range sockets {
		names = append(names, s.Name, s.Listener.Addr().String())
	}
	fmt.Println(names, err)
	if again, err := systemd.Sockets(); len(again) > 0 || err != nil {
		fmt.Println("again", again, err)
		os.Exit(1)
	}
}
