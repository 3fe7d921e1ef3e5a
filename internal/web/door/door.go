// Package door is the server of viewer and console: it listens, finds out who is there, and lets
// him in to what his role may. What the pages show is not its business; they are handed to it as a
// list of [Route].
package door

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/connections"
	"mailweir/internal/policy"
)

// Handler answers a request of somebody who may make it. v is who that is.
type Handler func(w http.ResponseWriter, r *http.Request, v policy.Person)

// Route says who may ask for what, and who answers.
type Route struct {
	// Pattern is that of [http.ServeMux], with its method: "GET /rejections/{id}". What a GET asks
	// for changes nothing.
	Pattern string
	// May are the roles that may ask for it; without any, everybody may, also before a login.
	May []policy.Role
	// Whole is for what concerns everybody's mail: who has a remit does not get there, whatever his
	// role.
	Whole  bool
	Handle Handler
	// Stream is for answers that go on for as long as somebody looks at them (text/event-stream).
	Stream bool
	// Body is how many octets a request may have, 64 KiB by default.
	Body int64
}

// Pages are those that the door shows on its own.
type Pages struct {
	// Login asks for name and password. trouble, if not "", says what came of the last attempt;
	// next is the path to go on to.
	Login func(w http.ResponseWriter, r *http.Request, status int, trouble, next string)
	// Error says why something is not shown or not done. v is nil where nobody is logged in.
	Error func(w http.ResponseWriter, r *http.Request, v *policy.Person, status int, text string)
}

// Options are what a [Server] works with.
type Options struct {
	Listener net.Listener
	Routes   []Route
	Pages    Pages
	// Hosts are further names by which browsers may call the server, besides its address and, on
	// loopback, localhost.
	Hosts []string
	// Identity finds out who asks.
	Identity Identity
	// Certificate is that of the server; nil speaks no TLS.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Audit takes logins, and attempts that failed; nil keeps none.
	Audit func(admin.Record)
	Clock func() time.Time
	// Trouble takes why a role, or a password, cannot be found out, once a minute at most.
	Trouble func(error)
	// Defect takes a panic of a page.
	Defect func(error)
}

// Server is the running console.
type Server struct {
	Options
	hosts    hosts
	sessions *sessions
	limits   *limits
	streams  *streams
	told     told
	lookEach time.Duration // how often a stream looks whether it may go on
	server   *http.Server
	serving  sync.WaitGroup
	ending   context.Context // ends when the server is to stop
	end      context.CancelFunc
}

// Limits of the server. A browser opens up to six connections, and a page that follows holds one.
const (
	maxConnections = 128
	maxHeader      = 32 << 10
	defaultBody    = 64 << 10
	headerWithin   = 5 * time.Second
	readWithin     = 30 * time.Second
	writeWithin    = 60 * time.Second
	idleWithin     = 60 * time.Second
)

// New returns a server that has yet to be started. It panics where a route is malformed, as
// [http.ServeMux] does.
func New(o Options) *Server {
	s := &Server{Options: o, hosts: newHosts(o.Listener.Addr(), o.Hosts), sessions: newSessions(o.Clock), limits: newLimits(o.Clock), streams: newStreams(), lookEach: lookAgain}
	s.ending, s.end = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	for _, route := range append(s.ownRoutes(), o.Routes...) {
		mux.Handle(route.Pattern, s.gate(route))
	}
	s.server = &http.Server{
		Handler: s.guard(mux), ConnState: connections.NewBound(maxConnections).Changed, ConnContext: withPeer, MaxHeaderBytes: maxHeader,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // whoever connects could fill the log
		TLSConfig:         &tls.Config{GetCertificate: o.Certificate, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: headerWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin, IdleTimeout: idleWithin,
	}
	return s
}

// Start serves until Stop. failed is told when listening has come to an end before.
func (s *Server) Start(failed func(error)) {
	s.serving.Go(func() {
		var err error
		if s.Certificate != nil {
			err = s.server.ServeTLS(s.Listener, "", "")
		} else {
			err = s.server.Serve(s.Listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	})
}

// Stop ends the server, after requests in progress, for at most the context's time.
func (s *Server) Stop(ctx context.Context) {
	s.end()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	s.serving.Wait()
}

// Address is where the server listens, as --console has it.
func (s *Server) Address() string {
	if a := s.Listener.Addr(); a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return s.Listener.Addr().String()
}
