package auth

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mailweir/internal/policy"
)

// Options are what a [Server] works with. All but Milter, Evicted and Counts are needed.
type Options struct {
	Judge Judge
	// Milter knows which clients are blocked and learns of logins; nil asks nobody.
	Milter Milter
	// Mode is that of the check. It concerns what the milter says and nothing else.
	Mode policy.Mode
	// Check is the check's name, Wrong and Unavailable its replies, as --replies has them, and
	// Reason what is said of a wrong password.
	Check              string
	Wrong, Unavailable *policy.Reply
	Reason             string
	Recorder           Recorder
	Clock              func() time.Time
	// Streams bounds the streams that are open at once.
	Streams int
	// Evicted is told when a stream was closed to make room for a new one.
	Evicted func()
	// Defect takes a panic, with its stack and without its value, which might be a password.
	Defect func(stack []byte)
	// Counts are the metrics.
	Counts *Counts
}

// Milter is what the service asks and tells a running mailweir.
type Milter interface {
	// Ask reports whether a client is blocked, and why. An error means that nobody knows.
	Ask(ctx context.Context, l policy.Login) (blocked bool, cause string, err error)
	// Tell says what came of an attempt.
	Tell(ctx context.Context, l policy.Login, o policy.LoginOutcome)
}

// Recorder gives events their ids and keeps them.
type Recorder interface {
	Identify(*policy.Event) string
	Record(*policy.Event)
}

// Server answers smtpd.
type Server struct {
	o     Options
	again *again
	count atomic.Uint64 // of all streams so far

	mu       sync.Mutex
	changed  *sync.Cond // one has ended or is idle
	sessions []*session // in the order of their last use
	closing  bool
	serving  sync.WaitGroup
}

// NewServer returns a server that listens nowhere yet.
func NewServer(o Options) *Server {
	s := &Server{o: o, again: newAgain()}
	if o.Evicted == nil {
		s.o.Evicted = func() {}
	}
	if o.Counts == nil {
		s.o.Counts = NewCounts()
	}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Serve answers whoever connects, until the listener is closed; Shutdown makes that no error.
func (s *Server) Serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			s.begin(conn)
		case s.isClosing():
			return nil
		case isPassing(err):
			time.Sleep(acceptAgain)
		default:
			return err
		}
	}
}

// acceptAgain is how long to wait when there are no descriptors left.
const acceptAgain = 50 * time.Millisecond

// isPassing reports whether accepting may work again soon.
func isPassing(err error) bool {
	for _, passing := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// begin greets whoever has connected, also while closing: an smtpd that is not greeted ends. It
// serves the stream as soon as there is room. It makes room by closing the one that nobody has
// used for longest, so that whoever holds many keeps nobody out. While all are at work it waits,
// some seconds at most, and whoever connects waits in the kernel.
func (s *Server) begin(conn net.Conn) {
	c := newSession(s, conn, s.count.Add(1))
	if !c.write(c.greeting()) {
		_ = conn.Close()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.sessions) >= s.o.Streams && !s.closing {
		if i := slices.IndexFunc(s.sessions, func(c *session) bool { return !c.busy }); i >= 0 {
			_ = s.sessions[i].conn.Close()
			s.sessions = slices.Delete(s.sessions, i, i+1)
			s.o.Evicted()
			break
		}
		s.changed.Wait()
	}
	if s.closing {
		_ = conn.Close()
		return
	}
	s.sessions = append(s.sessions, c)
	s.serving.Go(func() {
		defer s.end(c)
		c.serve()
	})
}

// use marks a stream as at work, and reports false if it is to end.
func (s *Server) use(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.busy = true
	return slices.Contains(s.sessions, c)
}

// rest marks a stream as idle, and reports false if it is to end.
func (s *Server) rest(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.busy = false
	if i := slices.Index(s.sessions, c); i >= 0 {
		s.sessions = append(slices.Delete(s.sessions, i, i+1), c)
	}
	s.changed.Broadcast()
	return !s.closing
}

func (s *Server) end(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.sessions, c); i >= 0 {
		s.sessions = slices.Delete(s.sessions, i, i+1)
	}
	s.changed.Broadcast()
}

// Shutdown closes streams that are idle and waits for the others until the context ends. The
// listeners are the caller's, and closed already or closed next.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closing = true
	for _, c := range s.sessions {
		if !c.busy {
			_ = c.conn.Close()
		}
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.mu.Lock()
		for _, c := range s.sessions {
			_ = c.conn.Close()
		}
		s.mu.Unlock()
		<-ended
	}
}
