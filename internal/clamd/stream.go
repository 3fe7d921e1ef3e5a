package clamd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"mailweir/internal/backend"
)

const (
	// chunk is how much of a message one write sends.
	chunk = 64 << 10
	// maxReply bounds what is read of an answer; a name of a signature has some dozens of octets.
	maxReply = 4 << 10
	// begin opens a scan; in front of the message stands what makes it one, see the package
	// comment.
	begin, front = "zINSTREAM\x00", "Received: by mailweir\r\n"
)

// Front is how many octets stand in front of a message and count as sent.
const Front = int64(len(front))

// sending is what one write needs: the command, the length of a chunk and the chunk, and the length
// of none.
type sending [len(begin) + 4 + chunk + 4]byte

// buffers are lent to the scans under way.
var buffers = sync.Pool{New: func() any { return new(sending) }}

// ErrMessage is what an error of the message's own reader is: no scanner is to blame.
var ErrMessage = errors.New("the message could not be read")

// connect opens a connection that lasts no longer than the context. The caller calls done.
func (a Address) connect(ctx context.Context) (conn net.Conn, done func(), err error) {
	var d net.Dialer
	if conn, err = d.DialContext(ctx, a.Network, a.Target); err != nil {
		return nil, nil, err
	}
	release := backend.Within(ctx, conn)
	return conn, func() { release(); _ = conn.Close() }, nil
}

// ask sends a command and returns the answer without its end.
func (a Address) ask(ctx context.Context, command string) (string, error) {
	conn, done, err := a.connect(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	if _, err := io.WriteString(conn, "z"+command+"\x00"); err != nil {
		return "", ended(ctx, err)
	}
	answer, err := readReply(conn, "\x00") // that to STATS has several lines
	return answer, ended(ctx, err)
}

// ended is the error of what has ended with its context.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// sent is how much of a message clamd was sent.
type sent struct {
	octets int64
	// cut says that more follows.
	cut bool
}

// stream sends a message, at most limit octets of it, and returns what clamd says of it.
func (a Address) stream(ctx context.Context, message io.Reader, limit int64) (sent, verdict, error) {
	conn, done, err := a.connect(ctx)
	if err != nil {
		return sent{}, verdict{}, err
	}
	answers := make(chan answer, 1)
	// Who is sent too much answers at once and closes: the answer must be read before the error of
	// the write discards it, and a write that nobody reads must end.
	go func() {
		line, err := readReply(conn, "\x00\n")
		_ = conn.SetWriteDeadline(time.Unix(1, 0))
		answers <- answer{line, err}
	}()
	how, unsent := write(conn, message, limit)
	if errors.Is(unsent, ErrMessage) {
		_ = conn.SetDeadline(time.Unix(1, 0))
	}
	got := <-answers
	done()
	v, err := got.judge(unsent)
	return how, v, ended(ctx, err)
}

// answer is what clamd says, or why nothing could be read.
type answer struct {
	line string
	err  error
}

// judge reads the answer to a message that was sent whole, or with an error not.
func (a answer) judge(unsent error) (verdict, error) {
	switch {
	case errors.Is(unsent, ErrMessage):
		return verdict{}, unsent
	case a.err != nil && unsent != nil:
		return verdict{}, unsent
	case a.err != nil:
		return verdict{}, a.err
	}
	v, err := parseReply(a.line)
	if err == nil && unsent != nil {
		err = fmt.Errorf("before it has the whole message, %w", &ReplyError{a.line})
	}
	return v, err
}

// write sends the first octets of a message in chunks.
func write(conn io.Writer, message io.Reader, limit int64) (how sent, err error) {
	how.octets = -int64(len(front))
	part := io.LimitReader(io.MultiReader(strings.NewReader(front), message), limit)
	buf := buffers.Get().(*sending)
	defer buffers.Put(buf)
	at := copy(buf[:], begin)
	for last := false; !last; at = 0 {
		n, err := io.ReadFull(part, buf[at+4:at+4+chunk])
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			last = true
		default:
			return how, fmt.Errorf("%w: %w", ErrMessage, err)
		}
		if n > 0 {
			binary.BigEndian.PutUint32(buf[at:], uint32(n))
			at += 4 + n
			how.octets += int64(n)
		}
		if last {
			if how.cut, err = follows(message); err != nil {
				return how, err
			}
			at += copy(buf[at:], []byte{0, 0, 0, 0})
		}
		if _, err := conn.Write(buf[:at]); err != nil {
			return how, err
		}
	}
	return how, nil
}

// follows reports whether a message has more octets.
func follows(message io.Reader) (bool, error) {
	var one [1]byte
	switch n, err := io.ReadFull(message, one[:]); {
	case n == 1:
		return true, nil
	case err == io.EOF:
		return false, nil
	default:
		return false, fmt.Errorf("%w: %w", ErrMessage, err)
	}
}

// readReply reads an answer up to one of the octets that end it, or to the end of a connection that
// clamd closes after a line.
func readReply(conn io.Reader, ends string) (string, error) {
	var reply []byte
	var piece [512]byte
	for {
		n, err := conn.Read(piece[:])
		if end := bytes.IndexAny(piece[:n], ends); end >= 0 {
			return string(append(reply, piece[:end]...)), nil
		}
		reply = append(reply, piece[:n]...)
		switch {
		case err == io.EOF && bytes.HasSuffix(reply, []byte("\n")):
			return string(bytes.TrimSuffix(reply, []byte("\n"))), nil
		case err == io.EOF && len(reply) == 0:
			return "", errors.New("it has closed the connection without an answer")
		case err == io.EOF:
			return "", fmt.Errorf("it has broken off its answer: %w", &ReplyError{string(reply)})
		case err != nil:
			return "", err
		case len(reply) > maxReply:
			return "", fmt.Errorf("an answer without an end: %w", &ReplyError{string(reply[:80])})
		}
	}
}
