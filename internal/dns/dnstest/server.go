// Package dnstest is a DNS server for tests that does what real ones won't, and a clock that tests
// set.
package dnstest

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	miekg "github.com/miekg/dns"
)

// Behaviour answers one question about a name left of a zone with raw packets; none is silence.
type Behaviour func(key string, m *Msg, tcp bool) [][]byte

// Server is a DNS server on loopback, by UDP and TCP, until the test ends. What it has no behaviour
// for it refuses.
type Server struct {
	Addr string        // host:port
	Stop chan struct{} // closed when the test ends: releases behaviours that hold an answer back

	mu    sync.Mutex
	zones map[string]Behaviour
	asked map[string]int // type and name in lower case
	total int
}

// New starts a server on 127.0.0.1.
func New(t testing.TB) *Server {
	t.Helper()
	udp, tcp := Listen(t)
	return start(t, udp, tcp)
}

// NewIPv6 starts one on ::1, by UDP alone, and skips the test where there is no IPv6.
func NewIPv6(t testing.TB) *Server {
	t.Helper()
	udp, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 loopback here:", err)
	}
	return start(t, udp, nil)
}

func start(t testing.TB, udp net.PacketConn, tcp net.Listener) *Server {
	s := &Server{
		Addr: udp.LocalAddr().String(), zones: map[string]Behaviour{}, asked: map[string]int{}, Stop: make(chan struct{}),
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.serveUDP(udp, &wg) })
	if tcp != nil {
		wg.Go(func() { s.serveTCP(tcp, &wg) })
	}
	t.Cleanup(func() {
		close(s.Stop)
		udp.Close()
		if tcp != nil {
			tcp.Close()
		}
		wg.Wait()
	})
	return s
}

// Listen finds a port that is free for both protocols.
func Listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp
		}
		udp.Close()
	}
	t.Fatal("no port free for both UDP and TCP")
	return nil, nil
}

func (s *Server) serveUDP(conn net.PacketConn, wg *sync.WaitGroup) {
	for {
		buf := make([]byte, 4096)
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		wg.Go(func() {
			for _, p := range s.answer(buf[:n], false) {
				_, _ = conn.WriteTo(p, from)
			}
		})
	}
}

func (s *Server) serveTCP(ln net.Listener, wg *sync.WaitGroup) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			buf := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			for _, p := range s.answer(buf, true) {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
			}
		})
	}
}

func (s *Server) answer(packet []byte, tcp bool) [][]byte {
	m := new(Msg)
	if m.Unpack(packet) != nil || len(m.Question) != 1 {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(m.Question[0].Name, "."))
	s.mu.Lock()
	s.asked[miekg.Type(m.Question[0].Qtype).String()+" "+name]++
	s.total++
	var do Behaviour
	key := ""
	for zone, b := range s.zones {
		if left, ok := strings.CutSuffix(name, "."+zone); ok {
			do, key = b, left
		} else if name == zone {
			do, key = b, ""
		} else if zone == "" && do == nil {
			do, key = b, name
		}
	}
	s.mu.Unlock()
	if do == nil {
		return One(Rcode(m, Refused))
	}
	return do(key, m, tcp)
}

// Set says how the server answers for a zone and the names below it; "" is for what no other zone
// has.
func (s *Server) Set(zone string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones[zone] = b
}

// Count is how often a question was put, "A 2.0.0.127.bl.example".
func (s *Server) Count(question string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[question]
}

// Questions is how many questions were put in all.
func (s *Server) Questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}
