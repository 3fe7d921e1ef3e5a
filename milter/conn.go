package milter

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	gomilter "github.com/emersion/go-milter"
)

// conn is one connection of an MTA. It takes one packet after the other, holds their order, and
// hands each to the session, which answers.
//
// All methods but send, cut, part, isGone and inProgress run in the goroutine of the connection.
type conn struct {
	net.Conn
	in      reader
	session *session
	log     func(error)

	macros macros // of the packet at hand
	fresh  bool   // macros belong to the next command
	phase  phase  // where the dialog is after the packet at hand

	progressEvery time.Duration

	slow   time.Duration // slowAnswer, except in tests
	gaveUp func()        // called at most once; nil calls nobody
	until  time.Time     // the deadline that is set for writing

	over bool // the message has been answered for, or aborted: none is in progress at the next read

	mu     sync.Mutex
	busy   bool // a message is in progress
	gone   bool // cut off
	told   bool // gaveUp has been called
	parted bool // to be cut off as soon as no message is in progress
}

// serve takes one packet after the other until the connection ends.
func (c *conn) serve() {
	for {
		if err := c.advance(); err != nil {
			c.report(err)
			return
		}
	}
}

// advance takes the next packet.
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
	c.fresh = false
	if c.phase, err = c.phase.after(code); err != nil {
		return err
	}
	switch code {
	case gomilter.CodeBody:
		return c.body(data, missing)
	case gomilter.CodeMail:
		if !c.setBusy(true) {
			return errEnded
		}
	case gomilter.CodeEOB, gomilter.CodeAbort:
		c.over = true
	case gomilter.CodeQuit:
		if len(c.in.unread) > 0 {
			return errors.New("protocol error: the MTA sends more after it has quit")
		}
		return errEnded
	}
	return c.session.take(code, data)
}

// body passes a chunk of the body on as it arrives.
func (c *conn) body(data []byte, missing int) error {
	if len(data) > 0 {
		c.session.body(data)
	}
	for missing > 0 {
		piece, err := c.in.rest(missing)
		if err != nil {
			return err
		}
		missing -= len(piece)
		c.session.body(piece)
	}
	c.session.proceed(gomilter.OptNoBodyReply)
	return nil
}

// keepMacros keeps the macros for the command that follows.
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

// answer sends a reply, and the edits before it.
func (c *conn) answer(packets []byte) {
	if time.Since(c.in.arrived) > c.slow && hungUp(c.Conn) {
		c.unheard()
	}
	c.send(packets)
	c.in.quiet = false
}

// send writes to the MTA. An error ends the connection, which is seen at the next read.
func (c *conn) send(packets []byte) {
	err := c.armWrite()
	if err == nil {
		_, err = c.Conn.Write(packets)
	}
	if err != nil {
		if !c.isGone() {
			c.unheard()
		}
		c.report(fmt.Errorf("reply not sent: %w", err))
		c.cut()
	}
}

// armWrite sets the deadline for writing, unless what is set leaves time enough: to set one costs
// more than the write.
func (c *conn) armWrite() error {
	now := time.Now()
	if c.until.Sub(now) >= writeDeadline {
		return nil
	}
	c.until = now.Add(2 * writeDeadline)
	return c.SetWriteDeadline(c.until)
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

// end closes the connection, for good.
func (c *conn) end() {
	c.cut()
	c.setBusy(false) // the MTA has left: nothing is cut off by us any more
	c.in.release()
	if c.session != nil {
		c.session.close()
	}
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
