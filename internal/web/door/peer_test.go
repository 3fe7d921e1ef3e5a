package door

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"mailweir/internal/auth"
	"mailweir/internal/backend"
	"mailweir/test/testbed"
)

// dialAs connects to a socket as another user of the host, for which one thread becomes that user.
func dialAs(uid int, path string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with its goroutine
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); e != 0 {
			err = e
			return
		}
		var fd int
		if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		f := os.NewFile(uintptr(fd), path)
		defer f.Close()
		if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err == nil {
			conn, err = net.FileConn(f)
		}
	}()
	<-done
	return conn, err
}

// Over a socket the kernel says who asks.
func TestPeerUID(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can connect as somebody else")
	}
	dir := testbed.TempDir(t)
	nobody := 65534 // has a name on Debian
	unknown := 54321
	for _, c := range []struct {
		name     string
		identity Identity
		uid      int
		header   string
		want     int
		says     string
	}{
		{"root", Identity{}, 0, "", 200, "root admin <nil> console socket of uid 0"},
		{"another, without roles", Identity{}, nobody, "", 403, ""},
		{"another, with a role", Identity{Roles: &Roles{Role: table(map[string]string{"uid:nobody": "helpdesk:example.org"})}}, nobody, "", 200, "nobody helpdesk &{[] [example.org]} console socket of uid 65534"},
		{"another, a login of that name", Identity{Roles: &Roles{Role: table(map[string]string{"nobody": "admin"})}}, nobody, "", 403, ""},
		{"a user without a name", Identity{Roles: &Roles{Role: table(map[string]string{"uid:54321": "auditor"})}}, unknown, "", 200, "uid 54321 auditor <nil> "},
		{"another, where people log in", Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))}, nobody, "", 303, ""},
		{"a header of nobody's proxy", Identity{Header: "X-Remote-User", Roles: &Roles{Role: table(map[string]string{"anna": "admin"})}}, nobody, "anna", 403, ""},
		{"a header of root", Identity{Header: "X-Remote-User", Roles: &Roles{Role: table(map[string]string{"anna": "helpdesk"})}}, 0, "anna", 200, "root admin"},
		{"the header of a proxy", Identity{Header: "X-Remote-User", ProxyUIDs: []int{nobody}, Roles: &Roles{Role: table(map[string]string{"anna": "admin"})}}, nobody, "anna", 200, "anna admin <nil> console socket, by its proxy"},
		{"a proxy without the header", Identity{Header: "X-Remote-User", ProxyUIDs: []int{nobody}, Roles: &Roles{Role: table(map[string]string{"uid:nobody": "admin"})}}, nobody, "", 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "console")
			l := listen(t, "unix", path)
			if err := os.Chmod(path, 0o666); err != nil {
				t.Fatal(err)
			}
			r := open(t, Options{Listener: l, Identity: c.identity})
			b := r.browser("")
			b.client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) { return dialAs(c.uid, path) }
			if c.header != "" {
				b.header.Set("X-Remote-User", c.header)
			}
			status, says := b.get("/own")
			if status != c.want || c.says != "" && (len(says) < len(c.says) || says[:len(c.says)] != c.says) {
				t.Errorf("%d %q, want %d %q", status, says, c.want, c.says)
			}
		})
	}
}

// A Dovecot knows passwords, a table what they are good for.
func TestDovecot(t *testing.T) {
	socket := filepath.Join(testbed.TempDir(t), "auth")
	testbed.StartDovecot(t, socket)
	var d net.Dialer
	u := auth.NewUpstream(auth.UpstreamOptions{
		Name: "dovecot", Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) },
		Watch: func(o backend.Options) backend.Options { return o },
	})
	defer u.Close()
	r := open(t, Options{Identity: Identity{
		Password: func(ctx context.Context, login string, password []byte, client netip.Addr) (string, bool, error) {
			return u.Plain(ctx, "mailweir", login, password, client)
		},
		Roles: &Roles{Role: table(map[string]string{"bob": "user"}), Addresses: table(map[string]string{"bob": "bob@example.org"})},
	}})
	for i, c := range []struct {
		name, password string
		want           int
	}{{"bob", "secret", 303}, {"Bob", "secret", 303}, {"bob", "wrong", 401}, {"alice", "secret", 401}, {"bob\tresp=x", "secret", 401}, {"bob", "a\x00b\x00secret", 401}} {
		if status, says := r.browser(fmt.Sprintf("127.0.3.%d", i+1)).login(c.name, c.password); status != c.want {
			t.Errorf("%q: %d %q", c.name, status, says)
		}
	}
}
