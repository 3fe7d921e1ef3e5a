package testbed

import (
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// NameServer is a DNS server within this process, for tools whose names follow a rule. It costs far
// less than a real one, so that what is measured is the asking; what must be true of real servers
// is tested with [StartDNS].
type NameServer struct {
	Address string

	conn    net.PacketConn
	serving sync.WaitGroup
	config  NameServerConfig
}

// NameServerConfig says what a name server knows. Its functions are called with names in lower case
// that end in a dot, and from several goroutines.
type NameServerConfig struct {
	// Records returns the records of a name; without any the name does not exist. nil knows no
	// name.
	Records func(name string, kind dnsmessage.Type) []dnsmessage.ResourceBody
	// Late says how much later the answer about a name is sent; nil is at once.
	Late func(name string) time.Duration
}

// StartNameServer serves on loopback until the end of the test.
func StartNameServer(tb TB, config NameServerConfig) *NameServer {
	tb.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("testbed: name server: %v", err)
	}
	_ = conn.(*net.UDPConn).SetReadBuffer(16 << 20) // many ask at once
	s := &NameServer{Address: conn.LocalAddr().String(), conn: conn, config: config}
	for range 2 {
		s.serving.Go(s.serve)
	}
	tb.Cleanup(func() {
		_ = conn.Close()
		s.serving.Wait()
	})
	return s
}

func (s *NameServer) serve() {
	packet := make([]byte, 4096)
	for {
		n, peer, err := s.conn.ReadFrom(packet)
		if err != nil {
			return // closed
		}
		name, answer := s.answer(packet[:n])
		if answer == nil {
			continue // no question
		}
		send := func() { _, _ = s.conn.WriteTo(answer, peer) } // who hears nothing asks again
		if s.config.Late != nil {
			if late := s.config.Late(name); late > 0 {
				time.AfterFunc(late, send)
				continue
			}
		}
		send()
	}
}

// answer makes the reply to a packet with one question.
func (s *NameServer) answer(packet []byte) (name string, answer []byte) {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return "", nil
	}
	q := m.Questions[0]
	name = strings.ToLower(q.Name.String())
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	const ttl = 3600
	if s.config.Records != nil {
		for _, body := range s.config.Records(name, q.Type) {
			header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: ttl}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: body})
		}
	}
	if len(m.Answers) == 0 {
		m.RCode = dnsmessage.RCodeNameError
		ns := dnsmessage.MustNewName("ns.example.")
		m.Authorities = []dnsmessage.Resource{{ // lets the answer be cached (RFC 2308)
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("example."), Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   &dnsmessage.SOAResource{NS: ns, MBox: ns, MinTTL: ttl},
		}}
	}
	answer, err := m.Pack()
	if err != nil {
		return name, nil
	}
	return name, answer
}
