package callforward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeUserdb is one that loses its users, as a Dovecot does that starts without its passwd-file.
type fakeUserdb struct {
	path string

	mu     sync.Mutex
	users  string
	slips  int // so many questions are answered NOTFOUND, whoever they are about
	silent bool
}

func newFakeUserdb(t *testing.T, users string) *fakeUserdb {
	t.Helper()
	f := &fakeUserdb{path: filepath.Join(t.TempDir(), "s"), users: users}
	listener, err := net.Listen("unix", f.path)
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { f.speak(c) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		sessions.Wait()
	})
	return f
}

func (f *fakeUserdb) speak(c net.Conn) {
	defer c.Close()
	_, _ = io.WriteString(c, "VERSION\t1\t1\nSPID\t7\n")
	for in := bufio.NewScanner(c); in.Scan(); {
		if fields := strings.Split(in.Text(), "\t"); fields[0] == "USER" {
			_, _ = io.WriteString(c, f.answer(fields[1], fields[2]))
		}
	}
}

func (f *fakeUserdb) answer(id, user string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.silent:
		return ""
	case f.slips > 0:
		f.slips--
	case strings.Contains(f.users, user):
		return fmt.Sprintf("USER\t%s\t%s\tuid=1\n", id, user)
	}
	return fmt.Sprintf("NOTFOUND\t%s\n", id)
}

func (f *fakeUserdb) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

// TestUserdbWithoutUsers: one that no longer finds whom it has found does not know who exists.
func TestUserdbWithoutUsers(t *testing.T) {
	f := newFakeUserdb(t, "bob@ours.example carol@ours.example")
	a := open(t, "dovecot", "unix:"+f.path, nil).untested("ours.example").untested("other.example")
	a.want("nobody@ours.example", "no")
	a.want("bob@ours.example", "yes")
	f.change(func() { f.slips = 1 })
	a.want("carol@ours.example", "yes")
	f.change(func() { f.users = "" })
	a.want("nobody@ours.example", "it finds carol@ours.example no more either, whom it knew at ")
	a.want("carol@ours.example", "it finds carol@ours.example no more")
	a.want("nobody@other.example", "no")
	f.change(func() { f.users = "bob@ours.example" })
	a.want("bob@ours.example", "yes")
	a.want("carol@ours.example", "no")
}

// TestUserdbHangs: it is down for all when it answers nobody.
func TestUserdbHangs(t *testing.T) {
	f := newFakeUserdb(t, "bob@ours.example")
	f.silent = true
	a := openWithin(t, hasty, "dovecot", "unix:"+f.path, nil).untested("ours.example")
	a.want("bob@ours.example", "it does not answer in time")
	if a.breaker.Lost(0) == nil {
		t.Error("it counts as up")
	}
	f.change(func() { f.silent = false })
	a.wait(t, "up")
	a.want("bob@ours.example", "yes")
}
