package main

import (
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a DNS server on loopback for lists that list next to nobody: their test entries, and each address that ends in 9. It
// answers as late as it is told to, and costs far less than a real one, so that what is measured is the asking.
type nameServer struct {
	address string
	conn    net.PacketConn
	serving sync.WaitGroup
	delay   func(name string) time.Duration // nil: at once
}

// startNameServer serves until h is closed. delay says how late a name that is no test entry is answered.
func startNameServer(h *harness, delay func(name string) time.Duration) *nameServer {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		h.Fatalf("bench: name server: %v", err)
	}
	_ = conn.(*net.UDPConn).SetReadBuffer(16 << 20) // many ask at once
	s := &nameServer{address: conn.LocalAddr().String(), conn: conn, delay: delay}
	for range 2 {
		s.serving.Go(s.serve)
	}
	h.Cleanup(func() {
		_ = conn.Close()
		s.serving.Wait()
	})
	return s
}

func (s *nameServer) serve() {
	packet := make([]byte, 4096)
	for {
		n, peer, err := s.conn.ReadFrom(packet)
		if err != nil {
			return // closed
		}
		name, answer := answerOf(packet[:n])
		send := func() { _, _ = s.conn.WriteTo(answer, peer) }
		if s.delay != nil && !isTestEntry(name) {
			if late := s.delay(name); late > 0 {
				time.AfterFunc(late, send)
				continue
			}
		}
		send()
	}
}

func isTestEntry(name string) bool {
	return strings.HasPrefix(name, "2.0.0.127.") || strings.HasPrefix(name, "1.0.0.127.") || strings.Contains(name, ".f.f.f.f.")
}

// answerOf answers one question; an answer to nonsense is nonsense.
func answerOf(packet []byte) (name string, answer []byte) {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return "", nil
	}
	q := m.Questions[0]
	name = strings.ToLower(q.Name.String())
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 3600}
	first, _, _ := strings.Cut(name, ".")
	if q.Type == dnsmessage.TypeA && (strings.HasPrefix(name, "2.0.0.127.") || !isTestEntry(name) && strings.HasSuffix(first, "9")) {
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 2}}}}
	} else {
		m.RCode = dnsmessage.RCodeNameError
		ns := dnsmessage.MustNewName("ns.example.")
		m.Authorities = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("example."), Class: dnsmessage.ClassINET, TTL: 3600},
			Body:   &dnsmessage.SOAResource{NS: ns, MBox: ns, MinTTL: 3600},
		}}
	}
	answer, err := m.Pack()
	if err != nil {
		return name, nil
	}
	return name, answer
}
