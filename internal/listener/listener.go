// Package listener is what the program listens on: sockets of which can be asked whether anybody
// still accepts connections there.
package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listener is a listener that can be asked whether its accept loop moves.
type Listener struct {
	net.Listener

	mu     sync.Mutex
	asked  chan struct{} // closed when the loop has come by; nil when nobody asks
	closed chan struct{}
	once   sync.Once
	gate   <-chan struct{} // nil for an open one
}

// New wraps a listener of package net or of package milter. It accepts nothing before the gate is
// closed; nil is none.
func New(l net.Listener, gate <-chan struct{}) *Listener {
	return &Listener{Listener: l, gate: gate, closed: make(chan struct{})}
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	if l.gate != nil {
		select {
		case <-l.gate:
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	for {
		conn, err := l.Listener.Accept()
		if err == nil || !l.answer(err) {
			return conn, err
		}
	}
}

// Close ends accepting.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Descriptor returns a descriptor of the socket for another process, which is not closed with the
// listener. It is a bare one: package os would have accepting block a thread.
func (l *Listener) Descriptor() (int, error) {
	raw, has := l.Listener.(syscall.Conn)
	if !has {
		return 0, fmt.Errorf("%s: it has no descriptor", l.Addr())
	}
	conn, err := raw.SyscallConn()
	if err != nil {
		return 0, err
	}
	fd, failed := 0, error(nil)
	err = conn.Control(func(own uintptr) { fd, failed = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(err, failed)
}

// Leave says whether the socket's file stays when the listener closes: another process goes on with
// it.
func (l *Listener) Leave(stays bool) {
	if own, is := l.Listener.(interface{ Leave(bool) }); is {
		own.Leave(stays)
	}
}

// Moves returns nil when whoever accepts has come by to accept the next connection, or when the
// listener is closed, or the error of the context. It wakes the loop for that, so nothing is done
// while nobody asks.
func (l *Listener) Moves(ctx context.Context) error {
	select {
	case <-l.ask():
	case <-l.closed:
	case <-ctx.Done():
		return fmt.Errorf("accepting on %s: %w", l.Addr(), ctx.Err())
	}
	return nil
}

// ask wakes the loop by a deadline that is over. What it returns is closed when the loop has seen
// that.
func (l *Listener) ask() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked != nil {
		return l.asked
	}
	asked := make(chan struct{})
	if l.deadline(time.Unix(1, 0)) {
		l.asked = asked
	} else {
		close(asked) // it is closed
	}
	return asked
}

// answer says that the loop has come by, if it was woken for that.
func (l *Listener) answer(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline(time.Time{})
	if l.asked != nil {
		close(l.asked)
		l.asked = nil
	}
	return true
}

// deadline sets the deadline of accepting; every listener of package net has one.
func (l *Listener) deadline(at time.Time) bool {
	d, has := l.Listener.(interface{ SetDeadline(time.Time) error })
	return has && d.SetDeadline(at) == nil
}
