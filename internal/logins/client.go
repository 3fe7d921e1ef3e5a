package logins

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/policy"
)

// Client asks and tells the milter. While that is down, questions fail at once and what is told is
// dropped and counted.
type Client struct {
	http    *http.Client
	backend *backend.Backend
	dropped atomic.Uint64
}

// Bounds of what waits for the milter. It answers from memory.
const (
	asksWithin = time.Second
	asksAtOnce = 64
)

// NewClient returns a client for the socket at a path. watch, which may be nil, takes the options
// of the backend before it is made, to have it observed.
func NewClient(socket string, watch func(backend.Options) backend.Options) *Client {
	c := &Client{}
	var d net.Dialer
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := d.DialContext(ctx, "unix", socket)
			if errors.Is(err, fs.ErrPermission) {
				err = fmt.Errorf("%w: the milter lets in the group that its --auth-milter-group names", err)
			}
			return conn, err
		},
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, DisableCompression: true,
	}}
	options := backend.Options{
		Name: "milter:unix:" + socket, Deadline: asksWithin, InFlight: asksAtOnce, LastProbe: 2 * time.Second,
		Probe: func(ctx context.Context, _ int) error {
			_, err := c.post(ctx, message{})
			return err
		},
	}
	if watch != nil {
		options = watch(options)
	}
	c.backend = backend.New(options)
	return c
}

// Ask reports whether a client is blocked, and why.
func (c *Client) Ask(ctx context.Context, l policy.Login) (blocked bool, cause string, err error) {
	a, err := c.call(ctx, message{Client: l.Client, Login: l.Name})
	return a.Blocked, a.Cause, err
}

// Tell says what came of an attempt.
func (c *Client) Tell(ctx context.Context, l policy.Login, o policy.LoginOutcome) {
	m := message{Client: l.Client, Login: l.Name, Outcome: failed, Again: o.Again}
	if o.Succeeded {
		m.Outcome = succeeded
	}
	if _, err := c.call(ctx, m); err != nil {
		c.dropped.Add(1)
	}
}

// Dropped is how many reports the milter has not had.
func (c *Client) Dropped() uint64 { return c.dropped.Load() }

// Greet asks whether the milter is there. Where it is not, it counts as lost.
func (c *Client) Greet(ctx context.Context) error {
	_, err := c.call(ctx, message{})
	return err
}

func (c *Client) call(ctx context.Context, m message) (a Answer, err error) {
	err = c.backend.Call(ctx, 0, func(ctx context.Context) error {
		a, err = c.post(ctx, m)
		return err
	})
	return a, err
}

func (c *Client) post(ctx context.Context, m message) (a Answer, err error) {
	if len(m.Login) > maxLogin {
		m.Login = ""
	}
	body, err := json.Marshal(m)
	if err != nil {
		return a, err
	}
	return a, c.send(ctx, path, body, &a)
}

// send posts a body, and reads the answer unless that is nil.
func (c *Client) send(ctx context.Context, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://milter"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header["Idempotency-Key"] = nil // sent again where the milter has closed the connection meanwhile
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode/100 != 2:
		return &statusError{response.StatusCode, response.Status}
	case answer == nil:
		return nil
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer)
}

// statusError is an answer that says that something was wrong.
type statusError struct {
	code   int
	status string
}

func (e *statusError) Error() string { return "it answers " + e.status }

// maxAnswer bounds an answer in octets.
const maxAnswer = 64 << 10

// Close ends the prober.
func (c *Client) Close() {
	c.backend.Close()
	c.http.CloseIdleConnections()
}
