package main

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"mailweir/test/testbed"
	"mailweir/test/wire"
)

// A round trip is what the client says between two answers, in however many writes.
func TestTurnstileCountsRoundTrips(t *testing.T) {
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() { // answers each line
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			if _, err := io.WriteString(conn, "ok\n"); err != nil {
				return
			}
		}
	}()
	h := testbed.NewProgram("bench")
	defer h.Close()
	turns, err := startTurnstile(h, server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp4", turns.address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.SetDeadline(time.Now().Add(wire.Patience)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(client)
	for range 3 {
		for _, piece := range []string{"half ", "a line\n"} {
			if _, err := io.WriteString(client, piece); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := answers.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if got := turns.turns.Load(); got != 3 {
		t.Errorf("%d round trips counted, want 3", got)
	}
}
