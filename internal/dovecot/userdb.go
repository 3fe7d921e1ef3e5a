package dovecot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"mailweir/internal/backend"
)

const (
	// maxRequest is the longest line that the server reads; it closes the connection at a longer
	// one.
	maxRequest = 1024
	// maxAnswer bounds what is read of one line: an answer has all fields of the user.
	maxAnswer = 16 << 10
	// maxLines bounds the lines before an answer.
	maxLines = 16
	// mostKept is how many connections are kept.
	mostKept = 4
)

// Userdb is the socket of an auth process. It is safe for use by many at once.
type Userdb struct {
	path string

	mu     sync.Mutex
	kept   []*session
	closed bool
}

// NewUserdb returns the userdb at the path of a unix socket. It connects when it is asked.
func NewUserdb(path string) *Userdb { return &Userdb{path: path} }

var (
	// ErrAddress is the error of a user name that cannot be asked about.
	ErrAddress = errors.New("the user name is longer than its protocol allows")
	// ErrFailed is the error of a server that does not know.
	ErrFailed = errors.New("it cannot tell at the moment (FAIL); its own log says why")
)

// session is one connection with at most one request under way.
type session struct {
	net.Conn
	in *bufio.Reader
	id uint32
}

// Exists reports whether the userdb has the user. It ends when ctx does.
func (u *Userdb) Exists(ctx context.Context, user string) (bool, error) {
	for s := u.take(); s != nil; s = u.take() {
		found, err := u.ask(ctx, s, user)
		if !errors.Is(err, errGone) || ctx.Err() != nil {
			return found, err
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", u.path)
	if err != nil {
		return false, err
	}
	s := &session{Conn: conn, in: bufio.NewReaderSize(conn, maxAnswer)}
	if err := s.handshake(ctx); err != nil {
		_ = s.Close()
		return false, err
	}
	return u.ask(ctx, s, user)
}

// ask puts one request. A session that has not failed is kept.
func (u *Userdb) ask(ctx context.Context, s *session, user string) (bool, error) {
	found, err := s.request(ctx, user)
	if (err == nil || errors.Is(err, ErrFailed)) && s.in.Buffered() == 0 {
		u.keep(s)
	} else {
		_ = s.Close()
	}
	return found, err
}

func (u *Userdb) take() *session {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := len(u.kept)
	if n == 0 {
		return nil
	}
	s := u.kept[n-1]
	u.kept = u.kept[:n-1]
	return s
}

func (u *Userdb) keep(s *session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || len(u.kept) == mostKept {
		_ = s.Close()
		return
	}
	u.kept = append(u.kept, s)
}

// Close gives up the connections that nobody uses, and those in use when they are free.
func (u *Userdb) Close() error {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	for s := u.take(); s != nil; s = u.take() {
		_ = s.Close()
	}
	return nil
}

// handshake sends our version without waiting, because Dovecot 2.4 waits for it, and reads the
// server's.
func (s *session) handshake(ctx context.Context) error {
	defer backend.Within(ctx, s)()
	if _, err := io.WriteString(s, "VERSION\t1\t0\n"); err != nil {
		return err
	}
	line, err := s.line()
	if err != nil {
		return fmt.Errorf("its greeting: %w", err)
	}
	fields := strings.Split(line, "\t")
	if fields[0] == "VERSION" && len(fields) >= 2 && fields[1] == "1" {
		return nil
	}
	return fmt.Errorf("it greets by %q: want VERSION 1 of the master protocol, at the socket auth-userdb", cut(line))
}

// errGone is the error of a connection that was closed before it gave an answer.
var errGone = errors.New("it has closed the connection")

func (s *session) request(ctx context.Context, user string) (bool, error) {
	s.id = s.id%0x7fffffff + 1
	line := fmt.Sprintf("USER\t%d\t%s\tservice=lmtp\n", s.id, escape(user))
	if len(line) > maxRequest {
		return false, ErrAddress
	}
	defer backend.Within(ctx, s)()
	if _, err := io.WriteString(s, line); err != nil {
		return false, fmt.Errorf("%w: %w", errGone, err)
	}
	for range maxLines {
		line, err := s.line()
		if err != nil {
			return false, err
		}
		if name, rest, _ := strings.Cut(line, "\t"); name != "SPID" && name != "VERSION" {
			return s.answer(name, rest)
		}
	}
	return false, errors.New("its answer has no end")
}

// answer reads "USER id user fields", "NOTFOUND id" or "FAIL id parameters".
func (s *session) answer(name, rest string) (bool, error) {
	id, _, _ := strings.Cut(rest, "\t")
	if n, err := strconv.ParseUint(id, 10, 32); err != nil || uint32(n) != s.id {
		return false, fmt.Errorf("it answers %q to request %d", cut(name+" "+rest), s.id)
	}
	switch name {
	case "USER":
		return true, nil
	case "NOTFOUND":
		return false, nil
	case "FAIL":
		return false, ErrFailed
	}
	return false, fmt.Errorf("it answers %q, which is not in the protocol", cut(name))
}

func (s *session) line() (string, error) {
	line, err := s.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("a line of its answer is longer than %d octets", maxAnswer)
	case errors.Is(err, io.EOF):
		return "", errGone
	case err != nil:
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return "", fmt.Errorf("it does not answer in time: %w", err)
		}
		return "", fmt.Errorf("%w: %w", errGone, err)
	}
	return string(line[:len(line)-1]), nil
}

// escape is the protocol's escaping of what would end a field or a line.
func escape(s string) string {
	return strings.NewReplacer("\x01", "\x011", "\x00", "\x010", "\t", "\x01t", "\r", "\x01r", "\n", "\x01n").Replace(s)
}

func cut(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
