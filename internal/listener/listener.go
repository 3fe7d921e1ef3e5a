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
	"time"
)

// Listener is a listener that can be asked whether its accept loop moves.
type Listener struct {
	net.Listener

	mu     sync.Mutex
	asked  chan struct{} // closed when the loop has come by; nil when nobody asks
	closed chan struct{}
	once   sync.Once
}

// New wraps a listener of package net or of package milter.
func New(l net.Listener) *Listener { return &Listener{Listener: l, closed: make(chan struct{})} }

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
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
