package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"mailweir/internal/policy"
)

// ErrNotRunning means that nobody listens at the socket.
var ErrNotRunning = errors.New("no daemon listens at the control socket")

// ErrClosed means that this user may not connect to the socket. The daemon may well run.
var ErrClosed = errors.New("the control socket is closed to this user: give the command as the user that mailweir runs as, or as root (sudo)")

// Client asks the daemon behind a control socket.
type Client struct {
	http *http.Client
}

// SocketPath returns the path in an address unix:/PATH.
func SocketPath(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok || !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("%q is not unix:/PATH", address)
	}
	return path, nil
}

// NewClient returns a client for the socket at a path. Whoever listens there and does not answer is
// waited for as long as an operation may take, and no longer.
func NewClient(path string) *Client {
	return &Client{http: &http.Client{
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}},
	}}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do has the daemon carry an operation out and returns its answer. The error is [ErrNotRunning],
// [ErrClosed], or what [Service.Do] says.
func (c *Client) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	e := envelope{Why: r.Why, Request: r.Body}
	if r.For != 0 {
		e.For = r.For.String()
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Within, longest))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://mailweir"+prefix+r.Operation, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, notReached(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, notReached(err)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("the answer of the daemon is longer than %d octets", maxAnswer)
	case response.StatusCode == http.StatusOK:
		return answer, nil
	}
	return nil, readFailure(response, answer, r.Operation)
}

// Ask is Do for a program: in becomes the body, and the answer is read into out.
func (c *Client) Ask(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.Do(ctx, Request{Operation: operation, Body: body})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

func notReached(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%w: %w", ErrClosed, dial.Err)
		}
		return fmt.Errorf("%w: %w", ErrNotRunning, dial.Err)
	}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return &UnavailableError{"the daemon does not answer: " + err.Error()}
	}
	return err
}

// readFailure turns an answer that is none into the error that it was. A daemon of another version
// does not know the path, and may know no JSON either.
func readFailure(response *http.Response, answer []byte, operation string) error {
	var f failure
	if json.Unmarshal(answer, &f) != nil || f.Error == "" {
		f = failure{Error: fmt.Sprintf("the daemon answers %s to %s", response.Status, operation)}
	}
	switch {
	case response.StatusCode == http.StatusNotFound:
		return &UnknownError{operation}
	case f.Kind == "wrong":
		return &policy.WrongError{Text: f.Error}
	case f.Kind == "denied":
		return &DeniedError{f.Error}
	case f.Kind == "unavailable":
		return &UnavailableError{f.Error}
	}
	return errors.New(f.Error)
}
