package testbed

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Client is one SMTP connection, driven line by line: it adds nothing to what
// the test says, so a test can also say what no well-behaved client would.
type Client struct {
	// Patience is how long it waits for a reply; Dial makes it the harness's own.
	Patience time.Duration

	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

// Dial connects to an SMTP server from the given local address ("" leaves it to
// the kernel). Addresses of 127.0.0.0/8 let one machine play many clients.
func Dial(address, from string) (*Client, error) {
	dialer := net.Dialer{Timeout: Patience}
	if from != "" {
		ip := net.ParseIP(from)
		if ip == nil {
			return nil, fmt.Errorf("%q is not an IP address", from)
		}
		dialer.LocalAddr = &net.TCPAddr{IP: ip}
	}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return NewClient(conn), nil
}

// NewClient speaks over a connection that exists. It closes it with Close.
func NewClient(conn net.Conn) *Client {
	c := &Client{Patience: Patience}
	c.use(conn)
	return c
}

func (c *Client) use(conn net.Conn) {
	c.conn, c.in, c.out = conn, bufio.NewReader(conn), bufio.NewWriter(conn)
}

// Close closes the connection without QUIT.
func (c *Client) Close() error { return c.conn.Close() }

// Send queues one line. It leaves with the next ReadReply (so commands can be
// pipelined) or when the buffer is full.
func (c *Client) Send(line string) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := c.out.WriteString(line + "\r\n")
	return err
}

// Reply is a server's answer, one string a line, without line ends.
type Reply []string

// Code is the first three characters of the reply.
func (r Reply) Code() string {
	if len(r) == 0 || len(r[0]) < 3 {
		return ""
	}
	return r[0][:3]
}

// ReadReply sends what is queued and reads one reply of one or more lines. It
// returns io.EOF when the server has closed the connection.
func (c *Client) ReadReply() (Reply, error) {
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(c.Patience)); err != nil {
		return nil, err
	}
	var reply Reply
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) && (line != "" || len(reply) > 0) {
				return reply, fmt.Errorf("connection closed within a reply: %q", line)
			}
			return reply, err
		}
		line = strings.TrimRight(line, "\r\n")
		reply = append(reply, line)
		if len(line) < 4 || line[3] != '-' {
			return reply, nil
		}
	}
}

// Ask sends one command and reads its reply.
func (c *Client) Ask(command string) (Reply, error) {
	if err := c.Send(command); err != nil {
		return nil, err
	}
	return c.ReadReply()
}

// StartTLS performs the handshake that follows a 220 to STARTTLS. The config, which may be nil,
// says what the client offers; the server's certificate is not examined.
func (c *Client) StartTLS(config *tls.Config) error {
	if config == nil {
		config = new(tls.Config)
	}
	config = config.Clone()
	config.InsecureSkipVerify = true
	conn := tls.Client(c.conn, config)
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	if err := conn.Handshake(); err != nil {
		return err
	}
	c.use(conn)
	return nil
}
