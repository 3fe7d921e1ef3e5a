package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"mailweir/internal/backend"
)

// Upstream answers by a Dovecot, each smtpd on a stream of its own: Dovecot ends a whole stream for
// whatever it does not like of one request.
type Upstream struct {
	connect func(context.Context) (net.Conn, error)
	backend *backend.Backend
	pids    atomic.Uint32
	offered atomic.Pointer[[]Mechanism]
}

// UpstreamOptions say how a Dovecot is used.
type UpstreamOptions struct {
	// Name is what it is called in the log.
	Name string
	// Dial connects to it.
	Dial func(context.Context) (net.Conn, error)
	// Offer is offered until Dovecot has named its mechanisms.
	Offer []Mechanism
	// Watch takes the options of the backend before it is made, to have it observed; nil leaves
	// them as they are.
	Watch func(backend.Options) backend.Options
}

const (
	// answersWithin is how long Dovecot may take for an answer. It says no after two seconds. Then
	// there is time left to find out whether it is there at all, and to close the stream: Postfix
	// waits 10 s.
	answersWithin = 8 * time.Second
	// greetsWithin is how long it may take to say what it can do. One that takes as long again for
	// the answer is slow, and its answers are in time.
	greetsWithin = answersWithin / 2
	// glanceWithin is how long it may take where somebody already waits for the outcome.
	glanceWithin = 800 * time.Millisecond
)

// NewUpstream returns a judge by a Dovecot. It need not be there yet.
func NewUpstream(o UpstreamOptions) *Upstream {
	u := &Upstream{connect: o.Dial}
	// Dovecot wants another process id of each stream. No process has one as high as these.
	u.pids.Store(1<<30 | rand.Uint32()>>4)
	u.offered.Store(&o.Offer)
	options := backend.Options{
		Name: o.Name, Deadline: answersWithin + glanceWithin,
		Probe:    func(ctx context.Context, _ int) error { return u.greet(ctx, greetsWithin) },
		Answered: func(err error) bool { return errors.As(err, new(errTemporary)) || errors.As(err, new(errThisOne)) },
	}
	if o.Watch != nil {
		options = o.Watch(options)
	}
	u.backend = backend.New(options)
	return u
}

// Mechanisms are those that Dovecot named last.
func (u *Upstream) Mechanisms() []Mechanism { return *u.offered.Load() }

// Close ends the prober.
func (u *Upstream) Close() { u.backend.Close() }

// Greet asks Dovecot what it can do, and nothing more. Start calls it for itself.
func (u *Upstream) Greet(ctx context.Context) error { return u.greet(ctx, glanceWithin) }

func (u *Upstream) greet(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s, err := u.dial(ctx)
	if err != nil {
		return err
	}
	return s.conn.Close()
}

// Seek waits a moment for Dovecot to name its mechanisms. Where it does not, it counts as lost.
func (u *Upstream) Seek(ctx context.Context) error { return u.backend.Call(ctx, 0, u.Greet) }

// stream is one connection to Dovecot.
type stream struct {
	conn net.Conn
	in   *lines
	ids  uint32
}

// dial connects and goes through the handshake. Dovecot 2.3 speaks first, 2.4 waits for us, so
// nobody waits for anybody.
func (u *Upstream) dial(ctx context.Context) (*stream, error) {
	conn, err := u.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, in: newLines(conn)}
	offered, err := s.handshake(ctx, u.pids.Add(1))
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	u.offered.Store(&offered)
	return s, nil
}

// maxHandshake bounds the lines of a handshake.
const maxHandshake = 200

// errHandshake is of who says something else, errGreeting of who says too little.
var (
	errHandshake = errors.New("it does not speak Dovecot's authentication protocol, version 1: this is not a client socket of Dovecot's auth service")
	errGreeting  = errors.New("it does not say what it can do; perhaps this is not a client socket of Dovecot's auth service")
)

func (s *stream) handshake(ctx context.Context, pid uint32) (offered []Mechanism, err error) {
	defer backend.Within(ctx, s.conn)()
	if _, err := fmt.Fprintf(s.conn, "VERSION\t1\t0\nCPID\t%d\n", pid); err != nil {
		return nil, err
	}
	version := false
	for range maxHandshake {
		line, err := s.in.next()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errGreeting, err)
		}
		fields := strings.Split(string(line), "\t")
		switch fields[0] {
		case "VERSION":
			if len(fields) < 2 || fields[1] != "1" {
				return nil, errHandshake
			}
			version = true
		case "MECH":
			if len(fields) < 2 || !isMechanism(fields[1]) {
				return nil, errHandshake
			}
			offered = append(offered, Mechanism{fields[1], fields[2:]})
		case "DONE":
			if !version || len(offered) == 0 {
				return nil, errHandshake
			}
			return offered, nil
		default:
			if strings.Trim(fields[0], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" { // such as 220 of LMTP
				return nil, errHandshake
			}
		}
	}
	return nil, errHandshake
}

// isMechanism reports whether it is a name as RFC 4422 section 3.1 has them.
func isMechanism(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// Begin returns the exchanges of one smtpd. Their stream is opened when it is first needed.
func (u *Upstream) Begin() Exchanges { return &upstreamExchanges{upstream: u} }

type upstreamExchanges struct {
	upstream *Upstream
	stream   *stream
	id       string // of the exchange under way, as Dovecot knows it
}

// Close ends the stream.
func (e *upstreamExchanges) Close() {
	if e.stream != nil {
		e.stream.in.wipe()
		_ = e.stream.conn.Close()
		e.stream = nil
	}
}

// errThisOne is the error of one exchange with a Dovecot that is there.
type errThisOne struct{ error }

var errNotOffered = errors.New("the mechanism is not offered by Dovecot any more")

// Start passes a request on, on the stream that is there. If that turns out to be closed, it has
// done nothing yet, and another one is tried.
func (e *upstreamExchanges) Start(ctx context.Context, r *request, _ *glance) (a answer, err error) {
	e.id = ""
	err = e.call(ctx, func(ctx context.Context) error {
		used := e.stream != nil
		if a, err = e.start(ctx, r); used && isClosed(err) {
			e.Close()
			a, err = e.start(ctx, r)
		}
		return err
	})
	return a, err
}

// isClosed reports whether the other side has closed the stream.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func (e *upstreamExchanges) start(ctx context.Context, r *request) (answer, error) {
	if e.stream == nil {
		greeting, cancel := context.WithTimeout(ctx, greetsWithin)
		s, err := e.upstream.dial(greeting)
		cancel()
		if err != nil {
			return answer{}, err
		}
		e.stream = s
	}
	if !slices.ContainsFunc(e.upstream.Mechanisms(), func(m Mechanism) bool { return m.Name == r.mechanism }) {
		return answer{}, errThisOne{errNotOffered}
	}
	e.stream.ids++
	e.id = fmt.Sprint(e.stream.ids)
	line := append(passing(), "AUTH\t"+e.id+"\t"+r.mechanism...)
	for _, p := range r.params {
		line = append(append(line, '\t'), p...)
	}
	// Dovecot would count failures by client, and answer later than Postfix waits. That is ours.
	line = append(line, "\tno-penalty"...)
	if r.hasResponse {
		line = append(append(line, "\tresp="...), r.response...)
	}
	return e.stream.ask(ctx, e.id, append(line, '\n'))
}

// passing is where a line for Dovecot is put together, with room for the longest: a slice that
// grows leaves copies behind, and the response may be a password.
func passing() []byte { return make([]byte, 0, maxLine+64) }

// Continue passes the next response on.
func (e *upstreamExchanges) Continue(ctx context.Context, response []byte, _ *glance) (a answer, err error) {
	if e.stream == nil || e.id == "" {
		return answer{}, errThisOne{errors.New("the exchange has ended")}
	}
	line := append(append(passing(), "CONT\t"+e.id+"\t"...), response...)
	err = e.call(ctx, func(ctx context.Context) error {
		a, err = e.stream.ask(ctx, e.id, append(line, '\n'))
		return err
	})
	return a, err
}

// call asks Dovecot. Where that fails and Dovecot is there all the same, it is this exchange's
// trouble and nobody else's.
func (e *upstreamExchanges) call(ctx context.Context, ask func(context.Context) error) error {
	return e.upstream.backend.Call(ctx, 0, func(ctx context.Context) error {
		limited, cancel := context.WithTimeout(ctx, answersWithin)
		err := ask(limited)
		cancel()
		if err == nil || errors.As(err, new(errTemporary)) {
			return err
		}
		e.Close()
		if errors.As(err, new(errThisOne)) {
			return err
		}
		if e.upstream.Greet(context.WithoutCancel(ctx)) == nil {
			return errThisOne{fmt.Errorf("no answer to this request, while Dovecot answers others: %w", err)}
		}
		return err
	})
}

// ask sends a line, wipes it, and waits for the answer with that id. Answers to exchanges that
// smtpd has left come late and count no more.
func (s *stream) ask(ctx context.Context, id string, line []byte) (answer, error) {
	defer backend.Within(ctx, s.conn)()
	_, err := s.conn.Write(line)
	clear(line)
	if err != nil {
		return answer{}, err
	}
	for {
		text, err := s.in.next()
		if err != nil {
			return answer{}, err
		}
		fields := strings.Split(string(text), "\t")
		if len(fields) < 2 || fields[1] != id {
			continue
		}
		switch fields[0] {
		case "OK":
			return succeeded(fields[2:]), nil
		case "FAIL":
			return failed(fields[2:])
		case "CONT":
			if challenge := strings.Join(fields[2:], "\t"); isBase64(challenge) {
				return answer{kind: challenged, challenge: challenge}, nil
			}
			return answer{}, errors.New("its challenge is no base64")
		}
	}
}

func isBase64(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == ""
}
