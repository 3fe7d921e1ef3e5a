package callforward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"mailweir/internal/backend"
)

const (
	// mostRefusals is how many refused recipients a connection carries. Postfix holds every reply
	// back after ten (smtpd_soft_error_limit).
	mostRefusals = 9
	// mostQuestions bounds what one connection carries. Postfix takes more than 100 RSET without
	// mail for misuse (smtpd_junk_command_limit).
	mostQuestions = 50
	// resetPatience is how long an answer waits for the reply to RSET behind it.
	resetPatience = time.Second
)

// conn is a connection that is ready for a question.
type conn struct {
	net.Conn
	raw  net.Conn // the same without TLS
	in   *bufio.Reader
	ends *ends

	greeting             string // the name that the server gives itself
	encrypted            bool
	pipelining, smtputf8 bool
	startTLS             bool

	opened              time.Time
	questions, refusals int
	expire              *time.Timer // while it is idle
}

// dialogError is an answer that ends the dialogue before the recipient is judged.
type dialogError struct {
	command string
	reply   reply
}

func (e *dialogError) Error() string {
	return fmt.Sprintf("it answers %s by %q", e.command, e.reply.String())
}

func (c *conn) send(lines ...string) error {
	_, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n")
	return err
}

func (c *conn) read() (reply, error) {
	r, err := readReply(c.in)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return r, err
}

// command sends one command and reads its reply.
func (c *conn) command(line string) (reply, error) {
	if err := c.send(line); err != nil {
		return reply{}, err
	}
	return c.read()
}

// hello reads the capabilities of the server (RFC 5321 section 4.1.1.1, RFC 2033 section 4.1).
func (c *conn) hello(verb, name string) error {
	r, err := c.command(verb + " " + name)
	if err == nil && verb == "EHLO" && r.code/100 == 5 && r.code != 521 && r.code != 554 {
		r, err = c.command("HELO " + name) // a server of long ago
		r.lines = r.lines[:min(1, len(r.lines))]
	}
	switch {
	case err != nil:
		return err
	case !r.positive():
		return &dialogError{verb, r}
	}
	c.pipelining, c.smtputf8, c.startTLS = false, false, false
	for _, line := range r.lines[1:] {
		word, _, _ := strings.Cut(line, " ")
		switch strings.ToUpper(word) {
		case "PIPELINING":
			c.pipelining = true
		case "SMTPUTF8":
			c.smtputf8 = true
		case "STARTTLS":
			c.startTLS = true
		}
	}
	return nil
}

// question asks whether the server would take mail for the path. An error leaves the connection of
// no use; so does a false usable.
func (c *conn) question(ctx context.Context, path string, utf8 bool) (r reply, usable bool, err error) {
	defer backend.Within(ctx, c.raw)()
	c.questions++
	mail := "MAIL FROM:<>"
	if utf8 {
		mail += " SMTPUTF8"
	}
	if r, err = c.ask(mail, "RCPT TO:"+path); err != nil {
		return r, false, err
	}
	if r.code/100 == 5 {
		c.refusals++
	}
	if r.code == 421 {
		return r, false, nil
	}
	usable, err = c.reset(ctx)
	return r, usable && c.refusals < mostRefusals && c.questions < mostQuestions, err
}

// ask sends both commands and RSET at once where the server allows it, and returns the reply to the
// last of the two. That of RSET is still to come.
func (c *conn) ask(mail, rcpt string) (reply, error) {
	if c.pipelining {
		if err := c.send(mail, rcpt, "RSET"); err != nil {
			return reply{}, err
		}
	} else if err := c.send(mail); err != nil {
		return reply{}, err
	}
	r, err := c.read()
	if err != nil {
		return reply{}, err
	}
	if !r.positive() {
		return reply{}, &dialogError{"MAIL", r}
	}
	if !c.pipelining {
		return c.command(rcpt)
	}
	return c.read()
}

var errOutOfStep = errors.New("its replies do not fit the commands")

// reset ends the transaction. A server that leaves behind its answer has answered all the same. But
// where RSET is refused, or of several commands at once it has answered more or fewer, replies and
// commands do not belong together, and then nobody knows of whom it spoke.
func (c *conn) reset(ctx context.Context) (usable bool, err error) {
	if !c.pipelining {
		soon := time.Now().Add(resetPatience)
		if deadline, ok := ctx.Deadline(); ctx.Err() == nil && (!ok || soon.Before(deadline)) {
			_ = c.SetDeadline(soon)
		}
		if c.send("RSET") != nil {
			return false, nil
		}
	}
	r, err := c.read()
	switch {
	case isGone(err), isTimeout(err) && !c.pipelining:
		return false, nil
	case err != nil:
		return false, err
	case r.code == 421:
		return false, nil
	case !r.positive(), c.in.Buffered() > 0:
		return false, errOutOfStep
	}
	return true, nil
}

// quit takes leave, as far as the server listens.
func (c *conn) quit() {
	_ = c.SetDeadline(time.Now().Add(resetPatience))
	_ = c.send("QUIT")
	c.close()
}

func (c *conn) close() {
	_ = c.Conn.Close()
	c.ends.remove(c)
}
