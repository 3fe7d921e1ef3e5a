package wire

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

// Patience bounds every answer of a filter.
const Patience = 60 * time.Second

// Client is one connection to a filter, driven command by command.
type Client struct {
	Terms Terms
	// Macros are what the MTA knows, by name as in "i" or "{auth_authen}". Of those the filter gets
	// what it asked for.
	Macros map[string]string

	conn net.Conn
	in   *bufio.Reader
	out  []byte // not yet written: commands without an answer
}

// Answer is what a filter says to a command.
type Answer struct {
	// Code is 'c' to go on, 'a' accept, 'r' reject, 't' temporary failure, 'd' discard, 'y' a reply
	// of its own.
	Code byte
	// Text is the reply of 'y', "550 5.7.1 No".
	Text string
	// Edits are changes of the message, in the order in which they came: the letter and what
	// belongs to it.
	Edits []string
}

// Refuses tells whether the answer is anything but "go on".
func (a Answer) Refuses() bool { return a.Code != 'c' && a.Code != 'a' }

// String is the reply, or the letter where there is none.
func (a Answer) String() string {
	if a.Code == 'y' {
		return a.Text
	}
	return string(a.Code)
}

// Dial connects to a filter on a unix socket and negotiates.
func Dial(socket string) (*Client, error) {
	conn, err := net.DialTimeout("unix", socket, Patience)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, in: bufio.NewReader(conn), Macros: make(map[string]string)}
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return nil, err
	}
	if c.Terms, err = Negotiate(conn, c.in); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// Do sends a command with its macros, if the filter wants it, and waits for the answer, if it gives
// one.
func (c *Client) Do(command byte, data string) (Answer, error) {
	goOn := Answer{Code: 'c'}
	if !c.Terms.Sends(command) {
		return goOn, nil
	}
	if macros := c.Terms.Macros(command, c.Macros); macros != "" {
		c.out = AppendPacket(c.out, Macro, macros)
	}
	c.out = AppendPacket(c.out, command, data)
	if !c.Terms.Answered(command) {
		return goOn, nil
	}
	return c.await(command)
}

// Abort ends the message that has begun, as RSET and the end of a message do.
func (c *Client) Abort() { c.out = AppendPacket(c.out, Abort, "") }

// Close says QUIT and closes the connection.
func (c *Client) Close() error {
	c.out = AppendPacket(c.out, Quit, "")
	err := c.flush()
	if closed := c.conn.Close(); err == nil {
		err = closed
	}
	return err
}

// Flush writes what has no answer and waits in memory.
func (c *Client) Flush() error { return c.flush() }

func (c *Client) flush() error {
	if err := c.conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

func (c *Client) await(command byte) (a Answer, err error) {
	if err := c.flush(); err != nil {
		return a, err
	}
	for {
		code, data, err := ReadPacket(c.in)
		if err != nil {
			return a, fmt.Errorf("after %q: %w", command, err)
		}
		text := strings.ReplaceAll(strings.TrimSuffix(string(data), "\x00"), "\x00", " ")
		switch code {
		case 'c', 'a', 'r', 't', 'd', 'y':
			a.Code, a.Text = code, text
			return a, nil
		case 'p': // progress: go on waiting
		default:
			a.Edits = append(a.Edits, string(code)+" "+text)
		}
	}
}
