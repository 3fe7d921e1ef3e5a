package milter

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// shutDown ends the server now.
func shutDown(t *testing.T, s *served) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// shuttingDown begins a shutdown and returns its end, once nobody is let in any more.
func shuttingDown(t *testing.T, ctx context.Context, s *served) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- s.Shutdown(ctx) }()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial(s.Addr.Network(), s.Addr.String())
		if err != nil {
			return result
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the listener is still open")
		}
	}
}

func TestShutdownWaitsForTheMessage(t *testing.T) {
	fake := newFake()
	server := serveFake(t, fake)
	server.IdleGrace = time.Nanosecond
	m := negotiated(t, server.Addr, fullOffer)
	m.take(do("c", strangerPacket(), heloPacket("h")))
	m.take(do("c", mailPacket("<a@b>")))
	result := shuttingDown(t, context.Background(), server)
	m.take(do("c", rcptPacket("<c@d>")))
	m.take(do("c", headerPacket("A", "b"), eohPacket, packet('B', "x"), eomPacket))
	m.wantEnd() // no other message begins
	if err := <-result; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if server.Connections() != 0 {
		t.Errorf("%d connections", server.Connections())
	}
	if errs, _ := server.said(); len(errs) > 0 {
		t.Errorf("errors %q", errs)
	}
}

// TestShutdownAnswersARefusal: the refusal of MAIL ends a message, but only once it has been sent.
func TestShutdownAnswersARefusal(t *testing.T) {
	fake := newFake()
	fake.block = map[string]chan struct{}{"mail": make(chan struct{})}
	fake.answers = map[string]policy.Answer{"mail <a@b>": refuseWith(t, 550, "5.7.1", "No")}
	server := serveFake(t, fake)
	m := negotiated(t, server.Addr, fullOffer)
	m.send(strangerPacket(), heloPacket("h"))
	m.want("c")
	m.send(mailPacket("<a@b>"))
	waitUntil(t, "called", func() bool { return slices.Contains(fake.record(), "mail <a@b>") })
	server.IdleGrace = time.Nanosecond
	result := shuttingDown(t, context.Background(), server)
	waitUntil(t, "told to end after its message", func() bool {
		told := false
		server.each(func(c *conn) {
			c.mu.Lock()
			told = c.parted
			c.mu.Unlock()
		})
		return told
	})
	close(fake.block["mail"])
	m.want("y 550 5.7.1 No")
	m.wantEnd()
	if err := <-result; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// waitUntil waits for something inside of the server that no peer can see.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not %s within %v", what, patience)
		}
	}
}

func TestShutdownClosesIdleConnections(t *testing.T) {
	fake := newFake()
	server := serveFake(t, fake)
	server.IdleGrace = time.Nanosecond
	m := negotiated(t, server.Addr, fullOffer)
	m.take(do("c", strangerPacket(), heloPacket("h")))
	result := shuttingDown(t, context.Background(), server)
	m.wantEnd()
	if err := <-result; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	await(t, fake.ended, "the session's end")
}

// TestShutdownLeavesIdleConnections: without a grace of their own they may go on until the context
// ends, and begin messages.
func TestShutdownLeavesIdleConnections(t *testing.T) {
	server := serve(t, silentSession)
	m := connected(t, server.Addr, fullOffer)
	ctx, cancel := context.WithCancel(context.Background())
	result := shuttingDown(t, ctx, server)
	m.take(do("c", mailPacket("<a@b>")))
	m.take(do("c", eohPacket, eomPacket))
	waitUntil(t, "idle", func() bool {
		idle := true
		server.each(func(c *conn) { idle = idle && !c.inProgress() })
		return idle
	})
	cancel()
	m.wantEnd()
	if err := <-result; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestShutdownCutsMessagesAtTheEnd(t *testing.T) {
	server := serve(t, silentSession)
	m := connected(t, server.Addr, fullOffer)
	m.take(do("c", mailPacket("<a@b>")))
	ctx, cancel := context.WithCancel(context.Background())
	result := shuttingDown(t, ctx, server)
	cancel()
	err := <-result
	if err == nil || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 messages in progress") {
		t.Errorf("shutdown: %v", err)
	}
	m.wantEnd()
}

// faultyListener fails a few times before it has connections.
type faultyListener struct {
	net.Listener
	mu       sync.Mutex
	failures int
}

func (l *faultyListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestAcceptIsTriedAgain(t *testing.T) {
	l, err := Listen("unix:"+t.TempDir()+"/s", ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := serveOn(t, &faultyListener{Listener: l, failures: 3}, silentSession)
	m := negotiated(t, server.Addr, fullOffer)
	m.quit()
	errs, _ := server.said()
	if len(errs) != 3 || !strings.Contains(errs[2], "too many open files; trying again in 20ms") {
		t.Errorf("errors %q", errs)
	}
}

func TestServeReportsAListenerThatIsClosed(t *testing.T) {
	l, err := Listen("127.0.0.1:0", ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := (&Server{NewSession: silentSession}).Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("serve: %v", err)
	}
}

func TestSeveralListeners(t *testing.T) {
	first, err := Listen("inet:127.0.0.1:0", ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Listen("unix:"+t.TempDir()+"/s", ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{NewSession: silentSession}
	done := make(chan error, 1)
	go func() { done <- server.Serve(first, second) }()
	for _, l := range []net.Listener{first, second} {
		m := negotiated(t, l.Addr(), fullOffer)
		m.take(do("c", strangerPacket(), heloPacket("h")))
		m.quit()
	}
	if err := server.Shutdown(context.Background()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := server.Serve(); err != nil {
		t.Errorf("serve after shutdown: %v", err)
	}
}

func TestPeersFromElsewhere(t *testing.T) {
	server := &Server{From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}
	tests := []struct {
		peer net.Addr
		ok   bool
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, true},
		{&net.TCPAddr{IP: net.IPv4(127, 9, 9, 9)}, true},
		{&net.TCPAddr{IP: net.IPv6loopback}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 9).To4()}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 9).To16()}, true},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::9"), Zone: "eth0"}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 3, 9)}, false},
		{&net.TCPAddr{IP: net.ParseIP("2001:db9::9")}, false},
		{&net.TCPAddr{}, false},
		{&net.UnixAddr{Name: "@", Net: "unix"}, true},
	}
	for _, tt := range tests {
		if err := server.admit(tt.peer); (err == nil) != tt.ok {
			t.Errorf("%v: %v, want ok %v", tt.peer, err, tt.ok)
		}
	}
}

// distant makes a peer look as if it came from elsewhere.
type distant struct{ net.Listener }

type distantConn struct{ net.Conn }

func (l distant) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return distantConn{c}, nil
}

func (distantConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 4711} }

func TestPeerFromElsewhereIsClosed(t *testing.T) {
	l, err := Listen("127.0.0.1:0", ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := serveOn(t, distant{l}, silentSession)
	(&mta{tb: t, conn: dial(t, l.Addr())}).wantEnd()
	errs, _ := server.said()
	if len(errs) != 1 || errs[0] != "connection from 192.0.2.9 refused: it is neither loopback nor in --listen-from" {
		t.Errorf("errors %q", errs)
	}
}

// lateListener has one more connection when it is closed, as one that is accepted at that moment.
type lateListener struct {
	net.Listener
	late   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *lateListener) Accept() (nc net.Conn, err error) {
	<-l.closed
	err = net.ErrClosed
	l.once.Do(func() { nc, err = l.late, nil })
	return nc, err
}

func (l *lateListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return l.Listener.Close()
}

// TestShutdownServesWhoWasAccepted: a connection that was accepted when the shutdown began is
// served.
func TestShutdownServesWhoWasAccepted(t *testing.T) {
	l, err := Listen("unix:"+t.TempDir()+"/s", ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{NewSession: silentSession, ErrorLog: func(err error) { t.Error(err) }}
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(&lateListener{Listener: l, late: accepted, closed: make(chan struct{})})
	}()
	waitUntil(t, "listening", func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.listeners) == 1
	})
	result := make(chan error, 1)
	go func() { result <- server.Shutdown(context.Background()) }()
	if err := client.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write(fullOffer); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 5)
	if _, err := io.ReadFull(client, answer); err != nil || answer[4] != 'O' {
		t.Errorf("the offer is answered %q, %v", answer, err)
	}
	_ = client.Close()
	if err := <-result; err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
