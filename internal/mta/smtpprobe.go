package mta

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// ProbeWithin is how long a probe waits for all of it: postscreen holds its greeting back for 6 s.
const ProbeWithin = 20 * time.Second

// Probe asks a mail server what a client asks, up to the recipient; no message is sent.
type Probe struct {
	// Address is HOST:PORT.
	Address string
	// Helo is the name in EHLO.
	Helo string
	// Proxied says that the server expects the line of a proxy first (PROXY protocol, version 1).
	Proxied bool
}

// Answers are what the server has said, "" for what it was not asked.
type Answers struct{ Greeting, Mail, Recipient string }

// ErrSilent is what a server that does not greet, hangs up or falls silent in the middle is.
var ErrSilent = errors.New("the mail server does not answer")

// Run talks to the server: EHLO, MAIL FROM:<>, RCPT TO:<postmaster>, RSET, QUIT. That a command is
// refused is no error: the server answers.
func (p Probe) Run(ctx context.Context) (Answers, error) {
	ctx, cancel := context.WithTimeout(ctx, ProbeWithin)
	defer cancel()
	var a Answers
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrSilent, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if p.Proxied {
		if _, err := fmt.Fprintf(conn, "PROXY TCP4 127.0.0.1 127.0.0.1 %d 25\r\n", conn.LocalAddr().(*net.TCPAddr).Port); err != nil {
			return a, errors.Join(fmt.Errorf("%w: %w", ErrSilent, err), conn.Close())
		}
	}
	talk := textproto.NewConn(conn)
	defer talk.Close()
	if a.Greeting, err = reply(talk, "greeting"); err != nil {
		return a, err
	}
	for _, step := range []struct {
		command string
		to      *string
	}{
		{"EHLO " + p.Helo, nil},
		{"MAIL FROM:<>", &a.Mail},
		{"RCPT TO:<postmaster>", &a.Recipient},
		{"RSET", nil},
		{"QUIT", nil},
	} {
		if err := talk.PrintfLine("%s", step.command); err != nil {
			return a, fmt.Errorf("%w at %s: %w", ErrSilent, step.command, err)
		}
		said, err := reply(talk, step.command)
		if err != nil {
			return a, err
		}
		if step.to != nil {
			*step.to = said
		}
	}
	return a, nil
}

// reply reads one of any code but 421, with which the server hangs up.
func reply(talk *textproto.Conn, to string) (string, error) {
	code, text, err := talk.ReadResponse(0)
	var said *textproto.Error
	if err != nil && !errors.As(err, &said) {
		return "", fmt.Errorf("%w at %s: %w", ErrSilent, to, err)
	}
	first, _, _ := strings.Cut(text, "\n")
	line := fmt.Sprintf("%d %s", code, first)
	if code == 421 {
		return line, fmt.Errorf("%w at %s: %s", ErrSilent, to, line)
	}
	return line, nil
}
