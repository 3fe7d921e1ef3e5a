package sql

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"mailweir/internal/table/remote"
)

// session is a connection to a server. It is used by one at a time.
type session interface {
	// find asks for a key and returns the values found, in the order of rows and columns, without
	// NULL. After an error that is not [remote.Answered] the session is of no use any more.
	find(ctx context.Context, key string) ([]string, error)
	// ping asks whether the server still answers, and what it is.
	ping(ctx context.Context) (what string, err error)
	// fresh reports whether a session that was idle is still to be used.
	fresh() bool
	// close does not wait for the server.
	close()
}

// host is a server of a file.
type host struct {
	name string // for errors; without passwords
	rank int    // hosts of a lower rank come first
	dial func(ctx context.Context) (session, error)

	idle    []*connection // the one used last is at the end
	used    int
	waiting []chan *connection // of those who wait for one in use
	avoid   time.Time          // it has failed, and comes last until then
}

// connection is a session in the pool.
type connection struct {
	session
	born  time.Time
	since time.Time // idle
}

// lifetime bounds how long a connection is used, however busy: names get other addresses, accounts
// other rights, and what is behind a name takes turns.
const lifetime = 10 * time.Minute

// poolSize bounds the connections of one file.
const poolSize = 8

// pool keeps the sessions of the hosts of one file.
type pool struct {
	retry, keep time.Duration // retry_interval, idle_interval

	mu     sync.Mutex
	hosts  []*host
	closed bool
	sweep  *time.Timer // runs while sessions are idle
}

func newPool(hosts []*host, retry, keep time.Duration) *pool {
	return &pool{hosts: hosts, retry: retry, keep: keep}
}

// do has one host after the other asked, in the order in which they are to be tried, until one has
// answered. What it returns is [remote.Answered] if all have answered with an error.
func (p *pool) do(ctx context.Context, ask func(context.Context, session) error) error {
	var failures []error
	answered := true
	hosts := p.order()
	for i, h := range hosts {
		err := p.try(ctx, h, len(hosts)-i, ask)
		if err == nil {
			return nil
		}
		var a remote.Answered
		answered = answered && errors.As(err, &a)
		failures = append(failures, fmt.Errorf("%s: %w", h.name, err))
		if ctx.Err() != nil {
			break
		}
	}
	err := joined(failures)
	if answered {
		return remote.Answered{Err: err}
	}
	return err
}

// joined are errors in one line.
func joined(list []error) error {
	err := list[0]
	for _, next := range list[1:] {
		err = fmt.Errorf("%w; %w", err, next)
	}
	return err
}

// order is the hosts as they are to be tried: those that have failed lately last, sockets first,
// and others at random.
func (p *pool) order() []*host {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	rank := func(h *host) int {
		if now.Before(h.avoid) {
			return h.rank + 1000
		}
		return h.rank
	}
	hosts := slices.Clone(p.hosts)
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	slices.SortStableFunc(hosts, func(a, b *host) int { return rank(a) - rank(b) })
	return hosts
}

// try asks one host, within its share of the time that is left.
func (p *pool) try(ctx context.Context, h *host, left int, ask func(context.Context, session) error) error {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	if s := p.take(h); s != nil {
		err := ask(ctx, s.session)
		if p.release(h, s, err) || ctx.Err() != nil {
			return err
		}
		// The server may have closed it while it was idle, and is asked once more.
	}
	s, err := p.dial(ctx, h)
	if err != nil {
		return err
	}
	err = ask(ctx, s.session)
	p.release(h, s, err)
	return err
}

// dial connects, or waits for a connection that comes back where the server takes no more. If those
// in use end instead, there is room again.
func (p *pool) dial(ctx context.Context, h *host) (*connection, error) {
	for {
		p.mu.Lock()
		h.used++ // others may wait for it
		p.mu.Unlock()
		s, err := h.dial(ctx)
		if err == nil {
			return &connection{session: s, born: time.Now()}, nil
		}
		p.mu.Lock()
		h.unused()
		p.mu.Unlock()
		var full errFull
		if !errors.As(err, &full) {
			p.failed(h)
			return nil, err
		}
		back, waited := p.wait(ctx, h)
		switch {
		case back != nil:
			return back, nil
		case !waited || ctx.Err() != nil:
			return nil, err
		}
	}
}

// unused notes that a connection is gone. It needs the lock.
func (h *host) unused() {
	if h.used--; h.used > 0 {
		return
	}
	for _, c := range h.waiting { // nothing comes back any more
		c <- nil
	}
	h.waiting = nil
}

// errFull is the error of a server that takes no more connections.
type errFull struct{ error }

func (e errFull) Unwrap() error { return e.error }

// take returns a connection of a host that is idle, or nil.
func (p *pool) take(h *host) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(h.idle) > 0 {
		last := len(h.idle) - 1
		s := h.idle[last]
		h.idle = h.idle[:last]
		if time.Since(s.since) < p.keep && s.fresh() {
			h.used++
			return s
		}
		s.close()
	}
	return nil
}

// wait waits for a connection that comes back, if any is in use. It is nil if none has come.
func (p *pool) wait(ctx context.Context, h *host) (s *connection, waited bool) {
	if s := p.take(h); s != nil {
		return s, true
	}
	back := make(chan *connection, 1)
	p.mu.Lock()
	if h.used == 0 {
		p.mu.Unlock()
		return nil, false
	}
	h.waiting = append(h.waiting, back)
	p.mu.Unlock()
	select {
	case s := <-back:
		return s, true
	case <-ctx.Done():
	}
	p.mu.Lock()
	h.waiting = slices.DeleteFunc(h.waiting, func(c chan *connection) bool { return c == back })
	p.mu.Unlock()
	select {
	case s := <-back: // just now
		return s, true
	default:
		return nil, true
	}
}

// release puts a connection back after a use that ended with err, and reports whether the host has
// answered. If it has not, what else is idle is of no use either.
func (p *pool) release(h *host, s *connection, err error) bool {
	var a remote.Answered
	answered := err == nil || errors.As(err, &a)
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered {
		h.avoid = time.Time{}
	}
	switch {
	case !answered:
		s.close()
		p.avoid(h)
	case p.closed || errors.Is(err, errLarge) || time.Since(s.born) >= lifetime:
		s.close()
	case len(h.waiting) > 0:
		h.waiting[0] <- s
		h.waiting = h.waiting[1:]
		return true
	case len(h.idle) >= poolSize:
		s.close()
	default:
		s.since = time.Now()
		h.idle = append(h.idle, s)
		if p.sweep == nil {
			p.sweep = time.AfterFunc(p.keep, p.clean)
		}
	}
	h.unused()
	return answered
}

// failed notes that a host has failed.
func (p *pool) failed(h *host) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.avoid(h)
}

func (p *pool) avoid(h *host) {
	h.avoid = time.Now().Add(p.retry)
	h.closeIdle(0)
}

// closeIdle closes the sessions that have been idle for that long.
func (h *host) closeIdle(long time.Duration) {
	h.idle = slices.DeleteFunc(h.idle, func(s *connection) bool {
		old := time.Since(s.since) >= long
		if old {
			s.close()
		}
		return old
	})
}

// clean closes what has been idle for too long, and comes back as long as there is something.
func (p *pool) clean() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep = nil
	idle := 0
	for _, h := range p.hosts {
		h.closeIdle(p.keep)
		idle += len(h.idle)
	}
	if idle > 0 && !p.closed {
		p.sweep = time.AfterFunc(p.keep, p.clean)
	}
}

// close closes what is idle. What is in use is closed when it comes back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.sweep != nil {
		p.sweep.Stop()
	}
	for _, h := range p.hosts {
		h.closeIdle(0)
	}
}
