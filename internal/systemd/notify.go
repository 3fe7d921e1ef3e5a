// Package systemd is what a service has to do with systemd: it says when it is ready and what it
// does (sd_notify(3)), feeds the watchdog while it moves, and takes the sockets that are handed
// over (sd_listen_fds(3)). Where no systemd started the program, nothing is said and nothing is
// taken.
package systemd

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Notifier tells systemd of the service. Its methods may be called from any goroutine, and wait for
// nothing longer than a second.
type Notifier struct {
	socket   string        // "" where nobody listens
	watchdog time.Duration // WatchdogSec=, 0 without one
	trouble  func(error)

	mu     sync.Mutex
	status string // that systemd shows
	failed bool   // the last message did not arrive
}

// NewNotifier reads where systemd listens from the environment. trouble is told when systemd cannot
// be reached any more.
func NewNotifier(trouble func(error)) (*Notifier, error) {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("WATCHDOG_USEC, WATCHDOG_PID: %w", err)
	}
	return &Notifier{socket: os.Getenv("NOTIFY_SOCKET"), watchdog: watchdog, trouble: trouble}, nil
}

// Listens reports whether there is a systemd that wants to know.
func (n *Notifier) Listens() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.socket != ""
}

// Ready says that the service does its work, at the start and after [Notifier.Reloading], and shows
// what that is.
func (n *Notifier) Ready(status string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status = status
	n.send("READY=1", statusLine(status))
}

// Status shows what the service does, if that is not shown yet.
func (n *Notifier) Status(status string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.status == status {
		return
	}
	n.status = status
	n.send(statusLine(status))
}

// Reloading says that the configuration is read again. [Notifier.Ready] is due afterwards, whatever
// comes of it.
func (n *Notifier) Reloading() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.send("RELOADING=1", strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// Stopping says that the service ends, and how long that may take.
func (n *Notifier) Stopping(status string, within time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status = status
	n.send("STOPPING=1", extendLine(within), statusLine(status))
}

// MainPID says that another process does the work from now on; this one has nothing more to say.
func (n *Notifier) MainPID(pid int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.send(fmt.Sprintf("MAINPID=%d", pid))
	n.socket = ""
}

// Loading says what is being done before the service is ready, and asks for time while that takes
// longer. The function that it returns says that it is done.
func (n *Notifier) Loading(what string) (done func()) {
	n.Status(what)
	ctx, cancel := context.WithTimeout(context.Background(), loadWithin)
	var asking sync.WaitGroup
	asking.Go(func() { n.extend(ctx) })
	return func() {
		cancel()
		asking.Wait()
	}
}

// Loading asks every extendEvery for extendBy more, for loadWithin in all: what hangs is not to be
// waited for without end.
const (
	extendEvery = 5 * time.Second
	extendBy    = 20 * time.Second
	loadWithin  = 10 * time.Minute
)

func (n *Notifier) extend(ctx context.Context) {
	ticker := time.NewTicker(extendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			n.mu.Lock()
			n.send(extendLine(extendBy))
			n.mu.Unlock()
		}
	}
}

func statusLine(status string) string {
	return "STATUS=" + strings.ReplaceAll(status, "\n", " ")
}

func extendLine(by time.Duration) string {
	return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", by.Microseconds())
}

// sendWithin bounds one message: systemd may be busy with itself.
const sendWithin = time.Second

// send says lines in one message. The caller has the lock, so that messages keep their order.
func (n *Notifier) send(lines ...string) {
	if n.socket == "" {
		return
	}
	err := write(n.socket, strings.Join(lines, "\n"))
	if err != nil && !n.failed && n.trouble != nil {
		n.trouble(fmt.Errorf("systemd is not told (NOTIFY_SOCKET): %w", err))
	}
	n.failed = err != nil
}

func write(socket, message string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(message))
	return err
}
