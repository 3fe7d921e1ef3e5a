// Package control is the door for run-time commands: JSON over HTTP on a unix socket that only its owner may use.
// The daemon knows who asks by the kernel's word, not by the caller's.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Peer is who asks: the user of the process at the other end of the socket.
type Peer struct {
	UID int
}

// String is the user's name, or the number where there is none.
func (p Peer) String() string {
	if u, err := user.LookupId(strconv.Itoa(p.UID)); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(p.UID)
}

// Error is an answer that says what the caller did wrong.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Errorf returns an [Error].
func Errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Unavailable is an answer that says what is out of reach; nothing was wrong with the command.
type Unavailable struct{ Text string }

func (e *Unavailable) Error() string { return e.Text }

// Server answers commands.
type Server struct {
	listener net.Listener
	mux      *http.ServeMux
	server   *http.Server
	serving  sync.WaitGroup
}

// NewServer returns a server without commands. The socket is made with mode 0600 by whoever opened the listener.
func NewServer(l net.Listener) *Server {
	s := &Server{listener: l, mux: http.NewServeMux()}
	s.server = &http.Server{
		Handler: s.mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			uid, err := peerUID(c)
			if err != nil {
				return ctx
			}
			return context.WithValue(ctx, peerKey{}, Peer{uid})
		},
	}
	return s
}

type peerKey struct{}

// maxRequest bounds a command in octets.
const maxRequest = 1 << 20

// Handle registers a command: a function from one JSON value to another.
func Handle[In, Out any](s *Server, name string, command func(context.Context, Peer, In) (Out, error)) {
	s.mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
		peer, known := r.Context().Value(peerKey{}).(Peer)
		if !known {
			reply(w, http.StatusForbidden, failure{"the kernel does not say who is asking"})
			return
		}
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&in); err != nil {
			reply(w, http.StatusBadRequest, failure{"malformed request: " + err.Error()})
			return
		}
		out, err := command(r.Context(), peer, in)
		var wrong *Error
		var away *Unavailable
		switch {
		case errors.As(err, &wrong):
			reply(w, http.StatusBadRequest, failure{wrong.Text})
		case errors.As(err, &away):
			reply(w, http.StatusServiceUnavailable, failure{away.Text})
		case err != nil:
			reply(w, http.StatusInternalServerError, failure{err.Error()})
		default:
			reply(w, http.StatusOK, out)
		}
	})
}

type failure struct {
	Error string `json:"error"`
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a caller that has gone needs no answer
}

// Start serves until Stop.
func (s *Server) Start() {
	s.serving.Go(func() { _ = s.server.Serve(s.listener) }) // it ends with ErrServerClosed
}

// Stop ends the server, after commands in progress, for at most the context's time.
func (s *Server) Stop(ctx context.Context) {
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	s.serving.Wait()
}

// ErrNotRunning means that nobody listens at the socket.
var ErrNotRunning = errors.New("no daemon listens at the control socket")

// ErrClosed means that this user may not connect to the socket. The daemon may well run.
var ErrClosed = errors.New("the control socket is closed to this user: give the command as the user that mailweir runs as, or as root (sudo)")

// Client calls the daemon's commands.
type Client struct {
	http *http.Client
}

// Path returns the path in an address unix:/PATH.
func Path(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok || !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("%q is not unix:/PATH", address)
	}
	return path, nil
}

// NewClient returns a client for the socket at a path.
func NewClient(path string) *Client {
	return &Client{http: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}},
	}}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call sends a command and reads its answer into out. The error is [ErrNotRunning] when nobody listens, [ErrClosed] when
// the caller may not connect, an [Error] when the daemon says what is wrong with the command, and [Unavailable] when it says what it cannot reach.
func (c *Client) Call(ctx context.Context, name string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://mailweir/"+name, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%w: %w", ErrClosed, dial.Err)
		}
		return fmt.Errorf("%w: %w", ErrNotRunning, dial.Err)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return json.NewDecoder(response.Body).Decode(out)
	}
	var f failure
	if err := json.NewDecoder(response.Body).Decode(&f); err != nil || f.Error == "" {
		return fmt.Errorf("the daemon answers %s to %s", response.Status, name)
	}
	switch response.StatusCode {
	case http.StatusBadRequest:
		return &Error{f.Error}
	case http.StatusServiceUnavailable:
		return &Unavailable{f.Error}
	}
	return errors.New(f.Error)
}
