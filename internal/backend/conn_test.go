package backend

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// connected are both ends of a connection.
func connected(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return ours, theirs
}

func TestWithin(t *testing.T) {
	ours, theirs := connected(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := Within(ctx, ours)
	cancel()
	if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading after the context's end: %v", err)
	}
	done()

	passed, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	done = Within(passed, ours)
	done() // the end of that context comes no later than this
	done = Within(t.Context(), ours)
	defer done()
	if _, err := theirs.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Read(make([]byte, 1)); err != nil {
		t.Errorf("reading after another context has ended: %v", err)
	}
}

func TestQuiet(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(ours, theirs net.Conn) error
		want bool
	}{
		{"nothing has come", func(net.Conn, net.Conn) error { return nil }, true},
		{"the last deadline is over", func(ours, _ net.Conn) error { return ours.SetDeadline(time.Unix(1, 0)) }, true},
		{"more has come", func(_, theirs net.Conn) error { _, err := theirs.Write([]byte("x")); return err }, false},
		{"the other side has hung up", func(_, theirs net.Conn) error { return theirs.Close() }, false},
		{"our side is closed", func(ours, _ net.Conn) error { return ours.Close() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := connected(t)
			if err := c.do(ours, theirs); err != nil {
				t.Fatal(err)
			}
			if got := Quiet(ours); got != c.want {
				t.Errorf("quiet: %t, want %t", got, c.want)
			}
		})
	}
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	if !Quiet(one) {
		t.Error("a pipe is no socket, and nothing is known of it")
	}
}
