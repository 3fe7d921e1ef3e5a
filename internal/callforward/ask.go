package callforward

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mailweir/internal/address"
)

// finding is what one question has brought.
type finding struct {
	verdict verdict
	said    string
	self    bool // the connection led back to us
}

// errUTF8 is the error of an address that the server cannot read.
var errUTF8 = errors.New("it does not offer SMTPUTF8, which the address needs")

// errSilent marks the errors of a server that does not answer at all.
type errSilent struct{ error }

func (e errSilent) Unwrap() error { return e.error }

// errHung is the error of a question that was not answered in time, by a server that had greeted.
type errHung struct{ error }

func (e errHung) Unwrap() error { return e.error }

// ask asks on a connection that is kept, or on one of its own. An error is errSilent if the
// server as a whole may be down.
func (s *mailServer) ask(ctx context.Context, to address.Address, own bool) (finding, error) {
	path, utf8, err := forwardPath(to)
	if err != nil {
		return finding{}, err
	}
	if !own {
		// A kept connection may have been left by the server just now: that is no answer.
		for c := s.idle.take(); c != nil; c = s.idle.take() {
			f, err := s.askOn(ctx, c, path, utf8)
			if !isGone(err) || ctx.Err() != nil {
				return f, err
			}
		}
	}
	c, err := s.open(ctx)
	if err != nil {
		return finding{}, errSilent{err}
	}
	return s.askOn(ctx, c, path, utf8)
}

func (s *mailServer) askOn(ctx context.Context, c *conn, path string, utf8 bool) (finding, error) {
	if utf8 && !c.smtputf8 {
		s.idle.put(c)
		return finding{}, errUTF8
	}
	r, usable, err := c.question(ctx, path, utf8)
	f := finding{verdict: r.judge(), said: r.String(), self: s.ends.isSelf(c)}
	var refused *dialogError
	switch {
	case usable:
		s.idle.put(c)
	case err == nil, errors.As(err, &refused):
		c.quit()
	default:
		c.close()
	}
	switch {
	case err == nil || f.self && refused != nil:
		return f, nil
	case isTimeout(err):
		return finding{}, errHung{fmt.Errorf("%s: %w", s.shown(c), inWords(err))}
	}
	return finding{}, fmt.Errorf("%s: %w", s.shown(c), inWords(err))
}

// isGone says that the server has closed the connection before it answered.
func isGone(err error) bool {
	var network interface{ Timeout() bool }
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) && !network.Timeout()
}

// probe reports whether the server answers at all: by a refusal as well as by any other reply.
func (s *mailServer) probe(ctx context.Context, domain string) error {
	_, err := s.ask(ctx, address.Parse("postmaster@"+domain), true)
	var hung errHung
	if isSilent(err) || errors.As(err, &hung) {
		return err
	}
	return nil
}

func (s *mailServer) close() { s.idle.close() }
