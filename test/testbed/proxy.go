package testbed

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// Fault is what a [Proxy] does to a conversation.
type Fault struct {
	// Kind is "" for none, or
	//
	//	refuse   no connection is taken, and those that are open are reset
	//	hang     connections are taken, and nothing goes through
	//	half     of what the server says, half goes through, and then the connection ends
	//	rubbish  the server's octets become others
	//	slow     what the server says takes Delay longer
	Kind  string
	Delay time.Duration
}

func (f Fault) String() string {
	switch f.Kind {
	case "":
		return "none"
	case "slow":
		return fmt.Sprintf("slow by %s", f.Delay)
	}
	return f.Kind
}

// Proxy stands in front of a server, at an address of its own, and has it fail on demand.
type Proxy struct {
	Address string // host:port, or the path of a unix socket

	tb              TB
	at              string // "tcp" or "unix"
	network, target string

	mu      sync.Mutex
	fault   Fault
	listens net.Listener // nil while connections are refused
	open    map[net.Conn]bool
	change  chan struct{} // closed when the fault is another one
	seen    int
}

// StartProxy starts one in front of a server at an address, "tcp" or "unix".
func StartProxy(tb TB, network, target string) *Proxy {
	tb.Helper()
	return startProxy(tb, &Proxy{Address: FreeAddress(tb), at: "tcp", network: network, target: target})
}

// StartProxyAtSocket starts one that has a unix socket itself, for clients that know no other.
// While it refuses, the socket is gone.
func StartProxyAtSocket(tb TB, network, target string) *Proxy {
	tb.Helper()
	return startProxy(tb, &Proxy{Address: filepath.Join(TempDir(tb), "proxy"), at: "unix", network: network, target: target})
}

func startProxy(tb TB, p *Proxy) *Proxy {
	tb.Helper()
	p.tb, p.open, p.change = tb, map[net.Conn]bool{}, make(chan struct{})
	p.Set(Fault{})
	tb.Cleanup(func() { p.Set(Fault{Kind: "refuse"}) })
	return p
}

// Set puts a fault in the place of the one before. It holds for connections that are open, too.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.change)
	p.change = make(chan struct{})
	switch {
	case f.Kind == "refuse" && p.listens != nil:
		_ = p.listens.Close()
		p.listens = nil
		for conn := range p.open {
			reset(conn)
		}
	case f.Kind != "refuse" && p.listens == nil:
		l, err := net.Listen(p.at, p.Address)
		if err != nil {
			p.tb.Fatalf("testbed: proxy: %v", err)
			return
		}
		p.listens = l
		go p.accept(l)
	}
}

// Connections is how many have been made so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.open[client] = true
		p.seen++
		p.mu.Unlock()
		go p.carry(client)
	}
}

// carry takes what is said from one to the other until either hangs up.
func (p *Proxy) carry(client net.Conn) {
	defer func() {
		p.mu.Lock()
		delete(p.open, client)
		p.mu.Unlock()
		_ = client.Close()
	}()
	server, err := net.Dial(p.network, p.target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		if half, ok := server.(interface{ CloseWrite() error }); ok { // some clients say so that they have asked
			_ = half.CloseWrite()
		}
	}()
	said, delivered := make(chan piece, 1000), make(chan struct{})
	go func() {
		defer close(delivered)
		p.deliver(client, server, said)
	}()
	defer func() {
		close(said)
		<-delivered // what is due later is said, though the server has hung up
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if n > 0 {
			said <- piece{time.Now(), append([]byte(nil), buf[:n]...)}
		}
		if err != nil {
			return
		}
	}
}

// piece is what the server has said at once.
type piece struct {
	at   time.Time
	text []byte
}

// deliver gives the client what the server has said, each piece when its time has come.
func (p *Proxy) deliver(client, server net.Conn, said <-chan piece) {
	defer func() {
		_, _ = client.Close(), server.Close()
		for range said { // so that nobody waits for room
		}
	}()
	for one := range said {
		if p.pass(client, one) != nil {
			return
		}
	}
}

var errHalf = errors.New("half is enough")

// pass gives the client what the server has said, or what the fault makes of it.
func (p *Proxy) pass(client net.Conn, one piece) error {
	fault, said := p.wait(one.at), one.text
	switch fault.Kind {
	case "half":
		_, _ = client.Write(said[:len(said)/2])
		return errHalf
	case "rubbish":
		for i := range said {
			said[i] = byte(rand.IntN(256))
		}
	}
	_, err := client.Write(said)
	return err
}

// wait lets time pass while the fault wants it to, and returns the fault as it is then.
func (p *Proxy) wait(since time.Time) Fault {
	for {
		p.mu.Lock()
		fault, change := p.fault, p.change
		p.mu.Unlock()
		var end <-chan time.Time
		switch fault.Kind {
		case "slow":
			end = time.After(time.Until(since.Add(fault.Delay)))
		case "hang":
		default:
			return fault
		}
		select {
		case <-change:
		case <-end:
			return fault
		}
	}
}
