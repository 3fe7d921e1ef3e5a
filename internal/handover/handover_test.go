package handover_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/handover"
	"mailweir/internal/listener"
)

// patience bounds every wait; it is never what a test waits for.
const patience = 20 * time.Second

// TestMain is also the successor, for TestStart.
func TestMain(m *testing.M) {
	in, err := handover.Inherit()
	switch {
	case errors.Is(err, handover.ErrForked):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case in == nil:
		os.Exit(m.Run())
	}
	p := handover.NewPeer(in.Conn, nil)
	defer p.Close()
	var leftovers []string
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "HANDOVER_") || strings.HasPrefix(variable, "LISTEN_") || strings.HasPrefix(variable, "WATCHDOG_PID") {
			leftovers = append(leftovers, variable)
		}
	}
	said := fmt.Sprintf("%d %d %q %q", os.Getpid(), os.Getppid(), os.Args[1:], leftovers)
	if err := p.Call(context.Background(), "said", said, nil); err != nil {
		os.Exit(1)
	}
	for _, l := range in.Listeners {
		conn, err := l.Accept()
		if err == nil {
			_, err = io.WriteString(conn, "hello from the successor")
			err = errors.Join(err, conn.Close())
		}
		if err != nil {
			os.Exit(1)
		}
	}
	<-p.Done()
}

// TestStart starts a successor with a socket: it is no child of ours, has the arguments and no
// variable of ours, and accepts on the socket, on which this process still accepts as well.
func TestStart(t *testing.T) {
	t.Setenv("LISTEN_PID", "1")
	t.Setenv("WATCHDOG_PID", "2")
	own, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	l := listener.New(own, nil)
	defer l.Close()
	fd, err := l.Descriptor()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := handover.Start(os.Args[0], []string{"a", "b c"}, os.Environ(), []int{fd})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	p := handover.NewPeer(conn, map[string]handover.Handler{"said": func(_ context.Context, body []byte) (any, error) {
		said <- string(body)
		return nil, nil
	}})
	defer p.Close()
	var pid, parent int
	select {
	case text := <-said:
		if _, err := fmt.Sscanf(strings.Trim(text, `"`), "%d %d", &pid, &parent); err != nil {
			t.Fatal(err)
		}
		if parent == os.Getpid() || !strings.HasSuffix(text, `[\"a\" \"b c\"] []"`) {
			t.Errorf("the successor says %s, and this is %d", text, os.Getpid())
		}
	case <-time.After(patience):
		t.Fatal("the successor says nothing")
	}
	client, err := net.Dial("unix", own.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if text, err := io.ReadAll(client); err != nil || string(text) != "hello from the successor" {
		t.Errorf("%q, %v", text, err)
	}
	// The socket has not become one that blocks threads: a deadline still ends accepting.
	if err := own.(*net.UnixListener).SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Listener.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("accept: %v", err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Error("its end is not seen")
	}
}

// TestStartFails: what is no program, and what ends at once.
func TestStartFails(t *testing.T) {
	for _, path := range []string{"/does/not/exist", "/bin/false"} {
		if conn, err := handover.Start(path, nil, nil, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, %v", path, conn, err)
		}
	}
}

// pair are two processes, in one.
func pair(t *testing.T, first, second map[string]handover.Handler) (a, b *handover.Peer) {
	t.Helper()
	left, right := net.Pipe()
	a, b = handover.NewPeer(left, first), handover.NewPeer(right, second)
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

// TestPeer: both sides ask, many at once, and have the answers to their own questions.
func TestPeer(t *testing.T) {
	double := map[string]handover.Handler{
		"double": func(_ context.Context, body []byte) (any, error) { return string(body) + string(body), nil },
		"fails":  func(context.Context, []byte) (any, error) { return nil, errors.New("no") },
		"panics": func(context.Context, []byte) (any, error) { panic("oh") },
	}
	a, b := pair(t, double, double)
	var asking sync.WaitGroup
	for _, p := range []*handover.Peer{a, b} {
		for i := range 50 {
			asking.Go(func() {
				var got string
				if err := p.Call(t.Context(), "double", i, &got); err != nil || got != fmt.Sprint(i, i) && got != fmt.Sprintf("%d%d", i, i) {
					t.Errorf("%d: %q, %v", i, got, err)
				}
			})
		}
	}
	asking.Wait()
	for method, want := range map[string]string{
		"fails": "no", "panics": "a defect of mailweir, please report it: panic: oh", "other": `handover: nothing here answers "other"`,
	} {
		err := a.Call(t.Context(), method, nil, nil)
		remote := (*handover.RemoteError)(nil)
		if !errors.As(err, &remote) || remote.Text != want {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// TestPeerGone: who waits for an answer of a process that ends is told, and nobody waits
// afterwards.
func TestPeerGone(t *testing.T) {
	asked := make(chan struct{})
	a, b := pair(t, nil, map[string]handover.Handler{"hangs": func(ctx context.Context, _ []byte) (any, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	failed := make(chan error, 1)
	go func() { failed <- a.Call(context.Background(), "hangs", nil, nil) }()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Call(ctx, "double", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a question that nobody waits for: %v", err)
	}
	b.Close()
	if err := <-failed; !errors.Is(err, handover.ErrGone) {
		t.Errorf("the one who waits: %v", err)
	}
	<-a.Done()
	if err := a.Call(t.Context(), "double", nil, nil); !errors.Is(err, handover.ErrGone) {
		t.Errorf("afterwards: %v", err)
	}
}

// FuzzPeer: whatever comes, a peer answers or goes, and does neither hang nor grow.
func FuzzPeer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x1d{\"number\":1,\"method\":\"echo\"}\x00"))
	f.Add([]byte("\x00\x00\x00\x02{}\x00\x00\x00\x04null"))
	f.Add([]byte("\xff\xff\xff\xff{}"))
	f.Add([]byte("\x00\x00\x00\x10{\"number\":-1}"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		left, right := net.Pipe()
		p := handover.NewPeer(left, map[string]handover.Handler{"echo": func(_ context.Context, body []byte) (any, error) { return string(body), nil }})
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = io.Copy(io.Discard, right) })
		_ = right.SetDeadline(time.Now().Add(patience))
		_, _ = right.Write(octets)
		_ = right.Close()
		select {
		case <-p.Done():
		case <-time.After(patience):
			t.Error("it goes on")
		}
		p.Close()
		reading.Wait()
	})
}
