// Package handover is how a running process hands its work to its successor, another program at the
// same place: the successor is started with all sockets that are listened on and a connection to
// the old process; the two then ask each other ([Peer]) until the old one has nothing more to do.
package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What a successor is told by variables: how far its start is, and how many sockets follow the
// connection, which is descriptor 3.
const (
	stageVariable   = "HANDOVER_STAGE"
	socketsVariable = "HANDOVER_SOCKETS"
	stageFork       = "fork"
	stageServe      = "serve"

	connectionAt = 3
	socketsAt    = connectionAt + 1
)

// own are variables that were for the old process alone: systemd names it in some of them.
var own = []string{stageVariable, socketsVariable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"}

// Start starts the program at a path with these arguments and variables as the successor of this
// process, and gives it the sockets, which are closed here; what they are is told over the
// connection that Start returns. The program is not a child of this process but of whoever is left
// with those whose parent has ended: it must not depend on this one.
func Start(path string, args, environ []string, sockets []int) (net.Conn, error) {
	defer func() {
		for _, fd := range sockets {
			_ = unix.Close(fd)
		}
	}()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	defer unix.Close(pair[1])
	conn, err := connection(pair[0])
	if err != nil {
		return nil, err
	}
	files := []uintptr{0, 1, 2, uintptr(pair[1])}
	for _, fd := range sockets {
		files = append(files, uintptr(fd))
	}
	if err := forked(path, args, variables(environ, stageFork, len(sockets)), files, forkWithin); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// forkWithin is how long a program may take to start itself again: one that does not know that it
// is to do so would run for ever.
const forkWithin = 10 * time.Second

// forked starts a program that starts itself again and ends within that time.
func forked(path string, args, environ []string, files []uintptr, within time.Duration) error {
	pid, _, err := syscall.StartProcess(path, append([]string{path}, args...), &syscall.ProcAttr{Env: environ, Files: files})
	if err != nil {
		return fmt.Errorf("handover: %s: %w", path, err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("handover: %w", err)
	}
	var hung atomic.Bool
	late := time.AfterFunc(within, func() {
		hung.Store(true)
		_ = process.Kill()
	})
	end, err := process.Wait()
	late.Stop()
	if err != nil {
		return fmt.Errorf("handover: %w", err)
	}
	if hung.Load() {
		return fmt.Errorf("handover: %s does not start a successor within %v, is it an older one that knows nothing of that?", path, within)
	}
	if !end.Success() {
		return fmt.Errorf("handover: %s: %s", path, end)
	}
	return nil
}

func variables(environ []string, stage string, sockets int) (with []string) {
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		mine := false
		for _, one := range own {
			mine = mine || name == one
		}
		if !mine {
			with = append(with, variable)
		}
	}
	return append(with, stageVariable+"="+stage, socketsVariable+"="+strconv.Itoa(sockets))
}

// connection makes a connection of a descriptor, which it takes over.
func connection(fd int) (net.Conn, error) {
	file := os.NewFile(uintptr(fd), "handover")
	defer file.Close() // the connection has one of its own
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	return conn, nil
}

// Inherited is what a successor is started with.
type Inherited struct {
	Conn      net.Conn
	Listeners []net.Listener // in the order in which they were given to [Start]
}

// ErrForked says that the successor has been started, and that this process is to end in order.
var ErrForked = errors.New("handover: the successor has been started")

// Inherit takes what this process was started with by its predecessor, nil where it has none. Its
// variables are gone afterwards. Nothing else may have been opened before.
func Inherit() (*Inherited, error) {
	stage := os.Getenv(stageVariable)
	if stage == "" {
		return nil, nil
	}
	sockets, err := strconv.ParseUint(os.Getenv(socketsVariable), 10, 10)
	if err != nil {
		return nil, fmt.Errorf("handover: %s: %w", socketsVariable, err)
	}
	if stage == stageFork {
		return nil, fork(int(sockets))
	}
	for _, name := range own {
		_ = os.Unsetenv(name) // it fails for names that are none
	}
	for fd := connectionAt; fd < socketsAt+int(sockets); fd++ {
		syscall.CloseOnExec(fd)
	}
	in := &Inherited{}
	if in.Conn, err = connection(connectionAt); err != nil {
		return nil, err
	}
	for fd := socketsAt; fd < socketsAt+int(sockets); fd++ {
		l, err := listener(fd)
		if err != nil {
			return nil, fmt.Errorf("handover: descriptor %d: %w", fd, err)
		}
		in.Listeners = append(in.Listeners, l)
	}
	return in, nil
}

func listener(fd int) (net.Listener, error) {
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close() // the listener has one of its own
	return net.FileListener(file)
}

// fork starts this program again, with all that it was given.
func fork(sockets int) error {
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("handover: %w", err)
	}
	files := []uintptr{0, 1, 2}
	for fd := connectionAt; fd < socketsAt+sockets; fd++ {
		files = append(files, uintptr(fd))
	}
	attributes := &syscall.ProcAttr{Env: variables(os.Environ(), stageServe, sockets), Files: files}
	if _, _, err := syscall.StartProcess(path, os.Args, attributes); err != nil {
		return fmt.Errorf("handover: %s: %w", path, err)
	}
	return ErrForked
}
