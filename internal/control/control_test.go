package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

type question struct{ Name string }

type answer struct{ Text string }

func TestCommands(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "control.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(l)
	Handle(s, "hello", func(_ context.Context, p Peer, q question) (answer, error) {
		switch q.Name {
		case "":
			return answer{}, Errorf("a name is needed")
		case "broken":
			return answer{}, errors.New("the store is broken")
		case "away":
			return answer{}, &Unavailable{"the store is down"}
		}
		if p.UID != os.Getuid() {
			t.Errorf("peer %d, want %d", p.UID, os.Getuid())
		}
		return answer{"hello " + q.Name}, nil
	})
	s.Start()
	client := NewClient(path)

	var a answer
	if err := client.Call(t.Context(), "hello", question{"you"}, &a); err != nil || a.Text != "hello you" {
		t.Errorf("got %q, %v", a.Text, err)
	}
	var wrong *Error
	if err := client.Call(t.Context(), "hello", question{}, &a); !errors.As(err, &wrong) || wrong.Text != "a name is needed" {
		t.Errorf("a wrong command: %v", err)
	}
	var away *Unavailable
	if err := client.Call(t.Context(), "hello", question{"broken"}, &a); err == nil || errors.As(err, &wrong) || errors.As(err, &away) || err.Error() != "the store is broken" {
		t.Errorf("a failing command: %v", err)
	}
	if err := client.Call(t.Context(), "hello", question{"away"}, &a); !errors.As(err, &away) || away.Text != "the store is down" {
		t.Errorf("a command that needs what is out of reach: %v", err)
	}
	if err := client.Call(t.Context(), "nothing", question{}, &a); err == nil {
		t.Error("an unknown command has an answer")
	}
	client.Close()
	s.Stop(t.Context())
	if err := client.Call(t.Context(), "hello", question{"you"}, &a); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a daemon: %v", err)
	}
}

func TestPath(t *testing.T) {
	for address, want := range map[string]string{"unix:/run/x": "/run/x", "/run/x": "", "unix:x": "", "inet:127.0.0.1:1": ""} {
		got, err := Path(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Path(%q) = %q, %v", address, got, err)
		}
	}
}
