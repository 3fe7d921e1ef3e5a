package logins

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"

	"mailweir/internal/policy"
)

// Judge is who knows which clients are blocked.
type Judge interface {
	Ask(ctx context.Context, l policy.Login) Answer
	Tell(ctx context.Context, l policy.Login, o policy.LoginOutcome)
	// Record keeps a decision about a login. An error says what is wrong with it. It must not wait.
	Record(e *policy.Event) error
}

// Server answers at the milter's socket for logins.
type Server struct {
	judge    Judge
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
}

// answerWithin bounds the work on one message: whoever asks waits no longer.
const answerWithin = 2 * time.Second

// maxConnections leaves the descriptors of the process to the MTAs. mailweir auth needs no more
// than it asks at once.
const maxConnections = 2 * asksAtOnce

// NewServer returns a server that has yet to be started.
func NewServer(l net.Listener, judge Judge) *Server {
	s := &Server{judge: judge, listener: l}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+path, s.serve)
	mux.HandleFunc("POST "+eventPath, s.record)
	slots := make(chan struct{}, maxConnections)
	s.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew: // no other is accepted meanwhile
				slots <- struct{}{}
			case http.StateClosed:
				<-slots
			}
		},
	}
	return s
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	var m message
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessage)).Decode(&m)
	if err != nil || len(m.Login) > maxLogin {
		http.Error(w, "malformed message", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	var a Answer
	switch m.Outcome {
	case "":
		a = s.judge.Ask(ctx, m.login())
	case succeeded, failed:
		s.judge.Tell(ctx, m.login(), policy.LoginOutcome{Succeeded: m.Outcome == succeeded, Again: m.Again})
	default:
		http.Error(w, "unknown outcome", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // who has gone needs no answer
}

func (s *Server) record(w http.ResponseWriter, r *http.Request) {
	e := new(policy.Event)
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxEvent)).Decode(e)
	if err == nil {
		err = s.judge.Record(e)
	}
	if err != nil {
		http.Error(w, "malformed event", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Start serves until Stop.
func (s *Server) Start() {
	s.serving.Go(func() { _ = s.server.Serve(s.listener) }) // it ends with ErrServerClosed
}

// Stop ends the server after requests in progress, for at most the context's time.
func (s *Server) Stop(ctx context.Context) {
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	s.serving.Wait()
}
