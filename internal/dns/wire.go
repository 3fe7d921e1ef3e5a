package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	miekg "github.com/miekg/dns"
)

// server is one recursive resolver and what was found out about it.
type server struct {
	addr      string
	fixedCase atomic.Bool  // it does not echo the case of names
	caseSlips atomic.Int32 // answers in the wrong case, confirmed by TCP, in a row
	noEDNS    atomic.Bool  // it answers EDNS0 with FORMERR or NOTIMP
}

// caseSlipLimit is how often in a row a server may get the case wrong before it is asked in lower
// case. Each slip is confirmed by TCP, so a forger can't bring it about.
const caseSlipLimit = 3

// attempt is one question to one server: UDP, then TCP if the answer was cut or came in the wrong
// case.
func (r *Resolver) attempt(ctx context.Context, s *server, q Question) (*miekg.Msg, *Error) {
	sent := newMessage(q, !s.fixedCase.Load(), !s.noEDNS.Load())
	got, how, err := r.exchange(ctx, "udp", s.addr, sent)
	if err == nil && s.fixesEDNS(sent, got) {
		sent = newMessage(q, !s.fixedCase.Load(), false)
		got, how, err = r.exchange(ctx, "udp", s.addr, sent)
	}
	if err != nil {
		return nil, err
	}
	if how == exact && !got.Truncated {
		s.caseSlips.Store(0)
		return got, nil
	}
	r.stats.tcp.Add(1)
	byTCP, _, err := r.exchange(ctx, "tcp", s.addr, sent)
	if err != nil {
		return nil, err
	}
	if how == otherCase && s.caseSlips.Add(1) >= caseSlipLimit {
		s.fixedCase.Store(true)
	}
	return byTCP, nil
}

// fixesEDNS notes a server that does not know EDNS0 (RFC 6891 section 7) and reports that the
// question has to be put again.
func (s *server) fixesEDNS(sent, got *miekg.Msg) bool {
	if sent.IsEdns0() == nil || (got.Rcode != miekg.RcodeFormatError && got.Rcode != miekg.RcodeNotImplemented) {
		return false
	}
	s.noEDNS.Store(true)
	return true
}

var buffers = sync.Pool{New: func() any { return new([65535]byte) }}

// exchange sends a question over a socket of its own, whose port the kernel chose at random, and
// reads until something answers it or ctx ends.
func (r *Resolver) exchange(ctx context.Context, network, addr string, sent *miekg.Msg) (*miekg.Msg, echo, *Error) {
	packet, err := sent.Pack()
	if err != nil {
		return nil, foreign, &Error{Failure: Malformed, Detail: "the question cannot be sent"} // not err: it may quote the name
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, foreign, networkFailure(ctx, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r.stats.packets.Add(1)
	if network == "tcp" {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	if _, err := conn.Write(packet); err != nil {
		return nil, foreign, networkFailure(ctx, err)
	}
	buf := buffers.Get().(*[65535]byte)
	defer buffers.Put(buf)
	strange := 0
	for {
		n, err := readMessage(conn, network, buf[:])
		if err != nil {
			failure := networkFailure(ctx, err)
			if strange > 0 && failure.Failure == Timeout {
				failure.Failure, failure.Detail = Malformed, fmt.Sprint(strange, " packets that do not answer the question")
			}
			return nil, foreign, failure
		}
		got := new(miekg.Msg)
		if got.Unpack(buf[:n]) == nil {
			if how := echoes(sent, got); how != foreign {
				return got, how, nil
			}
		}
		strange++
		if network == "tcp" {
			return nil, foreign, &Error{Failure: Malformed, Detail: "by TCP"}
		}
	}
}

// readMessage reads one message: a datagram, or two octets of length and so many octets (RFC 1035
// section 4.2.2).
func readMessage(conn net.Conn, network string, buf []byte) (int, error) {
	if network == "udp" {
		return conn.Read(buf)
	}
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return 0, err
	}
	return io.ReadFull(conn, buf[:binary.BigEndian.Uint16(buf)])
}

// networkFailure says what went wrong without quoting the error, which holds addresses and ports
// but nothing to act on.
func networkFailure(ctx context.Context, err error) *Error {
	var timeout net.Error
	switch {
	case ctx.Err() == context.Canceled:
		return &Error{Failure: Cancelled}
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Failure: Timeout}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Failure: Malformed, Detail: "connection closed"}
	}
	var sys *net.OpError
	if errors.As(err, &sys) && sys.Err != nil {
		return &Error{Failure: Unreachable, Detail: sys.Err.Error()}
	}
	return &Error{Failure: Unreachable}
}
