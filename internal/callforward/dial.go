package callforward

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"mailweir/internal/backend"
)

// mailServer is a server that is asked by SMTP or LMTP.
type mailServer struct {
	target target
	verb   string // EHLO or LHLO
	name   string // of ours, in EHLO
	ends   *ends
	idle   idle

	mu    sync.Mutex
	last  netip.Addr // the address that answered last, which is asked first
	plain time.Time  // until when TLS is not tried, because it failed
}

// tlsAgain is how long a server whose TLS has failed is asked in clear.
const tlsAgain = 10 * time.Minute

// errHandshake is the error of a TLS handshake: it is tried once more without.
var errHandshake = errors.New("TLS")

// open opens a connection up to the reply to EHLO, at the first address of the host that answers.
func (s *mailServer) open(ctx context.Context) (*conn, error) {
	addresses, err := s.addresses(ctx)
	if err != nil {
		return nil, err
	}
	var failed error
	for i, address := range addresses {
		one, cancel := share(ctx, len(addresses)-i)
		c, err := s.openAt(one, address)
		cancel()
		if err == nil {
			return c, nil
		}
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, oneLine(failed)
}

// oneLine is errors.Join's error without its line ends.
func oneLine(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") {
		return fmt.Errorf("%s%w", strings.ReplaceAll(text, "\n", "; "), silent{err})
	}
	return err
}

// silent adds nothing to a text that has been shown.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (e silent) Unwrap() error { return e.error }

// share gives one of n attempts its part of the time that is left.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok && n > 1 {
		return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(n))
	}
	return context.WithCancel(ctx)
}

// addresses are what is dialled, in order: all addresses of the host, as the system knows them, the
// one that answered last in front.
func (s *mailServer) addresses(ctx context.Context) ([]string, error) {
	if s.target.network == "unix" {
		return []string{s.target.path}, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", s.target.host)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	var list []string
	for _, ip := range found {
		address := net.JoinHostPort(ip.Unmap().String(), s.target.port)
		if ip.Unmap() == last {
			list = append([]string{address}, list...)
		} else {
			list = append(list, address)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no address", s.target.host)
	}
	return list, nil
}

// openAt opens a connection to one address, and once more in clear if TLS fails.
func (s *mailServer) openAt(ctx context.Context, address string) (*conn, error) {
	s.mu.Lock()
	secure := time.Now().After(s.plain)
	s.mu.Unlock()
	c, err := s.attempt(ctx, address, secure)
	if errors.Is(err, errHandshake) {
		s.mu.Lock()
		s.plain = time.Now().Add(tlsAgain)
		s.mu.Unlock()
		c, err = s.attempt(ctx, address, false)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, inWords(err))
	}
	s.mu.Lock()
	s.last = remoteAddr(c)
	s.mu.Unlock()
	return c, nil
}

func remoteAddr(c *conn) netip.Addr {
	end, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return end.Addr().Unmap()
}

func (s *mailServer) attempt(ctx context.Context, address string, secure bool) (*conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, s.target.network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, raw: raw, in: bufio.NewReaderSize(raw, maxLine), ends: s.ends, opened: time.Now()}
	s.ends.add(c)
	done := backend.Within(ctx, raw)
	err = s.greet(ctx, c, secure)
	done()
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// greet speaks up to the point at which a question can be asked.
func (s *mailServer) greet(ctx context.Context, c *conn, secure bool) error {
	r, err := c.read()
	switch {
	case err != nil:
		return err
	case r.code != 220:
		return &dialogError{"the connection", r}
	}
	c.greeting, _, _ = strings.Cut(printable(r.lines[0]), " ")
	if err := c.hello(s.verb, s.name); err != nil || !c.startTLS || !secure {
		return err
	}
	return s.startTLS(ctx, c)
}

// startTLS encrypts the connection (RFC 3207), without asking who the server is: whoever is in
// between could as well take STARTTLS out. What was sent before the handshake counts for nothing.
func (s *mailServer) startTLS(ctx context.Context, c *conn) error {
	r, err := c.command("STARTTLS")
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errHandshake, err)
	case r.code/100 == 4 || r.code/100 == 5:
		return nil // not available now; the session goes on in clear
	case r.code != 220:
		return &dialogError{"STARTTLS", r}
	}
	// Old servers have old TLS; better than clear text it is.
	secured := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, ServerName: s.target.host, MinVersion: tls.VersionTLS10}) //nolint:gosec // unverified by intent
	// One that hangs leaves time for the second attempt.
	ctx, cancel := share(ctx, 2)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	c.Conn, c.in, c.encrypted = secured, bufio.NewReaderSize(secured, maxLine), true
	return c.hello(s.verb, s.name)
}

// inWords says what an end or a deadline means here.
func inWords(err error) error {
	switch {
	case isTimeout(err):
		return fmt.Errorf("it does not answer in time: %w", err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("this user may not connect: %w", err)
	}
	return err
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
