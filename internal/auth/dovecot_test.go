package auth

import (
	"bufio"
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/policy"
	"mailweir/test/testbed"
)

// What a real Dovecot takes ill ends one exchange, and Dovecot counts as lost for nobody.
func TestRealDovecot(t *testing.T) {
	socket := filepath.Join(testbed.TempDir(t), "auth")
	testbed.StartDovecot(t, socket)
	down := make(chan error, 100)
	var d net.Dialer
	u := NewUpstream(UpstreamOptions{
		Name: "dovecot", Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) },
		Watch: func(o backend.Options) backend.Options {
			o.OnDown = func(err error) { down <- err }
			return o
		},
	})
	defer u.Close()
	if err := u.Seek(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := NewServer(Options{
		Judge: u, Mode: policy.Enforce, Check: "auth", Reason: "no", Recorder: silentRecorder{}, Clock: time.Now, Streams: 10,
		Wrong: &policy.Reply{ID: "wrong", Code: 535, Enhanced: "5.7.8"}, Unavailable: &policy.Reply{ID: "away", Code: 454, Enhanced: "4.7.0"},
		Defect: func(stack []byte) { t.Errorf("panic\n%s", stack) },
	})
	const params = "\tservice=smtp\tnologin\tlip=203.0.113.5\trip=192.0.2.1\tsecured"
	for _, c := range []struct{ name, line, want string }{
		{"right", "PLAIN" + params + "\tresp=" + plainBob, "OK\t1\tuser=bob"},
		{"wrong", "PLAIN" + params + "\tresp=" + b64("\x00bob\x00x"), "FAIL\t1\tuser=bob\treason=no"},
		{"no such login", "PLAIN" + params + "\tresp=" + b64("\x00carol\x00x"), "FAIL\t1\tuser=carol\treason=no"},
		{"no base64", "PLAIN" + params + "\tresp==", "FAIL\t1\treason=no"},
		{"no service", "PLAIN\trip=192.0.2.1\tresp=" + plainBob, closed},
		{"a long response", "PLAIN" + params + "\tresp=" + b64("\x00bob\x00"+strings.Repeat("x", 9000)), "FAIL\t1\tuser=bob\treason=no"},
		{"a name with a tab", "PLAIN" + params + "\tresp=" + b64("\x00bo\tb\x00x"), "FAIL\t1\treason=no"},
		{"a name with a NUL less", "PLAIN" + params + "\tresp=" + b64("bob\x00secret"), "FAIL\t1\treason=no"},
		{"right afterwards", "PLAIN" + params + "\tresp=" + plainBob, "OK\t1\tuser=bob"},
	} {
		ours, theirs := net.Pipe()
		go s.begin(theirs)
		in := bufio.NewScanner(ours)
		for in.Scan() && in.Text() != "DONE" {
		}
		_, _ = ours.Write([]byte("VERSION\t1\t0\nCPID\t1\nAUTH\t1\t" + c.line + "\n"))
		got := closed
		if in.Scan() {
			got = in.Text()
		}
		_ = ours.Close()
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s.Shutdown(t.Context())
	select {
	case err := <-down:
		t.Errorf("Dovecot counts as lost: %v", err)
	default:
	}
}
