package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	gomilter "github.com/emersion/go-milter"
)

// The library keeps the header fields of all messages until an abort; this is how many octets it may
// gather before it is handed one of ours.
const headerLimit = 64 << 10

// Packets that the MTA has not sent: one makes the library forget header fields, the other makes it answer and do
// nothing else.
var (
	abortPacket = []byte{0, 0, 0, 1, byte(gomilter.CodeAbort)}
	dataPacket  = []byte{0, 0, 0, 1, byte(gomilter.CodeData)}
)

// conn is what the library takes for the MTA. It hands it one packet after the other, each of which the library can
// digest, and keeps for the session what the library drops.
//
// All methods but send, cut, part, isGone and inProgress run in the goroutine of the connection.
type conn struct {
	net.Conn
	in      reader
	session *session
	log     func(error)
	closed  func() // called once, at the end

	out     []byte // what the library has yet to read of the packet at hand
	held    []byte // the packet to hand over after it
	missing int    // octets of the packet at hand which are still to come from the MTA
	data    []byte // payload of the packet at hand; of a body chunk perhaps the beginning only
	macros  macros // of the packet at hand
	fresh   bool   // macros belong to the next command
	phase   phase  // where the dialog is after the packet at hand

	progressEvery time.Duration

	over    bool // the message has been answered for, or aborted: none is in progress at the next read
	ended   bool // its end has been seen: the library can forget its header fields
	headers int  // octets of header fields that the library holds

	mu     sync.Mutex
	busy   bool // a message is in progress
	gone   bool // cut off
	parted bool // to be cut off as soon as no message is in progress
}

// Read hands the library the next octets of packets that it understands. Every end of the connection is
// an [io.EOF] to it: it would write other errors to the standard logger.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		if c.missing > 0 {
			return c.readMissing(p)
		}
		if err := c.advance(); err != nil {
			c.report(err)
			return 0, io.EOF
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

func (c *conn) readMissing(p []byte) (int, error) {
	n, err := c.in.rest(p, c.missing)
	c.missing -= n
	if err != nil {
		c.report(err)
	}
	return n, err
}

// advance fetches the next packet for the library. It may leave nothing to read yet.
func (c *conn) advance() error {
	if c.held != nil {
		c.out, c.held = c.held, nil
		return nil
	}
	if c.over {
		c.over = false
		c.setBusy(false)
	}
	if c.headers > 0 && c.ended {
		c.ended = false
		c.abort()
		return nil
	}
	if !c.fresh {
		c.dropMacros()
	}
	packet, missing, err := c.in.next(idleDeadline)
	if err != nil {
		return err
	}
	c.missing = missing
	return c.take(packet)
}

// take notes what the library will not keep of a packet, and hands it on.
func (c *conn) take(packet []byte) error {
	code, data := gomilter.Code(packet[lengthSize]), packet[lengthSize+1:]
	if code == gomilter.CodeMacro {
		return c.keepMacros(data)
	}
	c.data, c.fresh = data, false
	next, err := c.phase.after(code)
	if err != nil {
		return err
	}
	c.phase = next
	switch code {
	case gomilter.CodeHeader:
		c.header(packet)
		return nil
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
		c.headers = 0
	}
	c.out = packet
	return nil
}

// header hands on a header packet: name NUL value NUL. Like libmilter it takes no notice of what follows. What has no
// name and value no MTA sends; the library would take it for another field, or answer it where no answer is due.
func (c *conn) header(packet []byte) {
	name, rest, split := bytes.Cut(c.data, []byte{0})
	if !split || len(name) == 0 {
		if c.session.terms.protocol&gomilter.OptNoHeaderReply == 0 {
			c.out = dataPacket
		}
		return
	}
	value, _ := cstring(rest)
	if size := len(name) + 1 + len(value) + 1; size < len(c.data) {
		packet = packet[:lengthSize+1+size]
		binary.BigEndian.PutUint32(packet, uint32(1+size))
	}
	c.out = packet
	if c.headers > headerLimit {
		c.abort()
		c.held = packet
	}
	c.headers += len(packet)
}

// abort hands the library an abort of our own, so that it forgets the header fields it has seen.
func (c *conn) abort() {
	c.out = abortPacket
	c.headers = 0
	c.session.ownAbort = true
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

// Write sends a reply. The library writes each packet at once. An error ends the connection, which the library sees at
// its next read: it would write the error to the standard logger.
func (c *conn) Write(p []byte) (int, error) {
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
		c.report(fmt.Errorf("reply not sent: %w", err))
		c.cut()
	}
}

// Close is called by the library when the session is over, and only then.
func (c *conn) Close() error {
	if c.phase == phaseOver && len(c.in.unread) > 0 {
		c.report(errors.New("protocol error: the MTA sends more after it has quit"))
	}
	c.cut()
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

// setBusy notes whether a message is in progress. It is false when there is no connection left for one.
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
