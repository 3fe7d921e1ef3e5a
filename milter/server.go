package milter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	gomilter "github.com/emersion/go-milter"
)

// Server answers MTAs. NewSession is required; no field may be changed once Serve has been called.
type Server struct {
	// NewSession makes the policy's session for one connection of an MTA, which serves one SMTP
	// connection.
	NewSession func() Session
	// From lists networks whose MTAs may connect besides those on this machine. Whoever speaks
	// milter may claim any client and any login.
	From []netip.Prefix
	// OnDegraded is told, once for each, what an MTA does not grant and what follows from it.
	OnDegraded func(string)
	// ErrorLog is told why a connection was refused or broke, and when accepting fails, ten times a
	// minute for each peer; what is left out is counted. It is called from any goroutine.
	ErrorLog func(error)
	// OnGiveUp is told of each connection that its MTA has closed while it was owed an answer: it
	// has waited longer than its own timeout. It is called from any goroutine; nil tells nobody.
	OnGiveUp func()
	// IdleGrace is how long Shutdown lets connections be on which no message is in progress; zero
	// means until its context ends. An MTA whose connection is closed applies its default action to
	// the next command of that client, so only a client that is neither within a message nor about
	// to quit comes to harm.
	IdleGrace time.Duration

	buffers       buffers
	progressEvery time.Duration // progressEvery of the package, except in tests
	slow          time.Duration // slowAnswer, except in tests

	refused complaints // about peers that may not connect
	trouble complaints // about all others: the MTAs must not be drowned out

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	draining  bool // no more connections
	degraded  map[string]bool
	accepting sync.WaitGroup // loops that accept
	running   sync.WaitGroup // goroutines of connections
	count     atomic.Int64
	stop      chan struct{} // closed when draining begins
}

// Serve accepts connections on the listeners until Shutdown, and closes them. It returns nil after
// Shutdown, or the error that made a listener useless; the others then go on until Shutdown.
func (s *Server) Serve(listeners ...net.Listener) error {
	s.mu.Lock()
	s.listeners = append(s.listeners, listeners...)
	draining, stop := s.draining, s.stopLocked()
	if !draining {
		s.accepting.Add(len(listeners))
	}
	s.mu.Unlock()
	if draining {
		closeAll(listeners)
		return nil
	}
	errs := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { errs <- s.accept(l, stop) }()
	}
	var err error
	for range listeners {
		err = errors.Join(err, <-errs)
	}
	return err
}

func (s *Server) stopLocked() chan struct{} {
	if s.stop == nil {
		s.stop = make(chan struct{})
	}
	return s.stop
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close() // it may be closed already
	}
}

// Accepting is tried again after an error, such as running out of descriptors, at growing
// intervals.
const (
	acceptPause    = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

func (s *Server) accept(l net.Listener, stop <-chan struct{}) error {
	defer s.accepting.Done()
	defer l.Close()
	pause := acceptPause
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			s.start(nc)
			continue
		case stopped(stop):
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		}
		s.trouble.about(l.Addr().String(), fmt.Errorf("accept on %s: %w; trying again in %v", l.Addr(), err, pause), s.ErrorLog)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
		}
		pause = min(2*pause, acceptPauseMax)
	}
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// start serves one connection in a goroutine of its own, so that no peer can hold up accepting. One
// that was accepted when draining began is served as any other: its MTA would take its end for a
// failure, and nobody else has it.
func (s *Server) start(nc net.Conn) {
	if err := s.admit(nc.RemoteAddr()); err != nil {
		s.refused.about(peerNet(nc), err, s.ErrorLog)
		_ = nc.Close()
		return
	}
	c := &conn{Conn: nc, log: func(err error) { s.trouble.about(peerNet(nc), err, s.ErrorLog) }}
	c.in = reader{conn: nc, buffers: &s.buffers, acknowledge: acknowledgement(nc)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[c] = struct{}{}
	s.count.Add(1)
	s.running.Add(1)
	go s.run(c)
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.count.Add(-1)
	s.running.Done()
}

// admit refuses peers on the network that are neither on this machine nor listed.
func (s *Server) admit(peer net.Addr) error {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return nil
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if addr.IsLoopback() || slices.ContainsFunc(s.From, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	return fmt.Errorf("connection from %s refused: it is neither loopback nor in --listen-from", addr)
}

// run serves one connection until it ends. A panic of the policy never gets here: one of the wire
// itself ends this connection only.
func (s *Server) run(c *conn) {
	defer s.forget(c)
	defer c.end()
	defer func() {
		if v := recover(); v != nil {
			c.log(fmt.Errorf("milter connection from %s: panic: %v\n%s", peerName(c.Conn), v, debug.Stack()))
		}
	}()
	if err := s.meet(c); err != nil {
		if !errors.Is(err, errEnded) && !c.isGone() {
			c.log(fmt.Errorf("milter connection from %s: %w", peerName(c.Conn), err))
		}
		return
	}
	c.serve()
}

// meet agrees with the MTA on options, and begins the session.
func (s *Server) meet(c *conn) error {
	packet, missing, err := c.in.next(offerDeadline)
	if err != nil {
		return err
	}
	if missing > 0 || packet[lengthSize] != byte(gomilter.CodeOptNeg) {
		return errors.New("the peer does not begin with option negotiation: is it an MTA?")
	}
	granted, err := agree(packet[lengthSize+1:])
	if err != nil {
		return err
	}
	s.tell(granted.degradations())
	c.progressEvery = cmp.Or(s.progressEvery, progressEvery)
	c.slow, c.gaveUp = cmp.Or(s.slow, slowAnswer), s.OnGiveUp
	c.session = &session{conn: c, policy: s.NewSession(), terms: granted}
	c.answer(granted.packet())
	return nil
}

func peerName(nc net.Conn) string {
	if name := nc.RemoteAddr().String(); name != "" && name != "@" {
		return name
	}
	return nc.LocalAddr().String()
}

// tell passes each degradation on once.
func (s *Server) tell(degradations []string) {
	if len(degradations) == 0 || s.OnDegraded == nil {
		return
	}
	for _, d := range degradations {
		s.mu.Lock()
		told := s.degraded[d]
		if s.degraded == nil {
			s.degraded = make(map[string]bool)
		}
		s.degraded[d] = true
		s.mu.Unlock()
		if !told {
			s.OnDegraded(d)
		}
	}
}

// Connections returns how many connections of MTAs there are.
func (s *Server) Connections() int { return int(s.count.Load()) }

// cutGrace is how long Shutdown waits for sessions whose connections it has cut: they may be
// waiting for an answer of the policy.
const cutGrace = time.Second

// Shutdown closes the listeners and waits for all connections to end. Those on which no message is
// in progress are closed after IdleGrace, and no other message begins from then on. When the
// context ends, what is left is cut off; the error then says how many messages were in progress.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.trouble.sum()
	defer s.refused.sum()
	s.drain()
	s.accepting.Wait()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	if s.IdleGrace > 0 {
		grace := time.NewTimer(s.IdleGrace)
		defer grace.Stop()
		select {
		case <-ended:
			return nil
		case <-grace.C:
			s.each((*conn).part)
		case <-ctx.Done():
		}
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	cut := 0
	s.each(func(c *conn) {
		if c.inProgress() {
			cut++
		}
		c.cut()
	})
	timer := time.NewTimer(cutGrace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		return fmt.Errorf("%w: %d sessions are still waiting for the policy", ctx.Err(), s.Connections())
	}
	if cut > 0 {
		return fmt.Errorf("%w: %d messages in progress were cut off", ctx.Err(), cut)
	}
	return nil
}

// drain ends accepting.
func (s *Server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.draining = true
		close(s.stopLocked())
	}
	closeAll(s.listeners)
}

func (s *Server) each(do func(*conn)) {
	s.mu.Lock()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		do(c)
	}
}
