// Stub is a filter just good enough to try the dialog runner with, before and
// apart from mailweir: it refuses bad@example.net in From, 25 Received fields,
// recipients over 100, and the client 127.0.0.66, with mailweir's words.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"mailweir/test/testbed/stacks"
)

var events atomic.Int64

func main() {
	stacks.Serve()
	var socket string
	for _, arg := range os.Args[1:] {
		if path, found := strings.CutPrefix(arg, "--listen=unix:"); found {
			socket = path
		}
	}
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	check(err)
	check(os.Chmod(socket, 0o660))
	web, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	http.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) {})
	go func() { check(http.Serve(web, nil)) }()
	go func() {
		for {
			conn, err := listener.Accept()
			check(err)
			go session(conn)
		}
	}()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP, syscall.SIGTERM)
	for s := range hup {
		if s == syscall.SIGTERM {
			os.Exit(0)
		}
		write(map[string]any{"msg": "reloaded"})
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(fields map[string]any) {
	line, err := json.Marshal(fields)
	check(err)
	fmt.Fprintln(os.Stderr, string(line))
}

// refuse logs an event and returns the reply for the wire.
func refuse(check, stage string, code int, text string) []byte {
	id := fmt.Sprintf("mw-%08d", events.Add(1))
	write(map[string]any{"msg": "refused", "event": id, "check": check, "stage": stage, "code": code, "text": text})
	return []byte(fmt.Sprintf("y%d %s [%s]\x00", code, text, id))
}

func session(conn net.Conn) {
	defer conn.Close()
	client, recipients, received, bad := "", 0, 0, false
	for {
		var head [4]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(conn, packet); err != nil {
			return
		}
		answer, text := []byte("c"), string(packet[1:])
		switch packet[0] {
		case 'O':
			answer = []byte{'O', 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0x01, 0}
		case 'D', 'A':
			continue
		case 'Q':
			return
		case 'C':
			client = strings.TrimSuffix(text[strings.IndexByte(text, 0)+4:], "\x00")
		case 'M':
			recipients, received, bad = 0, 0, false
			if client == "127.0.0.66" {
				answer = refuse("address", "mail", 553, "5.1.7 Invalid address")
			}
		case 'R':
			recipients++
			if recipients > 100 {
				answer = refuse("rcpt-limit", "rcpt", 452, "4.5.3 Too many recipients")
			}
			if strings.HasPrefix(text, "<blocked@") {
				answer = refuse("sender-block", "rcpt", 550, "5.7.1 Administrative prohibition - envelope blocked")
			}
		case 'L':
			name, value, _ := strings.Cut(text, "\x00")
			if name == "Received" {
				received++
			}
			bad = bad || name == "From" && strings.Contains(value, "bad@example.net")
		case 'E':
			if received >= 25 {
				answer = refuse("hops", "header", 554, "5.4.6 Mail loop detected")
			} else if bad {
				answer = refuse("header-from", "header", 550, "5.7.1 Rejected by header based Blocked Senders - Block policy for Header From")
			}
		}
		packet = append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)
		if _, err := conn.Write(packet); err != nil {
			return
		}
	}
}
