package callforward

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hasty is the deadline of tests that wait for it.
const hasty = 2100 * time.Millisecond

// TestOneHangs: a recipient of whom the server does not speak in time is not the server's end.
func TestOneHangs(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(f *fake) {
		f.rcpt = func(path string) string {
			if strings.HasPrefix(path, "<poison@") {
				return "hang"
			}
			return "550 5.1.1 no"
		}
	})
	a := openWithin(t, hasty, "smtp", f.source(), nil)
	a.want("poison@ours.example", "it does not answer in time")
	if err := a.breaker.Lost(0); err != nil {
		t.Error(err)
	}
	a.want("nobody@ours.example", "no")
}

// TestHangs: one that answers nobody is down, and is left alone until it answers.
func TestHangs(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	silent.Store(true)
	f := newFake(t, func(f *fake) {
		f.rcpt = func(string) string {
			if silent.Load() {
				return "hang"
			}
			return "550 5.1.1 no"
		}
	})
	a := openWithin(t, hasty, "smtp", f.source(), nil)
	a.want("nobody@ours.example", "it does not answer in time")
	if a.breaker.Lost(0) == nil {
		t.Error("it counts as up")
	}
	silent.Store(false)
	a.wait(t, "up")
	a.want("nobody@ours.example", "no")
	if got := strings.Join(a.all(), ","); got != "down,up" {
		t.Errorf("told %s", got)
	}
}

// TestDrips: one octet a second is not an answer in time.
func TestDrips(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(f *fake) {
		f.session = func(c net.Conn) {
			for _, err := io.WriteString(c, "2"); err == nil; _, err = io.WriteString(c, "2") {
				time.Sleep(100 * time.Millisecond)
			}
		}
	})
	a := openWithin(t, hasty, "smtp", f.source(), nil)
	a.want("nobody@ours.example", "it does not answer in time")
}

// TestTooFew: of a server that swallows a reply nobody knows of what it speaks.
func TestTooFew(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(f *fake) { f.rcpt = func(string) string { return "" } })
	a := openWithin(t, hasty, "smtp", f.source(), nil)
	a.want("nobody@ours.example", "it does not answer in time")
}
