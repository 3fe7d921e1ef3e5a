package main

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

type heldKey struct{}

// hold is "hold N SOCKET" or "hold N HOST:PORT": opens so many connections to the daemon, with
// nothing to say. "hold 0" closes all of them.
func hold(ts *testscript.TestScript, _ bool, args []string) {
	held := ts.Value(heldKey{}).(*[]net.Conn)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n == 0 {
		for _, conn := range *held {
			_ = conn.Close()
		}
		*held = nil
		return
	}
	network, address := "unix", ts.MkAbs(args[1])
	if args[1] == "http" {
		network, address = "tcp", listensAt.FindStringSubmatch((*theDaemon(ts)).ready)[1]
	}
	for range n {
		conn, err := net.Dial(network, address)
		ts.Check(err)
		*held = append(*held, conn)
		ts.Defer(func() { _ = conn.Close() })
	}
}

// negotiate is "negotiate SOCKET": connects as an MTA does, and wants the answer to its offer.
func negotiate(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := net.Dial("unix", ts.MkAbs(args[0]))
	ts.Check(err)
	defer conn.Close()
	ts.Check(conn.SetDeadline(time.Now().Add(patience)))
	offer := []byte{0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff}
	_, err = conn.Write(offer)
	ts.Check(err)
	answer := make([]byte, 5)
	_, err = io.ReadFull(conn, answer)
	ts.Check(err)
	if !bytes.Equal(answer[4:], []byte{'O'}) {
		ts.Fatalf("the offer is answered with %q", answer)
	}
}
