package admin

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestStopAnswers: whoever has connected before the server ends has an answer, though the request
// comes afterwards; whoever sends nothing does not hold the end up.
func TestStopAnswers(t *testing.T) {
	service, _ := newService(t)
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn, 2), ended: make(chan struct{})}
		server := NewServer(l, service)
		server.Start()
		ours, theirs := net.Pipe()
		silent, other := net.Pipe()
		l.conns <- theirs
		l.conns <- other
		synctest.Wait()
		began, stopped := time.Now(), make(chan struct{})
		go func() {
			defer close(stopped)
			server.Stop(t.Context())
		}()
		synctest.Wait()
		if _, err := io.WriteString(ours, "POST /v1/greet/hello HTTP/1.1\r\nHost: mailweir\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(ours), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusForbidden { // a pipe has no user
			t.Errorf("%s, %v", response.Status, err)
		}
		time.Sleep(arrivesWithin)
		_ = silent.Close()
		<-stopped
		if took := time.Since(began); took > 2*arrivesWithin {
			t.Errorf("it took %v", took)
		}
	})
}
