package milter

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// TestGiveUp: an MTA that closes the connection while it is owed an answer is counted once, and no
// other.
func TestGiveUp(t *testing.T) {
	for _, c := range []struct {
		name  string
		slow  time.Duration // beyond which it is looked
		close bool          // instead of awaiting the answer
		want  map[string]int32
	}{
		{"waits", 1, false, map[string]int32{"unix": 0, "inet": 0}},
		{"closes", 1, true, map[string]int32{"unix": 1, "inet": 1}},
		// What is answered at once shows by the write alone, and on TCP not even that.
		{"closes before a fast answer", time.Hour, true, map[string]int32{"unix": 1, "inet": 0}},
	} {
		for network, address := range map[string]string{"unix": "unix:" + filepath.Join(t.TempDir(), "s"), "inet": "inet:127.0.0.1:0"} {
			t.Run(c.name+"/"+network, func(t *testing.T) {
				l, err := Listen(address, ListenOptions{})
				if err != nil {
					t.Fatal(err)
				}
				fake := newFake()
				judging := make(chan struct{})
				fake.block = map[string]chan struct{}{"mail": judging}
				var gaveUp atomic.Int32
				server := serveOn(t, l, func() Session { return fake }, func(s *Server) {
					s.slow, s.OnGiveUp = c.slow, func() { gaveUp.Add(1) }
				})
				m := connected(t, server.Addr, fullOffer)
				m.take(do("c", heloPacket("client.example")))
				m.send(mailPacket("<a@b.example>"))
				if c.close {
					_ = m.conn.Close()
				}
				close(judging)
				if !c.close {
					m.want("c")
					m.quit()
				}
				await(t, fake.ended, "the session's end")
				if got := gaveUp.Load(); got != c.want[network] {
					t.Errorf("counted %d times, want %d", got, c.want[network])
				}
			})
		}
	}
}

// What we cut off ourselves is no fault of the MTA's.
func TestGiveUpIsNotOurs(t *testing.T) {
	fake := newFake()
	judging, begun := make(chan struct{}), make(chan struct{})
	fake.block = map[string]chan struct{}{"mail": judging}
	var gaveUp atomic.Int32
	c := make(chan *conn, 1)
	server := serveFake(t, fake, func(s *Server) { s.slow, s.OnGiveUp = 1, func() { gaveUp.Add(1) } })
	m := connected(t, server.Addr, fullOffer)
	m.send(mailPacket("<a@b.example>"))
	go func() {
		server.mu.Lock()
		defer server.mu.Unlock()
		for one := range server.conns {
			c <- one
		}
		close(begun)
	}()
	await(t, begun, "the connection")
	(<-c).cut()
	close(judging)
	await(t, fake.ended, "the session's end")
	if got := gaveUp.Load(); got != 0 {
		t.Errorf("counted %d times", got)
	}
}
