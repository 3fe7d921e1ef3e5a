// Package served has the tables that a server of the administrator's own answers, by one of two
// protocols that Postfix speaks: socketmap_table(5) and tcp_table(5). The answer for a key is that
// of "postmap -q".
//
// Servers written for Postfix expect what it asks for: the whole address or name, and no parts of
// it.
package served

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/table/remote"
)

// inFlight bounds the connections to one server. Postfix has one for each of its processes.
const inFlight = 50

// idleFor is how long a connection waits for the next question, as in Postfix.
const idleFor = 10 * time.Second

// probeKey is what a server is asked for to see whether it answers; any answer will do.
const probeKey = "mailweir@probe.invalid"

// protocol asks one question over a connection. An error that is not [remote.Answered] leaves the
// connection of no more use, and so does done.
type protocol interface {
	ask(c *connection, key string) (value string, found, done bool, err error)
}

// server is a table behind connections. It is a [remote.Driver].
type server struct {
	protocol         protocol
	network, address string

	mu     sync.Mutex
	idle   []*connection // the one used last at the end
	closed bool
}

type connection struct {
	net.Conn
	r     *bufio.Reader
	since time.Time // when it was used last
}

// Find implements [remote.Driver]. A connection that was kept may have been closed by the server
// meanwhile: then the question is put once more, over a new one.
func (s *server) Find(ctx context.Context, key string) (value string, found bool, err error) {
	if c := s.take(); c != nil {
		value, found, err = s.over(ctx, c, key)
		if err == nil || ctx.Err() != nil || errors.As(err, new(remote.Answered)) {
			return value, found, err
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
	if err != nil {
		return "", false, err
	}
	return s.over(ctx, &connection{Conn: conn, r: bufio.NewReader(conn)}, key)
}

// over asks over a connection, and keeps it if it is of use.
func (s *server) over(ctx context.Context, c *connection, key string) (value string, found bool, err error) {
	release := backend.Within(ctx, c)
	value, found, done, err := s.protocol.ask(c, key)
	release()
	if done || c.r.Buffered() > 0 || err != nil && !errors.As(err, new(remote.Answered)) {
		_ = c.Close()
	} else {
		s.keep(c)
	}
	if err == nil && found && value == "" {
		// Postfix takes it for an error, too: servers say so that do not know how to say "not
		// found".
		err = remote.Answered{Err: errors.New("the value is empty; a server should say that there is no entry")}
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return value, found && err == nil, err
}

func (s *server) take() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if backend.Quiet(c.Conn) {
			return c
		}
		_ = c.Close()
	}
	return nil
}

// keep keeps a connection for the next question, until it has been idle for long.
func (s *server) keep(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.idle) >= inFlight {
		_ = c.Close()
		return
	}
	c.since = time.Now()
	s.idle = append(s.idle, c)
	if len(s.idle) == 1 {
		time.AfterFunc(idleFor, s.sweep)
	}
}

// sweep closes what has been idle for long, and comes again while anything is.
func (s *server) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := 0
	for old < len(s.idle) && time.Since(s.idle[old].since) >= idleFor {
		_ = s.idle[old].Close()
		old++
	}
	s.idle = append(s.idle[:0:0], s.idle[old:]...)
	if len(s.idle) > 0 {
		time.AfterFunc(time.Until(s.idle[0].since.Add(idleFor)), s.sweep)
	}
}

// Probe implements [remote.Driver].
func (s *server) Probe(ctx context.Context) error {
	_, _, err := s.Find(ctx, probeKey)
	if errors.As(err, new(remote.Answered)) {
		return nil
	}
	return err
}

// Inspect implements [remote.Driver].
func (s *server) Inspect(ctx context.Context) (text string, remarks []string, err error) {
	if host, _, err := net.SplitHostPort(s.address); s.network == "tcp" && err == nil && !backend.Loopback(host) {
		remarks = append(remarks, fmt.Sprintf("keys and answers go to %s in clear text", s.address))
	}
	if _, _, err := s.Find(ctx, probeKey); err != nil {
		return "", remarks, err
	}
	return "the server answers", remarks, nil
}

// Close implements [remote.Driver].
func (s *server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.idle {
		_ = c.Close()
	}
	s.idle = nil
	return nil
}

// hostPort checks HOST:PORT, an IPv6 address in brackets.
func hostPort(text string) (string, error) {
	if strings.Contains(text, "@") {
		return "", errors.New("a user or password has no place here: the protocol knows none")
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || port == "" {
		return "", fmt.Errorf("%q is not HOST:PORT", text)
	}
	return text, nil
}

// shown is what a server has said, for an error: on one line, and not too long.
func shown(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
