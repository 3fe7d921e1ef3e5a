package door

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// deadlined notes the deadline that writes have.
type deadlined struct {
	*httptest.ResponseRecorder
	now     time.Time // zero for none
	written []bool    // whether each write had one
}

func (d *deadlined) SetReadDeadline(time.Time) error { return nil }

func (d *deadlined) SetWriteDeadline(at time.Time) error {
	d.now = at
	return nil
}

func (d *deadlined) Write(p []byte) (int, error) {
	d.written = append(d.written, !d.now.IsZero())
	return d.ResponseRecorder.Write(p)
}

// A deadline that passes while nothing is written would end a stream of HTTP/2.
func TestStreamDeadlines(t *testing.T) {
	r := open(t, Options{})
	d := &deadlined{ResponseRecorder: httptest.NewRecorder(), now: time.Now()}
	quiet := func(w http.ResponseWriter) {
		t.Helper()
		if !d.now.IsZero() {
			t.Error("there is a deadline while nothing is written")
		}
		_, _ = w.Write([]byte("data: x\n\n"))
		_ = http.NewResponseController(w).Flush()
	}
	r.stream(d, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live", nil), &visitor{}, func(w http.ResponseWriter, _ *http.Request, _ policy.Person) {
		quiet(w)
		quiet(w)
	})
	if len(d.written) != 2 || !d.written[0] || !d.written[1] {
		t.Errorf("writes with a deadline: %v", d.written)
	}
	if d.now.IsZero() {
		t.Error("what is left to write at the end has no deadline")
	}
}

// Whoever may see less from now on sees no more of a stream that began before.
func TestStreamRemit(t *testing.T) {
	var role atomic.Value
	role.Store("helpdesk")
	ended := make(chan error, 1)
	r := open(t, Options{
		Identity: Identity{
			Header: "X-Remote-User", Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			Roles: &Roles{Role: func(context.Context, string) (string, bool, error) { return role.Load().(string), true, nil }},
		},
		Routes: []Route{{Pattern: "GET /live", May: []policy.Role{policy.RoleHelpdesk}, Stream: true, Handle: func(_ http.ResponseWriter, r *http.Request, _ policy.Person) {
			role.Store("helpdesk:example.org")
			<-r.Context().Done()
			ended <- r.Context().Err()
		}}},
	})
	b := r.browser("")
	b.header.Set("X-Remote-User", "hugo")
	if code, body := b.get("/live"); code != http.StatusOK {
		t.Fatal(code, body)
	}
	<-ended
}
