// Package spamd speaks to the daemon of SpamAssassin, in its own protocol (spamd/PROTOCOL of its
// source): what it is told about a message, and what is read of its answer.
package spamd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/spamscan"
)

// Client speaks to one spamd.
type Client struct {
	name, network, target string
	clock                 func() time.Time
}

// maxAnswer bounds an answer in octets. Usual ones have some hundred.
const maxAnswer = 256 << 10

// New returns a client for HOST[:PORT] or unix:/PATH. It connects to nothing yet. The clock is for
// the field Received that tells spamd of the client.
func New(address string, clock func() time.Time) (*Client, error) {
	c := &Client{name: "spamd:" + address, clock: clock}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("%q is no path of a socket: %w", path, errAddress)
		}
		c.network, c.target = "unix", path
		return c, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil { // a host alone
		host, port = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), "783"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if host == "" || strings.ContainsAny(host, "/@ ") || err != nil || n == 0 {
		return nil, errAddress
	}
	c.network, c.target = "tcp", net.JoinHostPort(host, port)
	return c, nil
}

var errAddress = errors.New("write spamd:HOST:783 or spamd:unix:/PATH")

// Name is the scanner as it is configured.
func (c *Client) Name() string { return c.name }

// InClear reports whether messages go to another host, readable for whoever is between.
func (c *Client) InClear() bool {
	host, _, _ := net.SplitHostPort(c.target) // of a path there is none
	return !backend.Loopback(host)
}

// Scan has a message judged.
func (c *Client) Scan(ctx context.Context, m *spamscan.Message) (spamscan.Answer, error) {
	size, err := m.Size()
	if err != nil {
		return spamscan.Answer{}, err
	}
	front := envelope(m, c.clock())
	request := fmt.Sprintf("SYMBOLS SPAMC/1.5\r\nContent-length: %d\r\n\r\n", int64(len(front))+size)
	text, err := c.ask(ctx, io.MultiReader(strings.NewReader(request+front), m.Exactly(size)))
	if err != nil {
		return spamscan.Answer{}, err
	}
	return Parse(text)
}

// Ping asks whether spamd is there: whether one of its children has time.
func (c *Client) Ping(ctx context.Context) (string, error) {
	text, err := c.ask(ctx, strings.NewReader("PING SPAMC/1.5\r\n\r\n"))
	if err != nil {
		return "", err
	}
	first, _, _ := bytes.Cut(text, []byte("\r\n"))
	if !bytes.HasPrefix(first, []byte("SPAMD/")) || !bytes.HasSuffix(first, []byte(" 0 PONG")) {
		return "", fmt.Errorf("it answers a ping with %q: this is no spamd", spamscan.OneLine(string(first), 100))
	}
	return "spamd, protocol " + spamscan.OneLine(string(bytes.TrimSuffix(first, []byte(" 0 PONG"))), 20), nil
}

// ask puts one question on a connection of its own and returns the answer. That nothing follows it
// is told by closing our side: spamd would wait for more otherwise.
func (c *Client) ask(ctx context.Context, question io.Reader) ([]byte, error) {
	conn, err := new(net.Dialer).DialContext(ctx, c.network, c.target)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer backend.Within(ctx, conn)()
	_, failed := io.Copy(conn, question)
	var reading *spamscan.ReadError
	if errors.As(failed, &reading) {
		return nil, failed // our side stays open, so spamd has not seen an end
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && failed == nil {
		failed = half.CloseWrite()
	}
	// An answer says more than that the connection was closed while we wrote.
	text, err := io.ReadAll(io.LimitReader(conn, maxAnswer+1))
	switch {
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("its answer has more than %d octets", maxAnswer)
	case err != nil && len(text) == 0:
		return nil, errors.Join(failed, err)
	case len(text) == 0:
		return nil, errors.Join(failed, errors.New("it closed the connection without an answer"))
	case err != nil:
		return nil, fmt.Errorf("its answer ends early: %w", err)
	}
	return text, nil
}
