package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// serveHTTP starts the listener with deadlines that a test can wait for. Those that it is not about
// are far away.
func serveHTTP(t *testing.T, change func(*httpLimits)) *httpServer {
	t.Helper()
	limits := httpLimits{header: time.Hour, read: time.Hour, write: time.Hour, idle: time.Hour, connections: 32}
	change(&limits)
	h := startHTTP(loopback(t), prometheus.NewRegistry(), inspectNothing, limits)
	t.Cleanup(h.stop)
	return h
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dialHTTP(t *testing.T, h *httpServer) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", h.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// wantCut reads until the server has ended the connection.
func wantCut(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection is not ended: %v", err)
	}
}

// TestHTTPDeadlines: whoever is slow at any step is cut off at that step's deadline.
func TestHTTPDeadlines(t *testing.T) {
	const soon = 50 * time.Millisecond
	for _, tt := range []struct {
		name   string
		change func(*httpLimits)
		send   string
	}{
		{"says nothing", func(l *httpLimits) { l.header = soon }, ""},
		{"half a request", func(l *httpLimits) { l.header = soon }, "GET /metrics HT"},
		{"a header without end", func(l *httpLimits) { l.header = soon }, "GET /livez HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"},
		{"a body that does not come", func(l *httpLimits) { l.read = soon }, "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"},
		{"a body in pieces without end", func(l *httpLimits) { l.read = soon }, "POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
		{"nothing after an answer", func(l *httpLimits) { l.idle = soon }, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := dialHTTP(t, serveHTTP(t, tt.change))
			if _, err := io.WriteString(conn, tt.send); err != nil {
				t.Fatal(err)
			}
			wantCut(t, conn)
		})
	}
	t.Run("reads no answer", func(t *testing.T) {
		conn := dialHTTP(t, serveHTTP(t, func(l *httpLimits) { l.write = soon }))
		asking := strings.Repeat("GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 1000)
		var err error
		for err == nil { // until the server, whose answers nobody takes, has had enough
			_, err = io.WriteString(conn, asking)
		}
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Errorf("the connection is not ended: %v", err)
		}
	})
	t.Run("a header too large", func(t *testing.T) {
		conn := dialHTTP(t, serveHTTP(t, func(*httpLimits) {}))
		_, _ = io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10)) // it may be cut off already
		wantCut(t, conn)
	})
}

// TestHTTPConnections: at most so many are open, whatever they do; the oldest make room, and who
// comes is served.
func TestHTTPConnections(t *testing.T) {
	const limit = 32
	for name, send := range map[string]string{
		"silent": "", "half a header": "GET /livez HTTP/1.1\r\nHost", "idle": "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
		"half a body": "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := serveHTTP(t, func(l *httpLimits) { l.connections = limit })
			var held []net.Conn
			for i := range 3 * limit {
				conn := dialHTTP(t, h)
				if _, err := io.WriteString(conn, send); err != nil {
					t.Fatal(err)
				}
				held = append(held, conn)
				if i%8 == 0 {
					wantLive(t, h)
				}
			}
			wantLive(t, h)
			for _, conn := range held[:2*limit] {
				wantCut(t, conn)
			}
		})
	}
}

// wantLive asks on a connection of its own.
func wantLive(t *testing.T, h *httpServer) {
	t.Helper()
	conn := dialHTTP(t, h)
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("answered with %s", response.Status)
	}
}

func inspectNothing(context.Context) []condition { return nil }

// TestReadyVerbose: who asks for more hears how everything is, and since when, ready or not.
func TestReadyVerbose(t *testing.T) {
	inspect := func(context.Context) []condition {
		now := time.Now()
		return []condition{
			{runner.Inspected{Name: "clamd:unix:/x", Found: policy.Found{Text: "ClamAV 1.4.6", Remarks: []string{"the signatures are 8 days old"}}}, now, now.Add(-2*time.Hour - 90*time.Second)},
			{runner.Inspected{Name: "redis://:geheim@h:6379", Err: syscall.ECONNREFUSED}, now, now},
		}
	}
	h := startHTTP(loopback(t), prometheus.NewRegistry(), inspect, defaultHTTPLimits())
	defer h.stop()
	found := "ok: clamd:unix:/x: ClamAV 1.4.6 (asked 0s ago, so for 2h1m)\nnote: clamd:unix:/x: the signatures are 8 days old\nfault: redis://…@h:6379: connection refused (asked 0s ago, so for 0s)\n"
	for _, tt := range []struct {
		ready bool
		path  string
		want  string
	}{
		{false, "/readyz", "not ready\n"},
		{false, "/readyz?verbose", "not ready\n" + found},
		{true, "/readyz", "ok\n"},
		{true, "/readyz?verbose", "ok\n" + found},
	} {
		h.ready(tt.ready)
		answer, err := http.Get("http://" + h.address() + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || string(text) != tt.want || (answer.StatusCode == http.StatusOK) != tt.ready {
			t.Errorf("%s: %s %q, %v, want %q", tt.path, answer.Status, text, err, tt.want)
		}
	}
}
