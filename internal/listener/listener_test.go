package listener_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"mailweir/internal/listener"
)

// patience bounds every wait; it is never what a test waits for.
const patience = 20 * time.Second

func open(t *testing.T, network, address string) *listener.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := listener.New(l, nil)
	t.Cleanup(func() { _ = wrapped.Close() })
	return wrapped
}

func moves(t *testing.T, l *listener.Listener, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return l.Moves(ctx)
}

// TestMoves: a loop that accepts is seen to move as often as somebody asks, goes on accepting, and
// sees nothing of it; one that hangs with a connection in its hands is seen not to.
func TestMoves(t *testing.T) {
	for name, where := range map[string][2]string{"unix": {"unix", t.TempDir() + "/s"}, "inet": {"tcp", "127.0.0.1:0"}} {
		t.Run(name, func(t *testing.T) {
			l := open(t, where[0], where[1])
			taken := make(chan struct{})
			var serving sync.WaitGroup
			serving.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						if !errors.Is(err, net.ErrClosed) {
							t.Error(err)
						}
						return
					}
					taken <- struct{}{}
					_ = conn.Close()
				}
			})
			for range 3 {
				if err := moves(t, l, patience); err != nil {
					t.Error(err)
				}
			}
			conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			// The deadline may come first once: the loop then waits for the connection again.
			hangs := false
			for range 100 {
				if hangs = moves(t, l, 50*time.Millisecond) != nil; hangs {
					break
				}
			}
			if !hangs {
				t.Error("a loop that hangs moves")
			}
			<-taken
			if err := moves(t, l, patience); err != nil {
				t.Error(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			serving.Wait()
			if err := moves(t, l, patience); err != nil {
				t.Errorf("closed: %v", err)
			}
		})
	}
}
