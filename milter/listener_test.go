package milter

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestParseAddress(t *testing.T) {
	tests := []struct{ spec, network, address, err string }{
		{"inet:127.0.0.1:8891", "tcp", "127.0.0.1:8891", ""},
		{"inet:localhost:8891", "tcp", "localhost:8891", ""},
		{"inet:8891@localhost", "tcp", "localhost:8891", ""},
		{"inet6:8891@::1", "tcp6", "[::1]:8891", ""},
		{"inet6:8891@[::1]", "tcp6", "[::1]:8891", ""},
		{"inet:[::1]:8891", "tcp", "[::1]:8891", ""},
		{"127.0.0.1:8891", "tcp", "127.0.0.1:8891", ""},
		{"[::1]:8891", "tcp", "[::1]:8891", ""},
		{"unix:/run/mailweir/mw.sock", "unix", "/run/mailweir/mw.sock", ""},
		{"local:/run/mailweir/mw.sock", "unix", "/run/mailweir/mw.sock", ""},
		{"", "", "", `address "": write inet:`},
		{"8891", "", "", `address "8891": write inet:`},
		{"/run/mw.sock", "", "", `address "/run/mw.sock": write inet:`},
		{"unix:run/mw.sock", "", "", "begins with a slash"},
		{"unix:", "", "", "begins with a slash"},
		{"inet:8891", "", "", "write inet:HOST:PORT"},
		{":8891", "", "", "no host; to listen on every address write 0.0.0.0 or [::]"},
		{"inet:8891@", "", "", "no host"},
		{"inet:localhost:smtp", "", "", "its port is not a number"},
		{"inet:70000@localhost", "", "", "its port is not a number"},
		{"tcp:127.0.0.1:8891", "", "", "write inet:HOST:PORT"},
		{"inet:/run/x:1", "", "", "is not a host"},
	}
	for _, tt := range tests {
		network, address, err := ParseAddress(tt.spec)
		if network != tt.network || address != tt.address {
			t.Errorf("%q: %q %q, want %q %q", tt.spec, network, address, tt.network, tt.address)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: error %v, want %q", tt.spec, err, tt.err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, spec := range []string{"inet:127.0.0.1:1", "inet6:1@::1", "unix:/x", "local:/x", "h:1", "@:", "inet:[::1]:1"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		network, address, err := ParseAddress(spec)
		if err != nil {
			return
		}
		if network == "unix" {
			if !filepath.IsAbs(address) {
				t.Errorf("%q: %q", spec, address)
			}
			return
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil || host == "" {
			t.Errorf("%q: %q: %v", spec, address, err)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			t.Errorf("%q: port %q", spec, port)
		}
	})
}

func TestSocketModeAndGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root gives a socket to a group of its choice")
	}
	tests := []struct {
		name string
		opts ListenOptions
		mode fs.FileMode
		gid  uint32
	}{
		{"default", ListenOptions{}, 0o660, uint32(os.Getegid())},
		{"given", ListenOptions{Mode: 0o600, Group: "12"}, 0o600, 12},
		{"group by name", ListenOptions{Group: "root"}, 0o660, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir() + "/s"
			l, err := Listen("unix:"+path, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Sys().(*syscall.Stat_t).Gid; info.Mode().Perm() != tt.mode || got != tt.gid {
				t.Errorf("mode %v group %d, want %v %d", info.Mode().Perm(), got, tt.mode, tt.gid)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("the socket is still there")
			}
		})
	}
}

func TestSocketInTheWay(t *testing.T) {
	path := func(t *testing.T) string { return t.TempDir() + "/s" }
	t.Run("left behind", func(t *testing.T) {
		p := path(t)
		old, err := net.ListenUnix("unix", &net.UnixAddr{Name: p, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		old.SetUnlinkOnClose(false)
		_ = old.Close()
		l, err := Listen("unix:"+p, ListenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	})
	t.Run("in use", func(t *testing.T) {
		p := path(t)
		l, err := Listen("unix:"+p, ListenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		wantListenError(t, "unix:"+p, "another program answers there")
		conn, err := net.Dial("unix", p)
		if err != nil {
			t.Fatalf("the socket in use has been taken away: %v", err)
		}
		_ = conn.Close()
	})
	t.Run("no socket", func(t *testing.T) {
		p := path(t)
		if err := os.WriteFile(p, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantListenError(t, "local:"+p, "is no socket")
		if _, err := os.Stat(p); err != nil {
			t.Errorf("the file is gone: %v", err)
		}
	})
	t.Run("path too long", func(t *testing.T) {
		wantListenError(t, "unix:/"+strings.Repeat("x", 107), "108 octets, 107 are possible")
	})
	t.Run("no such group", func(t *testing.T) {
		p := path(t)
		if _, err := Listen("unix:"+p, ListenOptions{Group: "no-such-group"}); err == nil || !strings.Contains(err.Error(), "no-such-group") {
			t.Errorf("error %v", err)
		}
	})
}

func wantListenError(t *testing.T, spec, part string) {
	t.Helper()
	l, err := Listen(spec, ListenOptions{})
	if err == nil {
		_ = l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("%s: error %v, want %q", spec, err, part)
	}
}

// A program that ends leaves the socket of the one that took its place alone.
func TestListenLeavesASuccessorAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mw.sock")
	first, err := Listen("unix:"+path, ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := Listen("unix:"+path, ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the successor's socket is gone: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its own socket is left behind: %v", err)
	}
}
