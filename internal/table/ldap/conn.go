package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"sync/atomic"
	"time"

	ldaplib "github.com/go-ldap/ldap/v3"
)

// server is one of those that a file names.
type server struct {
	name    string // as a URL
	network string // tcp or unix
	address string
	host    string // for its certificate; "" for a unix socket
	secure  bool   // TLS from the start

	// avoid is until when other servers are asked first, in nanoseconds since 1970; 0 while nothing
	// speaks against this one.
	avoid atomic.Int64
	// refused is why it does not let us in. Directories lock accounts for which wrong passwords
	// come again and again.
	refused atomic.Pointer[refusal]
}

// refusal is an answer to a bind that is taken for given until a time.
type refusal struct {
	err   error
	until time.Time
}

// refusedFor is how long a name and password that were wrong are not tried again.
const refusedFor = 30 * time.Second

// conn is a connection that we have introduced ourselves on. It serves one question at a time: what
// a question leaves behind that was given up is gone with its connection.
type conn struct {
	*server
	ldap *ldaplib.Conn
	raw  *boundedConn
	old  *time.Timer // closes it when it has been idle for long
}

// maxAnswer bounds the octets that a server may send for one question. A value may have 1 MiB; this
// is what a group of many members needs on the way there.
const maxAnswer = 4 << 20

// boundedConn lets so many octets through, and then fails.
type boundedConn struct {
	net.Conn
	left atomic.Int64
}

var errTooMuch = limitError(fmt.Sprintf("the answer is longer than %d MiB", maxAnswer>>20))

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left.Add(-int64(n)) < 0 {
		return 0, errTooMuch
	}
	return n, err
}

// dial connects to a server and introduces us.
func (d *driver) dial(ctx context.Context, s *server) (*conn, error) {
	if r := s.refused.Load(); r != nil && time.Now().Before(r.until) {
		return nil, r.err
	}
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, s.network, s.address)
	if err != nil {
		return nil, err
	}
	raw := &boundedConn{Conn: plain}
	raw.left.Store(maxAnswer)
	end := context.AfterFunc(ctx, func() { _ = raw.Close() })
	c, err := d.introduce(ctx, s, raw)
	if !end() && err == nil {
		c.close()
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, inTime(ctx, err)
	}
	return c, nil
}

// introduce makes TLS of a connection where it is wanted, and binds.
func (d *driver) introduce(ctx context.Context, s *server, raw *boundedConn) (*conn, error) {
	c := &conn{server: s, raw: raw}
	var config *tls.Config
	if s.secure || d.startTLS {
		var err error
		if config, err = d.tls.config(s.host); err != nil {
			return nil, err
		}
	}
	if s.secure {
		encrypted := tls.Client(raw, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		c.ldap = ldaplib.NewConn(encrypted, true)
	} else {
		c.ldap = ldaplib.NewConn(raw, false)
	}
	c.ldap.Start()
	if d.startTLS {
		if err := c.ldap.StartTLS(config); err != nil {
			c.close()
			return nil, fmt.Errorf("STARTTLS: %w", err)
		}
	}
	// A connection whose bind has failed would go on as an anonymous one, and find nothing.
	if err := d.bind.on(c.ldap); err != nil {
		c.close()
		wrong := ldaplib.IsErrorWithCode(err, ldaplib.LDAPResultInvalidCredentials)
		err = fmt.Errorf("bind as %s: %w", d.bind, err)
		if wrong {
			s.refused.Store(&refusal{err, time.Now().Add(refusedFor)})
		}
		return nil, err
	}
	return c, nil
}

// on introduces us on a connection.
func (b bind) on(c *ldaplib.Conn) error {
	switch b.how {
	case bindExternal:
		return c.ExternalBind()
	case bindSimple:
		_, err := c.SimpleBind(&ldaplib.SimpleBindRequest{Username: b.dn, Password: b.password, AllowEmptyPassword: true})
		return err
	}
	return nil
}

// use asks something on a connection. When ctx ends so does the connection, whatever it waits for.
func (c *conn) use(ctx context.Context, ask func(*conn) error) error {
	c.raw.left.Store(maxAnswer)
	end := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	err := ask(c)
	if !end() && err == nil {
		err = ctx.Err()
	}
	if err != nil && c.raw.left.Load() < 0 {
		return errTooMuch // the library tells it as a lost connection
	}
	return inTime(ctx, err)
}

// inTime is an error, or that of ctx if it has ended, which is then the cause of the other.
func inTime(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// close ends a connection without waiting for its server.
func (c *conn) close() {
	_ = c.raw.Close()
	_ = c.ldap.Close()
}

// search asks for entries. An error with the code of the server's answer is an error whatever
// entries came along (RFC 4511, section 4.5.2: they may not be all).
func (c *conn) search(s *settings, base string, scope int, filter string, attributes []string) ([]*ldaplib.Entry, error) {
	normal, err := normalFilter(filter)
	if err != nil {
		return nil, limitError(fmt.Sprintf("the search filter %q is wrong: %v", filter, err))
	}
	seconds := int(math.Ceil(s.timeout.Seconds()))
	result, err := c.ldap.Search(ldaplib.NewSearchRequest(base, scope, s.dereference, s.sizeLimit, seconds, false, normal, attributes, nil))
	if err != nil {
		return nil, err
	}
	return result.Entries, nil
}

// answered reports whether an error is what a server says about a question. One that is busy, or
// unavailable, has not answered.
func answered(err error) bool {
	var limit limitError
	if errors.As(err, &limit) {
		return true
	}
	var said *ldaplib.Error
	if !errors.As(err, &said) {
		return false
	}
	switch code := said.ResultCode; {
	case code == ldaplib.ErrorFilterCompile:
		return true
	case code >= ldaplib.ErrorNetwork && code < endOfLibrary:
		return false
	case code == ldaplib.LDAPResultBusy || code == ldaplib.LDAPResultUnavailable:
		return false
	}
	return true
}

// endOfLibrary is behind the codes that the library has for errors of its own: the network's, and
// malformed packets. RFC 4511 has none of them.
const endOfLibrary = 300

// spent reports whether a connection is of no more use after an error.
func spent(err error) bool {
	return errors.Is(err, errTooMuch) || doubtful(err)
}

// doubtful reports whether an error may be the connection's, so that a new one may do better.
func doubtful(err error) bool {
	var limit limitError
	return err != nil && !errors.As(err, &limit) &&
		!ldaplib.IsErrorAnyOf(err, ldaplib.LDAPResultNoSuchObject, ldaplib.LDAPResultSizeLimitExceeded)
}
