package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mailweir/internal/policy"
)

// The control socket speaks HTTP with JSON: POST /v1/GROUP/NAME with an envelope. Another version
// has another path, so that a command and a daemon of different versions say so, and neither
// guesses.
const prefix = "/v1/"

// envelope is the body of a request.
type envelope struct {
	Why     string          `json:"why,omitempty"`
	For     string          `json:"for,omitempty"` // as "1h30m0s"
	Request json.RawMessage `json:"request"`
}

// failure is the body of an answer that is none. Commands before version 1 read its error, too.
type failure struct {
	Error string `json:"error"`
	Kind  string `json:"kind"`
}

// Bounds of what comes and goes, in octets.
const (
	maxRequest = 1 << 20
	maxAnswer  = 256 << 20
)

// maxConnections leaves the descriptors of the process to the MTAs, however many commands a script
// gives at once. Those beyond it wait in the kernel's queue.
const maxConnections = 32

// Server answers requests at the control socket. It is for its owner only, mode 0600, and the
// kernel says who asks.
type Server struct {
	service  *Service
	listener net.Listener
	server   *http.Server
	arrivals *arrivals
	serving  sync.WaitGroup
}

// NewServer returns a server that has yet to be started. The listener's socket has mode 0600
// already.
func NewServer(l net.Listener, service *Service) *Server {
	s := &Server{service: service, listener: l, arrivals: newArrivals()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+prefix, s.serve)
	mux.HandleFunc("POST /", unknown)
	mux.HandleFunc("/", notPosted)
	slots := make(chan struct{}, maxConnections)
	s.server = &http.Server{
		Handler: s.arrivals.serving(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 2 * longest, IdleTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10,
		ConnState: func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew: // no other is accepted meanwhile
				s.arrivals.arrived(c)
				slots <- struct{}{}
			case http.StateClosed:
				s.arrivals.over(c)
				<-slots
			}
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			ctx = context.WithValue(ctx, connKey{}, c)
			uid, err := PeerUID(c)
			if err != nil {
				return ctx
			}
			return context.WithValue(ctx, peerKey{}, uid)
		},
	}
	return s
}

type peerKey struct{}

// fromSocket is the Person.From of whoever comes by the control socket.
const fromSocket = "control socket"

// Local is the person behind a user of this host who may do everything: who reaches the control
// socket, or the state itself.
func Local(uid int, from string) policy.Person {
	name := "uid " + strconv.Itoa(uid)
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		name = u.Username
	}
	return policy.Person{Name: name, UID: uid, From: from, Role: policy.RoleAdmin}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	uid, known := r.Context().Value(peerKey{}).(int)
	if !known {
		refuse(w, &DeniedError{"the kernel does not say who is asking"})
		return
	}
	request := Request{Operation: strings.TrimPrefix(r.URL.Path, prefix)}
	var e envelope
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&e)
	if err == nil && e.For != "" {
		request.For, err = time.ParseDuration(e.For)
	}
	if err != nil {
		refuse(w, policy.Wrongf("malformed request: %v", err))
		return
	}
	request.Why, request.Body = e.Why, e.Request
	if op, ok := find(slices.Concat(s.service.Offer().Groups, s.service.Own), request.Operation); ok && op.Within > longest {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * op.Within)) // without it the usual one holds
	}
	answer, err := s.service.Do(r.Context(), Local(uid, fromSocket), request)
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, answer)
}

// unknown answers what is not of this version.
func unknown(w http.ResponseWriter, r *http.Request) {
	refuse(w, &UnknownError{strings.TrimPrefix(r.URL.Path, "/")})
}

// notPosted answers what is no POST, such as a browser's or a probe's GET.
func notPosted(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	reply(w, http.StatusMethodNotAllowed, failure{fmt.Sprintf("%s is not answered here: every operation is a POST", policy.Clean(r.Method)), "wrong"})
}

// refuse answers with what is wrong, and of which kind it is.
func refuse(w http.ResponseWriter, err error) {
	k := kindOf(err)
	reply(w, k.status, failure{err.Error(), k.name})
}

// kind is a kind of error on the wire.
type kind struct {
	name   string
	status int
}

func kindOf(err error) kind {
	var wrong *policy.WrongError
	var unknown *UnknownError
	var denied *DeniedError
	var away *UnavailableError
	switch {
	case errors.As(err, &wrong):
		return kind{"wrong", http.StatusBadRequest}
	case errors.As(err, &unknown):
		return kind{"unknown", http.StatusNotFound}
	case errors.As(err, &denied):
		return kind{"denied", http.StatusForbidden}
	case errors.As(err, &away):
		return kind{"unavailable", http.StatusServiceUnavailable}
	}
	return kind{"failed", http.StatusInternalServerError}
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a caller that has gone needs no answer
}

// Start serves until Stop.
func (s *Server) Start() {
	s.serving.Go(func() { _ = s.server.Serve(s.listener) }) // until that is closed
}

// arrivesWithin is how long a server that ends waits for requests of those who have connected: a
// command sends its own at once.
const arrivesWithin = time.Second

// Stop ends the server, after requests in progress and those of whoever has connected by now, for
// at most the context's time.
func (s *Server) Stop(ctx context.Context) {
	_ = s.listener.Close() // Serve returns, and nobody arrives any more
	s.serving.Wait()
	arriving, cancel := context.WithTimeout(ctx, arrivesWithin)
	s.arrivals.wait(arriving)
	cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
}
