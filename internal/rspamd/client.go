// Package rspamd speaks to the normal worker of rspamd, which takes messages by HTTP
// (https://rspamd.com/doc/developers/protocol.html): what it is told about a message, and what is
// read of its answer.
package rspamd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"mailweir/internal/backend"
	"mailweir/internal/spamscan"
)

// Client speaks to one rspamd.
type Client struct {
	name string // as configured
	host string // "" for a unix socket
	port string
	url  string
	http *http.Client
}

// maxAnswer bounds an answer in octets. Usual ones have some KiB.
const maxAnswer = 4 << 20

// New returns a client for http://HOST[:PORT] or unix:/PATH. It connects to nothing yet.
func New(address string) (*Client, error) {
	c := &Client{name: "rspamd:" + address}
	network, target, err := c.parse(address)
	if err != nil {
		return nil, err
	}
	dialer := new(net.Dialer)
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, target)
			},
			// rspamd resets a second request on the same connection.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

var errAddress = errors.New("write rspamd:http://HOST:11333 or rspamd:unix:/PATH")

func (c *Client) parse(address string) (network, target string, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return "", "", fmt.Errorf("%q is no path of a socket: %w", path, errAddress)
		}
		c.url = "http://rspamd"
		return "unix", path, nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Opaque != "":
		return "", "", errAddress // what url.Parse says may show a password
	case u.User != nil:
		return "", "", fmt.Errorf("the normal worker asks for no user and password: %w", errAddress)
	case u.Scheme != "http":
		return "", "", fmt.Errorf("it is asked by plain HTTP or a unix socket: %w", errAddress)
	case u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", "", fmt.Errorf("host and port are all that is needed: %w", errAddress)
	}
	c.host = u.Hostname()
	if c.port = u.Port(); c.port == "" {
		c.port = "11333"
	}
	c.url = "http://" + u.Host
	return "tcp", net.JoinHostPort(c.host, c.port), nil
}

// Name is the scanner as it is configured.
func (c *Client) Name() string { return c.name }

// InClear reports whether messages go to another host, readable for whoever is between.
func (c *Client) InClear() bool { return !backend.Loopback(c.host) }

// Scan has a message judged.
func (c *Client) Scan(ctx context.Context, m *spamscan.Message) (spamscan.Answer, error) {
	size, err := m.Size()
	if err != nil {
		return spamscan.Answer{}, err
	}
	header, left := headers(m)
	body, err := c.do(ctx, http.MethodPost, "/checkv2", header, m.Exactly(size), size)
	if err != nil {
		return spamscan.Answer{}, err
	}
	answer, err := Parse(body)
	if left > 0 {
		answer.Left = append(answer.Left, fmt.Sprintf("%d recipients were not told of", left))
	}
	return answer, err
}

// Ping asks whether rspamd is there.
func (c *Client) Ping(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/ping", nil)
	if err != nil {
		return "", err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", c.plain(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64))
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK || strings.TrimSpace(string(text)) != "pong" {
		return "", fmt.Errorf("it answers a ping with %s: this is no rspamd", spamscan.OneLine(response.Status, 100))
	}
	switch server := spamscan.OneLine(response.Header.Get("Server"), 100); {
	case strings.Contains(server, "milter mode"):
		return "", errMilter
	case server != "":
		return server, nil
	}
	return "rspamd", nil
}

// do asks one question and returns the answer's text.
func (c *Client) do(ctx context.Context, method, path string, header http.Header, body io.Reader, size int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	request.Header, request.ContentLength = header, size
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.plain(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("its answer ends early: %w", err)
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("its answer has more than %d octets", maxAnswer)
	case response.StatusCode != http.StatusOK:
		said := failure(response.Status, text)
		if response.StatusCode == http.StatusUnauthorized {
			said += "; this is rspamd's controller, usually at port 11334; its normal worker listens at 11333"
		}
		return nil, &spamscan.AnsweredError{Said: said}
	}
	return text, nil
}

// milterPort is where a usual rspamd speaks the milter protocol: it answers a ping by HTTP, and
// closes the connection on everything else.
const milterPort = "11332"

var errMilter = errors.New("this is rspamd's milter, usually at port 11332; its normal worker listens at 11333")

// plain leaves out what net/http puts in front of an error, and explains the usual mistake.
func (c *Client) plain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if c.port == milterPort && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
		return fmt.Errorf("%w: %w", errMilter, err)
	}
	return err
}
