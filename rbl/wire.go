package rbl

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

	"github.com/miekg/dns"
)

// server is one recursive resolver and what was found out about it.
type server struct {
	addr      string
	fixedCase atomic.Bool  // it does not echo the case of names
	caseSlips atomic.Int32 // answers in the wrong case, confirmed by TCP, in a row
	noEDNS    atomic.Bool  // it answers EDNS0 with FORMERR or NOTIMP
}

// caseSlipLimit is how often in a row a server may get the case wrong before it is asked in lower case. Each slip is
// confirmed by TCP, so a forger can't bring it about.
const caseSlipLimit = 3

// question asks one server after the other, the one that answered last time first, until one gives an answer that can be
// used, each has said that it can't, or the time is over.
func (r *Resolver) question(f *flight) (answer Answer, ttl time.Duration) {
	defer func() {
		// Bytes from the network are read here: a defect in reading them must cost one answer, not the process.
		if p := recover(); p != nil {
			r.stats.count(Malformed)
			answer, ttl = failed(Malformed, fmt.Sprint("panic: ", p)), r.ttl.failure
		}
	}()
	if f.ctx.Err() != nil {
		return contextFailure(f.ctx.Err()), 0
	}
	began := r.opt.Clock()
	last := &Error{Failure: Timeout}
	gaveUp := make([]bool, len(r.servers))
	left := len(r.servers)
	first := int(r.first.Load())
	for i := 0; left > 0 && f.ctx.Err() == nil; i++ {
		n := (first + i) % len(r.servers)
		if gaveUp[n] {
			continue
		}
		s := r.servers[n]
		m, err := r.attempt(f.ctx, s, f.question)
		if err == nil {
			answer, ttl = readAnswer(f.question, m, r.ttl)
			if answer.Status != Failed {
				r.first.Store(uint32(n))
				r.stats.took(r.opt.Clock().Sub(began))
				return answer, ttl
			}
			err = answer.Err
		}
		err.Server = s.addr
		if last.Failure == Timeout || err.Failure != Timeout {
			last = err // silence at the end tells less than what was seen before
		}
		if err.Failure != Timeout {
			gaveUp[n] = true
			left--
		}
	}
	if f.ctx.Err() == context.Canceled {
		return failed(Cancelled, ""), 0
	}
	r.stats.count(last.Failure)
	return Answer{Err: last}, r.ttl.failure
}

// attempt is one question to one server: UDP, then TCP if the answer was cut or came in the wrong case.
func (r *Resolver) attempt(ctx context.Context, s *server, q Question) (*dns.Msg, *Error) {
	ctx, cancel := context.WithTimeout(ctx, r.opt.AttemptTimeout)
	defer cancel()
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

// fixesEDNS notes a server that does not know EDNS0 (RFC 6891 section 7) and reports that the question has to be put again.
func (s *server) fixesEDNS(sent, got *dns.Msg) bool {
	if sent.IsEdns0() == nil || (got.Rcode != dns.RcodeFormatError && got.Rcode != dns.RcodeNotImplemented) {
		return false
	}
	s.noEDNS.Store(true)
	return true
}

var buffers = sync.Pool{New: func() any { return new([65535]byte) }}

// exchange sends a question over a socket of its own, whose port the kernel chose at random, and reads until something
// answers it or ctx ends.
func (r *Resolver) exchange(ctx context.Context, network, addr string, sent *dns.Msg) (*dns.Msg, echo, *Error) {
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
		got := new(dns.Msg)
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

// readMessage reads one message: a datagram, or two octets of length and so many octets (RFC 1035 section 4.2.2).
func readMessage(conn net.Conn, network string, buf []byte) (int, error) {
	if network == "udp" {
		return conn.Read(buf)
	}
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return 0, err
	}
	return io.ReadFull(conn, buf[:binary.BigEndian.Uint16(buf)])
}

// networkFailure says what went wrong without quoting the error, which holds addresses and ports but nothing to act on.
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
