package milter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	gomilter "github.com/emersion/go-milter"
)

// continuePacket lets the mail on where an answer is due that the library does not give.
var continuePacket = []byte{0, 0, 0, 1, byte(gomilter.ActContinue)}

// conn is what the library takes for the MTA. It hands it one command after the other and keeps for
// the session what the library drops. Header fields and pieces of the body, which are most of what
// an MTA sends, go straight to the session.
//
// All methods but send, cut, part, isGone and inProgress run in the goroutine of the connection.
type conn struct {
	net.Conn
	in      reader
	session *session
	log     func(error)
	closed  func() // called once, at the end

	out    []byte // what the library has yet to read of the packet at hand
	data   []byte // payload of the packet at hand
	macros macros // of the packet at hand
	fresh  bool   // macros belong to the next command
	phase  phase  // where the dialog is after the packet at hand

	progressEvery time.Duration

	asked  time.Time     // when the packet at hand came
	slow   time.Duration // slowAnswer, except in tests
	gaveUp func()        // called at most once; nil calls nobody

	over bool // the message has been answered for, or aborted: none is in progress at the next read

	mu     sync.Mutex
	busy   bool // a message is in progress
	gone   bool // cut off
	told   bool // gaveUp has been called
	parted bool // to be cut off as soon as no message is in progress
}

// Read hands the library the next octets of commands. Every end of the connection is an [io.EOF] to
// it: it would write other errors to the standard logger.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		if err := c.advance(); err != nil {
			c.report(err)
			return 0, io.EOF
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// advance takes the next packet. It may leave nothing to read for the library.
func (c *conn) advance() error {
	if c.over {
		c.over = false
		c.setBusy(false)
	}
	if !c.fresh {
		c.dropMacros()
	}
	packet, missing, err := c.in.next(idleDeadline)
	if err != nil {
		return err
	}
	code, data := gomilter.Code(packet[lengthSize]), packet[lengthSize+1:]
	if code == gomilter.CodeMacro {
		return c.keepMacros(data)
	}
	c.data, c.fresh, c.asked = data, false, time.Now()
	if c.phase, err = c.phase.after(code); err != nil {
		return err
	}
	switch code {
	case gomilter.CodeHeader:
		return c.header()
	case gomilter.CodeBody:
		return c.body(missing)
	case gomilter.CodeConn:
		if _, err := connectFacts(data, nil); err != nil {
			return err
		}
	case gomilter.CodeMail:
		if !c.setBusy(true) {
			return errEnded
		}
	case gomilter.CodeAbort:
		c.over = true
	}
	c.out = packet
	return nil
}

// header passes a header field on: name NUL value NUL. Like libmilter it takes no notice of what
// follows.
func (c *conn) header() error {
	name, rest, split := bytes.Cut(c.data, []byte{0})
	if !split || len(name) == 0 {
		return errors.New("protocol error: the MTA sends a header field without name or value")
	}
	value, _ := cstring(rest)
	text := string(c.data[:len(name)+1+len(value)]) // one string for both
	c.session.header(text[:len(name)], text[len(name)+1:])
	c.proceed(gomilter.OptNoHeaderReply)
	return nil
}

// body passes a chunk of the body on as it arrives.
func (c *conn) body(missing int) error {
	if len(c.data) > 0 {
		c.session.body(c.data)
	}
	for missing > 0 {
		piece, err := c.in.rest(missing)
		if err != nil {
			return err
		}
		missing -= len(piece)
		c.session.body(piece)
	}
	c.proceed(gomilter.OptNoBodyReply)
	return nil
}

// proceed lets the mail on, unless the MTA has granted that no answer is due.
func (c *conn) proceed(granted gomilter.OptProtocol) {
	if c.session.terms.protocol&granted == 0 {
		_, _ = c.Write(continuePacket)
	}
}

// keepMacros keeps the macros for the command that follows. The library would forget them too soon.
func (c *conn) keepMacros(data []byte) error {
	if len(data) == 0 {
		return errors.New("malformed macro packet")
	}
	c.dropMacros()
	c.macros = append(c.macros, data[1:]...)
	c.fresh = true
	return nil
}

func (c *conn) dropMacros() {
	if cap(c.macros) > smallBuffer<<2 {
		c.macros = nil
	}
	c.macros = c.macros[:0]
}

// Write sends a reply. The library writes each packet at once. An error ends the connection, which
// the library sees at its next read: it would write the error to the standard logger.
func (c *conn) Write(p []byte) (int, error) {
	if time.Since(c.asked) > c.slow && hungUp(c.Conn) {
		c.unheard()
	}
	c.send(p)
	c.in.quiet = false
	return len(p), nil
}

func (c *conn) send(p []byte) {
	err := c.Conn.SetWriteDeadline(time.Now().Add(writeDeadline))
	if err == nil {
		_, err = c.Conn.Write(p)
	}
	if err != nil {
		if !c.isGone() {
			c.unheard()
		}
		c.report(fmt.Errorf("reply not sent: %w", err))
		c.cut()
	}
}

// slowAnswer is after how long it is looked whether the MTA still waits: no MTA gives up earlier,
// and what is answered at once need not pay for it.
const slowAnswer = time.Second

// unheard tells that the MTA has not awaited an answer.
func (c *conn) unheard() {
	c.mu.Lock()
	first := !c.told
	c.told = true
	c.mu.Unlock()
	if first && c.gaveUp != nil {
		c.gaveUp()
	}
}

// Close is called by the library when the session is over, and only then.
func (c *conn) Close() error {
	if c.phase == phaseOver && len(c.in.unread) > 0 {
		c.report(errors.New("protocol error: the MTA sends more after it has quit"))
	}
	c.cut()
	c.setBusy(false) // the MTA has left: nothing is cut off by us any more
	c.in.release()
	c.session.close()
	c.closed()
	return nil
}

// report passes on why a connection ends, unless that is in order.
func (c *conn) report(err error) {
	if !c.isGone() && !errors.Is(err, errEnded) {
		c.log(fmt.Errorf("milter session %s: %w", c.session.policy.ID(), err))
	}
}

// setBusy notes whether a message is in progress. It is false when there is no connection left for
// one.
func (c *conn) setBusy(busy bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = busy
	if !busy && c.parted {
		c.cutLocked()
	}
	return !c.gone
}

// cut ends the connection at once. The goroutine of the session sees it at its next read.
func (c *conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutLocked()
}

func (c *conn) cutLocked() {
	if !c.gone {
		c.gone = true
		_ = c.Conn.Close() // nothing is lost by it: replies are not buffered
	}
}

// part ends the connection as soon as no message is in progress.
func (c *conn) part() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parted = true
	if !c.busy {
		c.cutLocked()
	}
}

// isGone reports whether the connection has been cut off by us.
func (c *conn) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// inProgress reports whether a message is in progress.
func (c *conn) inProgress() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}
