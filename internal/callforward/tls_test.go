package callforward

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tlsServer offers STARTTLS and does with it what a test says.
type tlsServer struct {
	certificate tls.Certificate
	answer      string                               // to STARTTLS
	handshake   func(net.Conn, *tls.Config) net.Conn // nil: it fails

	mu    sync.Mutex
	plain []string // what was asked in clear
	safe  []string
}

func newTLSServer(t *testing.T) *tlsServer {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tlsServer{certificate: s.TLS.Certificates[0], answer: "220 go", handshake: func(c net.Conn, config *tls.Config) net.Conn {
		return tls.Server(c, config)
	}}
}

func (s *tlsServer) session(c net.Conn) {
	rules := &fake{mail: "250 ok", rset: "250 ok", rcpt: func(path string) string {
		if strings.HasPrefix(path, "<bob@") {
			return "250 ok"
		}
		return "550 5.1.1 no"
	}}
	list, ehlo := &s.plain, "250-x|250-STARTTLS|250 PIPELINING"
	say(c, "220 x")
	for in := bufio.NewScanner(c); in.Scan(); {
		line := in.Text()
		s.mu.Lock()
		*list = append(*list, line)
		s.mu.Unlock()
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			say(c, ehlo)
		case "STARTTLS":
			say(c, s.answer)
			if s.answer[0] != '2' {
				continue
			}
			if s.handshake == nil {
				return
			}
			c = s.handshake(c, &tls.Config{Certificates: []tls.Certificate{s.certificate}})
			in, list, ehlo = bufio.NewScanner(c), &s.safe, "250 x"
		default:
			say(c, rules.reply(line))
		}
	}
}

func (s *tlsServer) asked(list *[]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(*list, func(line string) bool { return strings.HasPrefix(line, "RCPT") })
}

func TestStartTLS(t *testing.T) {
	for _, test := range []struct {
		name     string
		change   func(*tlsServer)
		safe     bool
		connects int32
	}{
		{"used when offered", func(*tlsServer) {}, true, 1},
		{"not available now", func(s *tlsServer) { s.answer = "454 4.7.0 TLS not available" }, false, 1},
		{"the handshake fails", func(s *tlsServer) { s.handshake = nil }, false, 2},
		{"rubbish instead", func(s *tlsServer) {
			s.handshake = func(c net.Conn, _ *tls.Config) net.Conn { say(c, "250 what?"); return c }
		}, false, 2},
		{"what was sent before it counts for nothing", func(s *tlsServer) {
			s.answer = "220 go|250-x|250-SMTPUTF8|250 PIPELINING|250 ok|250 ok|250 ok"
		}, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTLSServer(t)
			test.change(s)
			f := newFake(t, func(f *fake) { f.session = s.session })
			a := open(t, "smtp", f.source(), nil).untested("ours.example")
			a.want("nobody@ours.example", "no")
			a.want("bob@ours.example", "yes")
			if s.asked(&s.safe) != test.safe || s.asked(&s.plain) == test.safe {
				t.Errorf("asked in clear %q, safely %q", s.plain, s.safe)
			}
			if n := f.connects.Load(); n != test.connects {
				t.Errorf("%d connections, want %d", n, test.connects)
			}
		})
	}
}

// TestStartTLSUnanswered: a reply to STARTTLS that is none of those in the standard ends the
// dialogue.
func TestStartTLSUnanswered(t *testing.T) {
	s := newTLSServer(t)
	s.answer = "250 ok"
	a := open(t, "smtp", newFake(t, func(f *fake) { f.session = s.session }).source(), nil)
	a.want("nobody@ours.example", `it answers STARTTLS by "250 ok"`)
}

// TestStartTLSHangs: the handshake does not use up the time of the attempt without it.
func TestStartTLSHangs(t *testing.T) {
	t.Parallel()
	s := newTLSServer(t)
	s.handshake = func(c net.Conn, _ *tls.Config) net.Conn { _, _ = io.Copy(io.Discard, c); return c }
	a := openWithin(t, 2*hasty, "smtp", newFake(t, func(f *fake) { f.session = s.session }).source(), nil).untested("ours.example")
	a.want("nobody@ours.example", "no")
	a.want("bob@ours.example", "yes")
}
