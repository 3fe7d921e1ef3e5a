// Package ldap asks directories: the tables ldap:FILE, of which FILE is one of Postfix's own
// (ldap_table(5)). The answer to a key is that of "postmap -q", but for what follows.
//
//   - LDAP 3 is spoken, also where the file says version = 2.
//   - Referrals are not followed. Those among results are passed over, as by Postfix; that the base
//     itself is elsewhere is an error, and so is chase_referrals = yes.
//   - A server that accepts a connection and then says nothing, or does not let us in, is passed
//     over for the next one. Postfix fails.
//   - Of SASL there is EXTERNAL, which needs a certificate or a unix socket.
//
// What cannot be found out is an error and never "not found". So a connection is closed whose bind
// has failed, and entries that come with an error are not looked at.
package ldap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	ldaplib "github.com/go-ldap/ldap/v3"

	"mailweir/internal/table/remote"
)

// Kind is the table type ldap.
func Kind() remote.Kind {
	return remote.Kind{Name: "ldap", File: true, InFlight: maxConnections, Open: open}
}

// driver asks the servers of one file.
type driver struct {
	*settings
	pool pool
}

func open(source remote.Source) (remote.Driver, error) {
	s := read(source.File)
	if err := source.File.Err(); err != nil {
		return nil, err
	}
	return &driver{settings: s}, nil
}

// Find answers one key.
func (d *driver) Find(ctx context.Context, key string) (value string, found bool, err error) {
	if !utf8.ValidString(key) {
		return "", false, nil
	}
	match, err := d.domains.Match(ctx, key)
	if !match || err != nil {
		return "", false, asAnswer(err)
	}
	base, hasBase := d.base.Expand(key, quoteBase)
	filter, hasFilter := d.filter.Expand(key, quoteFilter)
	if !hasBase || !hasFilter {
		return "", false, nil
	}
	err = d.ask(ctx, func(c *conn) error {
		value, err = d.lookUp(c, key, base, filter)
		return err
	})
	return value, err == nil && value != "", asAnswer(err)
}

// lookUp asks one server.
func (d *driver) lookUp(c *conn, key, base, filter string) (string, error) {
	a := answer{rules: &d.rules, key: key, search: func(base string, scope int, filter string, names []string) ([]*ldaplib.Entry, error) {
		return c.search(d.settings, base, scope, filter, names)
	}}
	entries, err := a.search(base, d.scope, filter, d.names)
	if ldaplib.IsErrorWithCode(err, ldaplib.LDAPResultNoSuchObject) && !d.base.Fixed() {
		return "", nil
	}
	if err == nil {
		err = a.take(entries, 1)
	}
	if err == nil && !utf8.Valid(a.value) {
		err = limitError(errNotUTF8.Error())
	}
	if err != nil {
		return "", err
	}
	return string(a.value), nil
}

// asAnswer marks the errors by which a server has answered.
func asAnswer(err error) error {
	if answered(err) {
		return remote.Answered{Err: err}
	}
	return err
}

// avoidFor is how long a server that has failed is asked after the others.
const avoidFor = 30 * time.Second

// ask puts a question to the first server that answers it: on a connection that is idle, and then
// on new ones. Each has the file's timeout, or its share of what is left.
func (d *driver) ask(ctx context.Context, question func(*conn) error) error {
	servers := d.inOrder(time.Now())
	if c := d.pool.take(); c != nil {
		err := d.try(ctx, spare(ctx, len(servers)), func(ctx context.Context) error { return d.on(ctx, c, question) })
		if err == nil || answered(err) && !doubtful(err) {
			return err
		}
		// The server may have closed it, been started again, or forgotten who we are.
		d.pool.drop(func(other *conn) bool { return other.server == c.server })
	}
	var failures []error
	for i, s := range servers {
		err := d.try(ctx, share(ctx, len(servers)-i), func(ctx context.Context) error {
			c, err := d.dial(ctx, s)
			if err != nil {
				return notAnAnswer{err}
			}
			return d.on(ctx, c, question)
		})
		if err == nil || answered(err) {
			s.avoid.Store(0)
			return err
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		d.pool.drop(func(other *conn) bool { return other.server == s })
		s.avoid.Store(time.Now().Add(avoidFor).UnixNano())
		failures = append(failures, fmt.Errorf("%s: %w", s.name, err))
		if ctx.Err() != nil {
			break
		}
	}
	return failed(failures)
}

// inOrder are the servers in the order of the file, those last that have failed a moment ago.
func (d *driver) inOrder(now time.Time) []*server {
	if len(d.servers) == 1 {
		return d.servers
	}
	servers := slices.Clone(d.servers)
	slices.SortStableFunc(servers, func(a, b *server) int { return a.rank(now) - b.rank(now) })
	return servers
}

// rank is 1 for a server to be avoided. Whoever comes first after the time is up tries it, and
// nobody else until it has answered.
func (s *server) rank(now time.Time) int {
	until := s.avoid.Load()
	if until == 0 || until <= now.UnixNano() && s.avoid.CompareAndSwap(until, now.Add(avoidFor).UnixNano()) {
		return 0
	}
	return 1
}

// share is an equal part of what is left of the time, for each attempt that there may be.
func share(ctx context.Context, attempts int) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return math.MaxInt64
	}
	return time.Until(deadline) / time.Duration(attempts)
}

// spare is the time for a connection that was idle. With one server it is all that a new connection
// would not need, so that a slow answer is waited for.
func spare(ctx context.Context, servers int) time.Duration {
	const forNew = 1500 * time.Millisecond
	equal := share(ctx, servers+1)
	if servers == 1 {
		return max(equal, share(ctx, 1)-forNew)
	}
	return equal
}

// try gives an attempt its time, and no more than the file's timeout.
func (d *driver) try(ctx context.Context, within time.Duration, f func(context.Context) error) error {
	within = min(within, d.timeout)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := f(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v: %w", within.Round(time.Millisecond), err)
	}
	return err
}

// on asks on a connection, which is idle or closed afterwards.
func (d *driver) on(ctx context.Context, c *conn, question func(*conn) error) error {
	err := c.use(ctx, question)
	if spent(err) {
		c.close()
	} else {
		d.pool.give(c)
	}
	return err
}

// Close lets the connections go.
func (d *driver) Close() error {
	d.pool.close()
	return nil
}

// notAnAnswer is an error before any question was put, such as a bind that the server refuses: it
// says nothing of the key.
type notAnAnswer struct{ err error }

func (e notAnAnswer) Error() string        { return e.err.Error() }
func (e notAnAnswer) Is(target error) bool { return errors.Is(e.err, target) }

// failed joins the errors of several servers in one line.
func failed(failures []error) error {
	all := failures[0]
	for _, err := range failures[1:] {
		all = fmt.Errorf("%w; %w", all, err)
	}
	return all
}
