package dovecot

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is an auth process that lies, tears its answers or hangs. answer is what it says to a
// request, with %d for the id; nothing closes the connection.
type fake struct {
	path     string
	greeting string
	connects atomic.Int32
	sessions sync.WaitGroup

	mu     sync.Mutex
	answer string
	conns  []net.Conn
}

func newFake(t *testing.T, greeting, answer string) *fake {
	t.Helper()
	f := &fake{path: filepath.Join(t.TempDir(), "s"), greeting: greeting, answer: answer}
	listener, err := net.Listen("unix", f.path)
	if err != nil {
		t.Fatal(err)
	}
	f.sessions.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			f.connects.Add(1)
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			f.sessions.Go(func() { f.speak(c) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		f.hangUp()
		f.sessions.Wait()
	})
	return f
}

func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
}

func (f *fake) speak(c net.Conn) {
	defer c.Close()
	_, _ = io.WriteString(c, f.greeting)
	for in := bufio.NewScanner(c); in.Scan(); {
		fields := strings.Split(in.Text(), "\t")
		if fields[0] != "USER" {
			continue
		}
		f.mu.Lock()
		answer := f.answer
		f.mu.Unlock()
		if answer == "" {
			return
		}
		_, _ = io.WriteString(c, strings.ReplaceAll(answer, "%d", fields[1]))
	}
}

const greeting = "VERSION\t1\t1\nSPID\t7\n"

func TestExists(t *testing.T) {
	for _, test := range []struct {
		name, greeting, answer string
		want                   string // yes, no, or the error
	}{
		{"found", greeting, "USER\t%d\tbob\tuid=1\tgid=1\thome=/x\n", "yes"},
		{"found, without fields", greeting, "USER\t%d\n", "yes"},
		{"not found", greeting, "NOTFOUND\t%d\n", "no"},
		{"cannot tell", greeting, "FAIL\t%d\n", "FAIL"},
		{"cannot tell, with a reason", greeting, "FAIL\t%d\treason=no\ttemp\n", "FAIL"},
		{"the version alone", "VERSION\t1\t99\n", "NOTFOUND\t%d\n", "no"},
		{"the process behind it", "VERSION\t1\t1\n", "SPID\t7\nNOTFOUND\t%d\n", "no"},
		{"another request", greeting, "NOTFOUND\t99\n", `answers "NOTFOUND 99" to request 1`},
		{"a number with words", greeting, "NOTFOUND\t%dx\n", "to request 1"},
		{"no number", greeting, "NOTFOUND\n", "to request 1"},
		{"another answer", greeting, "PASS\t%d\tuser=bob\n", "not in the protocol"},
		{"another protocol's greeting", "VERSION\t2\t0\n", "NOTFOUND\t%d\n", "want VERSION 1"},
		{"no such service", "220 mx.example ESMTP\r\n", "NOTFOUND\t%d\n", "want VERSION 1"},
		{"closes", greeting, "", errGone.Error()},
		{"torn", greeting, "NOTFOUND\t%d", "in time"},
		{"an endless line", greeting, "USER\t%d\t" + strings.Repeat("x", 1<<17), "longer than"},
		{"endless lines", greeting, strings.Repeat("SPID\t1\n", 100), "no end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := NewUserdb(newFake(t, test.greeting, test.answer).path)
			defer u.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			found, err := u.Exists(ctx, "bob@x.example")
			got := map[bool]string{true: "yes", false: "no"}[found]
			if err != nil {
				got = err.Error()
			}
			if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestKept: one connection for many requests, and a new one when it has been left.
func TestKept(t *testing.T) {
	f := newFake(t, greeting, "NOTFOUND\t%d\n")
	u := NewUserdb(f.path)
	for range 5 {
		if found, err := u.Exists(t.Context(), "bob@x.example"); found || err != nil {
			t.Fatal(found, err)
		}
	}
	if n := f.connects.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	f.hangUp()
	if found, err := u.Exists(t.Context(), "bob@x.example"); found || err != nil {
		t.Error(found, err)
	}
	if n := f.connects.Load(); n != 2 {
		t.Errorf("%d connections after it was left", n)
	}
	_ = u.Close()
	if len(u.kept) != 0 {
		t.Error("a connection is kept after Close")
	}
}

func TestNames(t *testing.T) {
	if got := escape("a\tb\nc\rd\x00e\x01f"); got != "a\x01tb\x01nc\x01rd\x010e\x011f" {
		t.Errorf("escaped as %q", got)
	}
	u := NewUserdb(newFake(t, greeting, "NOTFOUND\t%d\n").path)
	defer u.Close()
	if _, err := u.Exists(t.Context(), strings.Repeat("a", maxRequest)); !errors.Is(err, ErrAddress) {
		t.Errorf("a long name: %v", err)
	}
	none := NewUserdb("/nonexistent/auth-userdb")
	if _, err := none.Exists(t.Context(), "bob"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no socket: %v", err)
	}
}

// FuzzAnswer: only a line that names the request is an answer to it.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"USER\t1\tbob\tuid=1\n", "NOTFOUND\t1\n", "FAIL\t1\n", "SPID\t3\nNOTFOUND\t1\n", "NOTFOUND\t2\n", "USER\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		here, there := net.Pipe()
		go func() {
			_, _ = io.WriteString(there, s)
			_ = there.Close()
		}()
		session := &session{Conn: silent{here}, in: bufio.NewReaderSize(here, maxAnswer)}
		found, err := session.request(context.Background(), "bob")
		_ = here.Close()
		if err != nil {
			return
		}
		word := map[bool]string{true: "USER\t", false: "NOTFOUND\t"}[found]
		if !strings.Contains(s, word) || !strings.Contains(s, "1") {
			t.Errorf("%q is taken for %v", s, found)
		}
	})
}

// silent takes whatever is written.
type silent struct{ net.Conn }

func (silent) Write(b []byte) (int, error) { return len(b), nil }
