package mta_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

// serve answers each connection with a script: it reads a line before each reply but the first.
func serve(t *testing.T, network, address string, talk func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			talk(conn)
			_ = conn.Close()
		}
	}()
	return l
}

func lines(replies ...string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for i, reply := range replies {
			if i > 0 {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			if _, err := conn.Write([]byte(reply + "\r\n")); err != nil {
				return
			}
		}
	}
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name    string
		replies []string
		silent  bool
		answer  string
	}{
		{"takes all", []string{"220-a\r\n220 b", "250-x\r\n250 y", "250 2.1.0 Ok", "250 2.1.5 Ok", "250 ok", "221 bye"}, false, "250 2.1.5 Ok"},
		{"refuses", []string{"220 b", "250 y", "250 2.1.0 Ok", "550 5.1.1 no", "250 ok", "221 bye"}, false, "550 5.1.1 no"},
		{"hangs up", []string{"220 b", "250 y"}, true, ""},
		{"421", []string{"220 b", "421 4.3.2 shutting down", "", "", "", ""}, true, ""},
		{"421 to greet", []string{"421 4.3.2 all busy"}, true, ""},
		{"rubbish", []string{"hello"}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := serve(t, "tcp", "127.0.0.1:0", lines(c.replies...))
			got, err := mta.Probe{Address: l.Addr().String(), Helo: "x.example"}.Run(t.Context())
			if errors.Is(err, mta.ErrSilent) != c.silent || got.Recipient != c.answer {
				t.Errorf("%v %+v", err, got)
			}
		})
	}
	l := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) { _, _ = bufio.NewReader(conn).ReadString('\n') })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := (mta.Probe{Address: l.Addr().String()}).Run(ctx); !errors.Is(err, mta.ErrSilent) {
		t.Errorf("a server that says nothing: %v", err)
	}
}

func TestProbeThroughProxy(t *testing.T) {
	first := make(chan string, 1)
	l := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		first <- line
	})
	_, _ = mta.Probe{Address: l.Addr().String(), Proxied: true}.Run(t.Context())
	if line := <-first; !strings.HasPrefix(line, "PROXY TCP4 127.0.0.1 127.0.0.1 ") {
		t.Errorf("first line %q", line)
	}
}

func TestHandshake(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		ok           bool
	}{
		{"a milter", "\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00\x00", true},
		{"nothing", "", false},
		{"SMTP", "220 mx.example ESMTP\r\n", false},
		{"cut short", "\x00\x00\x00\x0dO\x00\x00", false},
		{"endless", "\x7f\x00\x00\x0dO", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 64))
				_, _ = conn.Write([]byte(c.answer))
			})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			conn, err := mta.DialAs(ctx, mta.Account{}, "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := mta.Handshake(ctx, conn); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

// TestDialAs: root can open any socket, the mail server cannot.
func TestDialAs(t *testing.T) {
	testbed.Require(t, "root")
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	serve(t, "unix", path, lines("hello"))
	nobody, err := mta.LookupAccount("nobody")
	if err != nil {
		t.Fatal(err)
	}
	for name := dir; name != "/"; name = filepath.Dir(name) {
		info, err := os.Stat(name)
		if err == nil && info.Mode()&0o001 == 0 {
			err = os.Chmod(name, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		mode   os.FileMode
		gid    int
		groups []int
		ok     bool
	}{
		{0o600, nobody.GID, nil, false},
		{0o666, nobody.GID, nil, true},
		{0o660, nobody.GID, nil, false},
		{0o660, nobody.GID, []int{4}, true},
	} {
		if err := errors.Join(os.Chown(path, 0, 4), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		conn, err := mta.DialAs(t.Context(), mta.Account{UID: nobody.UID, GID: c.gid, Groups: c.groups}, "unix", path)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, os.ErrPermission) {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	if conn, err := mta.DialAs(t.Context(), mta.Account{}, "unix", path); err != nil {
		t.Error("root:", err)
	} else {
		_ = conn.Close()
	}
	if _, err := mta.LookupAccount("no-such-user-here"); err == nil {
		t.Error("a user that is not there was found")
	}
}
