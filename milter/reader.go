package milter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	gomilter "github.com/emersion/go-milter"
)

const (
	// packetLimit is the length of a packet beyond which none is taken. MTAs send bodies in chunks
	// of at most 64 KiB.
	packetLimit = 1 << 20
	lengthSize  = 4

	// An idle connection holds no more than the small buffer.
	smallBuffer = 256
	largeBuffer = 16 << 10
)

// Deadlines. The MTA has its own and is the one to notice a slow client, so ours must outlast an
// SMTP session in which nobody speaks and an upload of hours, of which Postfix passes nothing on
// before its end. Libmilter waits 7,210 s.
const (
	offerDeadline  = 30 * time.Second
	idleDeadline   = 2*time.Hour + 10*time.Minute
	packetDeadline = 30 * time.Second
	writeDeadline  = 30 * time.Second

	// idleSlack is how much more the MTA may get between packets, so that the deadline need not be
	// set for each.
	idleSlack = 10 * time.Minute
)

// errEnded says that the MTA has closed the connection between two packets.
var errEnded = errors.New("connection ended")

// buffers is where connections that have much to read borrow a buffer.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() *[largeBuffer]byte {
	if large, ok := b.pool.Get().(*[largeBuffer]byte); ok {
		return large
	}
	return new([largeBuffer]byte)
}

func (b *buffers) put(large *[largeBuffer]byte) { b.pool.Put(large) }

// reader cuts what comes from the MTA into packets. It waits with a small buffer of its own and
// borrows a large one while there is more to read than that holds.
type reader struct {
	conn        net.Conn
	buffers     *buffers
	acknowledge func() // has what arrived acknowledged at once; nil where that speeds up nothing

	small  [smallBuffer]byte
	large  *[largeBuffer]byte // nil while not borrowed
	buf    []byte             // small, large, or one made for a single huge packet
	unread []byte             // part of buf
	more   bool               // the latest read filled the buffer: there is likely more
	body   bool               // a body chunk is on its way
	begun  bool               // the deadline of the packet at hand is set
	quiet  bool               // nothing has been sent since the latest read

	until   time.Time // the deadline that is set
	arrived time.Time // when the latest read ended
}

// next returns the next packet, length included. It stays valid until the following call. Of a body
// chunk that has not arrived whole only the beginning is returned, with the number of octets to
// come: these are read with rest.
func (r *reader) next(wait time.Duration) (packet []byte, missing int, err error) {
	r.begun, r.body = false, false
	if err := r.need(lengthSize+1, wait); err != nil {
		return nil, 0, err
	}
	length := binary.BigEndian.Uint32(r.unread)
	if length == 0 || length > packetLimit {
		return nil, 0, fmt.Errorf("packet length %d is not between 1 and %d", length, packetLimit)
	}
	size := lengthSize + int(length)
	if r.unread[lengthSize] == byte(gomilter.CodeBody) && len(r.unread) < size {
		r.body = true
		packet, r.unread = r.unread, r.unread[len(r.unread):]
		return packet, size - len(packet), nil
	}
	if err := r.need(size, wait); err != nil {
		return nil, 0, err
	}
	packet, r.unread = r.unread[:size], r.unread[size:]
	return packet, 0, nil
}

// rest returns the next piece of a body chunk of which so many octets are missing. It stays valid
// until the following call. The deadline begins again: what was done with the piece before is not
// the MTA's time.
func (r *reader) rest(missing int) ([]byte, error) {
	r.begun = false
	if err := r.need(1, packetDeadline); err != nil {
		if errors.Is(err, errEnded) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := min(missing, len(r.unread))
	piece := r.unread[:n]
	r.unread = r.unread[n:]
	return piece, nil
}

// need reads until n octets are unread.
func (r *reader) need(n int, wait time.Duration) error {
	for len(r.unread) < n {
		started := len(r.unread) > 0
		if started {
			wait = packetDeadline
		}
		if err := r.arm(wait); err != nil {
			return err
		}
		r.room(n)
		at := len(r.unread)
		free := r.buf[at:]
		got, err := r.read(free)
		r.unread = r.buf[:at+got]
		r.more = got == len(free)
		if got == 0 && err != nil {
			return readError(err, started)
		}
	}
	return nil
}

// read reads from the socket. What a reply follows is acknowledged with the reply, and where a read
// has filled the buffer the next one need not wait; all else is acknowledged before more is waited
// for.
func (r *reader) read(p []byte) (int, error) {
	if r.quiet && !r.more && r.acknowledge != nil {
		r.acknowledge()
	}
	r.quiet = true
	n, err := r.conn.Read(p)
	r.arrived = time.Now()
	return n, err
}

// readError tells a connection that ends between two packets from one that breaks.
func readError(err error, started bool) error {
	switch {
	case !started && closedByPeer(err):
		return errEnded
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// closedByPeer reports whether an error means that the other side has gone. A unix socket that is
// closed before everything has been read from it says so by a reset.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// arm sets the deadline. A packet that has begun has one for the whole of it.
func (r *reader) arm(wait time.Duration) error {
	if r.begun {
		return nil
	}
	now := time.Now()
	if r.begun = wait != idleDeadline; !r.begun {
		if r.until.Sub(now) >= wait {
			return nil
		}
		wait += idleSlack
	}
	r.until = now.Add(wait)
	return r.conn.SetReadDeadline(r.until)
}

// room moves what is unread to the start of a buffer that holds n octets and has room for more.
func (r *reader) room(n int) {
	unread := r.unread
	switch {
	case n > largeBuffer && cap(unread) >= n: // some of it is there: to move it each time takes long
		r.buf = unread[:cap(unread)]
	case n > largeBuffer:
		r.buf = make([]byte, n)
		copy(r.buf, unread)
		r.release()
	case len(unread) == 0 && !r.more && !r.body:
		r.release()
		r.buf = r.small[:]
	case r.large != nil:
		r.buf = r.large[:]
		copy(r.buf, unread)
	default:
		r.large = r.buffers.get()
		r.buf = r.large[:]
		copy(r.buf, unread)
	}
	r.unread = r.buf[:len(unread)]
}

// release gives the large buffer back.
func (r *reader) release() {
	if r.large != nil {
		r.buffers.put(r.large)
		r.large = nil
	}
}
