package callforward

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/backend"
	"mailweir/internal/state"
	"mailweir/internal/trace"
)

const (
	// lastProbe is how often a server that is down is tried: one that is too busy for us is not
	// helped by more.
	lastProbe = 5 * time.Second
	// deadline is what one question takes at most, with the look that follows on one that hangs.
	// Its answer may take five of the seven seconds: a Postfix that asks somebody else itself takes
	// three (address_verify_poll_delay).
	deadline = 7 * time.Second
)

var (
	// ErrSuspended is the error of a server that is used for nothing for this domain.
	ErrSuspended = errors.New("used for nothing")

	errClosed   = errors.New("it is no longer in use")
	errUnproven = errors.New("it refuses without an enhanced code and has accepted nobody of the domain within a week, so this may be about us")
)

// Why a server is used for nothing.
const (
	acceptsAll = "it accepts a random name"
	isUs       = "it is this mailweir itself"
)

// Options say which server is asked, and whom it is told to.
type Options struct {
	// Kind is smtp, lmtp or dovecot. Source says where it listens: HOST, HOST:PORT, [HOST]:PORT or
	// unix:/PATH.
	Kind, Source string
	// Store keeps what a server has accepted, for all hosts.
	Store state.Store
	// Observer hears how the server fares, and where it is used for nothing. It may be nil.
	Observer *backend.Observer

	deadline time.Duration // of tests in a hurry; 0 is the usual one
}

// peer is a server that can be asked.
type peer interface {
	ask(ctx context.Context, to address.Address, own bool) (finding, error)
	probe(ctx context.Context, domain string) error
	look(ctx context.Context) (text string, err error)
	close()
}

// Server is one server that is asked who exists. It is safe for use by many at once.
type Server struct {
	name    string // smtp:10.0.0.2:25
	peer    peer
	ends    *ends // nil for a userdb
	turns   *turns
	breaker *backend.Backend
	domains domains

	patience time.Duration  // with one answer
	work     sync.WaitGroup // questions and tests

	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu     sync.Mutex
	closed bool
	domain string // asked about last, for the prober
}

// Open returns the server. It connects to nobody: one that is down when we start is an error of a
// question. Errors are about Kind and Source.
func Open(o Options) (*Server, error) {
	s := &Server{name: o.Kind + ":" + o.Source}
	var err error
	switch o.Kind {
	case "smtp":
		err = s.mail(o.Source, "EHLO", "25")
	case "lmtp":
		err = s.mail(o.Source, "LHLO", "")
	case "dovecot":
		err = s.userdb(o.Source)
	default:
		err = fmt.Errorf("%q is no way to ask a server: want smtp, lmtp or dovecot", o.Kind)
	}
	if err != nil {
		return nil, err
	}
	if o.deadline == 0 {
		o.deadline = deadline
	}
	s.patience = o.deadline * 5 / 7
	s.domains = domains{server: s.name, store: o.Store, changed: func(domain, why string) {
		if o.Observer != nil && o.Observer.Suspended != nil {
			o.Observer.Suspended(s.name, domain, why)
		}
	}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.breaker = backend.New(o.Observer.Watch(backend.Options{
		Name: s.name, Deadline: o.deadline, LastProbe: lastProbe,
		Probe:    func(ctx context.Context, _ int) error { return s.peer.probe(ctx, s.lastDomain()) },
		Answered: func(err error) bool { return !isSilent(err) },
	}))
	return s, nil
}

func isSilent(err error) bool {
	var silent errSilent
	return errors.As(err, &silent)
}

func (s *Server) mail(source, verb, port string) error {
	t, err := parseTarget(source, port)
	if err != nil {
		return err
	}
	label := "mailweir-" + strings.ToLower(rand.Text()[:20])
	s.ends, s.turns = newEnds(label), newTurns(aMinute)
	s.peer = &mailServer{target: t, verb: verb, name: label + "." + hostname(), ends: s.ends}
	return nil
}

// hostname is our name, as far as EHLO allows it.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || validHost(name) != nil || strings.ContainsAny(name, ":_") {
		return "localhost"
	}
	return name
}

// Name is the server as it was configured.
func (s *Server) Name() string { return s.name }

// Suspended says why the server is used for nothing for a domain; "" where it is used. It does not
// wait. Who asks has mail for the domain, so a random name is tried again in the background when
// that is due.
func (s *Server) Suspended(domain string) string {
	why := s.domains.suspended(domain)
	if why != "" {
		s.testLater(domain)
	}
	return why
}

// Suspensions returns the domains for which it is used for nothing, and why.
func (s *Server) Suspensions() map[string]string { return s.domains.all() }

// Ours reports whether a client is one of our own questions that has come back to us. Whoever is
// asked answers yes: so it is found out, and the server is used for nothing.
func (s *Server) Ours(client netip.AddrPort, helo string) bool {
	return s.ends != nil && s.ends.seen(client, helo)
}

// Renew has the next questions put on new connections: what stands behind those that are kept may
// not know yet what has been changed since.
func (s *Server) Renew() {
	if mail, ok := s.peer.(*mailServer); ok {
		mail.idle.renew()
	}
}

// Ask reports whether an address exists and what the server said of it, which is
// not for untrusted clients.
// An error means that it could not be told: [ErrSuspended] where the server is used for nothing,
// [ErrBusy] where it must not be asked now, and [backend.ErrUnavailable] while it is down. It waits
// until its context ends, and for a turn only with wait.
func (s *Server) Ask(ctx context.Context, to address.Address, wait bool) (found bool, said string, err error) {
	f, err := s.answer(ctx, to, wait)
	if err != nil {
		if !errors.Is(err, backend.ErrUnavailable) { // which names it
			err = fmt.Errorf("%s: %w", s.name, err)
		}
		trace.Add(ctx, s.name+" "+to.Key(), "error: "+err.Error())
		return false, "", err
	}
	trace.Add(ctx, s.name+" "+to.Key(), f.said)
	return f.verdict == exists || f.verdict == uncertain, f.said, nil
}

// answer asks once, and says what the answer is worth.
func (s *Server) answer(ctx context.Context, to address.Address, wait bool) (finding, error) {
	if !s.enter() {
		return finding{}, errClosed
	}
	defer s.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(s.ctx, cancel)()
	defer cancel()
	s.domains.load(ctx, to.Domain)
	if why := s.Suspended(to.Domain); why != "" {
		return finding{}, fmt.Errorf("%w: %s", ErrSuspended, why)
	}
	if err := s.breaker.Lost(0); err != nil {
		return finding{}, err
	}
	done, err := s.turns.take(ctx, wait)
	if err != nil {
		return finding{}, err
	}
	defer done()
	f, err := s.call(ctx, to, false)
	if err != nil {
		return finding{}, err
	}
	return s.weigh(ctx, to.Domain, f)
}

// enter counts a question or a test under way, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Add(1)
	}
	return !s.closed
}

func (s *Server) weigh(ctx context.Context, domain string, f finding) (finding, error) {
	if f.self {
		s.domains.suspend(ctx, domain, isUs)
		s.domains.endTest(domain, testAgain)
		return finding{}, fmt.Errorf("%w: %s", ErrSuspended, isUs)
	}
	switch f.verdict {
	case exists, uncertain:
		if f.verdict == exists {
			s.domains.accept(ctx, domain)
		}
		s.testLater(domain)
	case bare:
		known, err := s.domains.hasAccepted(ctx, domain)
		if err == nil && !known {
			err = errUnproven
		}
		if err != nil {
			return finding{}, fmt.Errorf("%w: %s", err, f.said)
		}
	case unclear:
		return finding{}, fmt.Errorf("its answer does not say whether the recipient exists: %s", f.said)
	}
	return f, nil
}

// call puts a question through the breaker. Where one hangs, a look tells whether the server does,
// or only this recipient of it.
func (s *Server) call(ctx context.Context, to address.Address, own bool) (f finding, err error) {
	s.setDomain(to.Domain)
	err = s.breaker.Call(ctx, 0, func(ctx context.Context) error {
		short, cancel := context.WithTimeout(ctx, s.patience)
		defer cancel()
		var err error
		f, err = s.peer.ask(short, to, own)
		var hung errHung
		if errors.As(err, &hung) && ctx.Err() == nil && s.peer.probe(ctx, to.Domain) != nil {
			err = errSilent{err}
		}
		return err
	})
	return f, err
}

func (s *Server) setDomain(domain string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.domain = domain
}

func (s *Server) lastDomain() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.domain
}

// Close ends the questions under way and gives up the connections.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
	s.breaker.Close()
	s.peer.close()
	return nil
}
