package main

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"mailweir/test/testbed"
)

// turnstile passes connections on to a server and counts round trips: how often a client speaks
// after the server has spoken.
type turnstile struct {
	address string
	server  string
	turns   atomic.Int64
}

func startTurnstile(h testbed.TB, server string) (*turnstile, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.Cleanup(func() { _ = l.Close() })
	t := &turnstile{address: l.Addr().String(), server: server}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go t.pass(client)
		}
	}()
	return t, nil
}

func (t *turnstile) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp4", t.server)
	if err != nil {
		return
	}
	defer server.Close()
	var spoken atomic.Bool // the server, since the client last did
	spoken.Store(true)
	go func() {
		_, _ = io.Copy(listening{client, func() { spoken.Store(true) }}, server) // until either hangs up
		_ = client.Close()
	}()
	_, _ = io.Copy(listening{server, func() {
		if spoken.Swap(false) {
			t.turns.Add(1)
		}
	}}, client)
}

// listening tells before it writes.
type listening struct {
	to   io.Writer
	tell func()
}

func (l listening) Write(p []byte) (int, error) {
	l.tell()
	return l.to.Write(p)
}

// perDecision counts the round trips of single decisions, those in which what was decided is
// learned among them.
func (t *turnstile) perDecision(decide decision) (float64, error) {
	const warm, counted = 50, 1000
	var before int64
	for i := range warm + counted {
		if i == warm {
			before = t.quiet()
		}
		if _, err := decide(someTriplet(redisRows)); err != nil {
			return 0, err
		}
	}
	return float64(t.quiet()-before) / counted, nil
}

// quiet waits until nobody has spoken for a while, and returns the count.
func (t *turnstile) quiet() int64 {
	for {
		n := t.turns.Load()
		time.Sleep(100 * time.Millisecond)
		if t.turns.Load() == n {
			return n
		}
	}
}
