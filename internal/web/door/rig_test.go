package door

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/argon2"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is one that stands until somebody turns it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) turn(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// line is an entry of --console-users whose hash costs next to nothing.
func line(login, password, fields string) string {
	b64 := base64.RawStdEncoding.EncodeToString
	tag := argon2.IDKey([]byte(password), []byte("saltsalt"), 1, 8, 1, 16)
	return fmt.Sprintf("%s:{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$%s$%s:%s\n", login, b64([]byte("saltsalt")), b64(tag), fields)
}

// usersFile writes a file of logins.
func usersFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	rewrite(t, path, lines...)
	return path
}

// rewrite puts another file in the place of one, as mailweir console passwd does.
func rewrite(t *testing.T, path string, lines ...string) {
	t.Helper()
	err := os.WriteFile(path+".new", []byte(strings.Join(lines, "")), 0o600)
	if err = errors.Join(err, os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func users(t *testing.T, path string) *Users {
	t.Helper()
	u, err := OpenUsers(path, func(_ int, err error) {
		if err != nil {
			t.Log(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// rig is a door with two pages: /page for admins, and /own for everybody who is known, which say
// who is there, and /do, which only a POST of the help desk reaches.
type rig struct {
	*Server
	t        *testing.T
	clock    *clock
	mu       sync.Mutex
	audit    []admin.Record
	defects  []error
	troubles []error
}

// open starts a door at an address of loopback, or at a socket.
func open(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock()}
	if o.Listener == nil {
		o.Listener = listen(t, "tcp", "127.0.0.1:0")
	}
	say := func(w http.ResponseWriter, r *http.Request, v policy.Person) {
		_, _ = fmt.Fprintf(w, "%s %s %v %s", v.Name, v.Role, v.Remit, v.From)
	}
	o.Routes = append(o.Routes,
		Route{Pattern: "GET /page", May: []policy.Role{policy.RoleAdmin}, Handle: say},
		Route{Pattern: "GET /own", May: []policy.Role{policy.RoleAdmin, policy.RoleHelpdesk, policy.RoleAuditor, policy.RoleUser}, Handle: say},
		Route{Pattern: "POST /do", May: []policy.Role{policy.RoleHelpdesk}, Handle: say},
		Route{Pattern: "GET /open", Handle: say},
	)
	o.Pages = Pages{
		Login: func(w http.ResponseWriter, _ *http.Request, status int, trouble, next string) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "log in, %s (%s)", trouble, next)
		},
		Error: func(w http.ResponseWriter, _ *http.Request, _ *policy.Person, status int, text string) {
			http.Error(w, text, status)
		},
	}
	o.Clock = r.clock.Now
	o.Audit = func(rec admin.Record) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.audit = append(r.audit, rec)
	}
	o.Trouble = func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.troubles = append(r.troubles, err)
	}
	o.Defect = func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.defects = append(r.defects, err)
	}
	r.Server = New(o)
	r.lookEach = 10 * time.Millisecond
	r.Start(func(err error) { t.Error(err) })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		r.Stop(ctx)
	})
	return r
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// audited are the records so far, as "NAME: error".
func (r *rig) audited() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.audit {
		all = append(all, rec.Name+": "+rec.Err)
	}
	return all
}

// browser asks a door from one address, and keeps its cookie.
type browser struct {
	t      *testing.T
	client *http.Client
	url    string
	host   string // of the header Host; "" for that of the address
	header http.Header
	cookie *http.Cookie
}

// browser returns one at 127.0.0.1, or at another address of loopback.
func (r *rig) browser(from string) *browser {
	dialer := net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	at := r.Listener.Addr()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, at.Network(), at.String())
	}}
	r.t.Cleanup(transport.CloseIdleConnections)
	host := at.String()
	if at.Network() == "unix" {
		host = "localhost"
	}
	return &browser{
		t: r.t, url: "http://" + host, header: http.Header{},
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// do asks and returns status and body, and for a redirection where it goes.
func (b *browser) do(method, path string, form url.Values) (int, string) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Host = b.host
	request.Header = b.header.Clone()
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.cookie != nil {
		request.AddCookie(b.cookie)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range response.Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	if to := response.Header.Get("Location"); to != "" {
		return response.StatusCode, to
	}
	return response.StatusCode, string(body)
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

// login logs in, and returns what came of it.
func (b *browser) login(name, password string) (int, string) {
	b.t.Helper()
	return b.do(http.MethodPost, "/login", url.Values{"name": {name}, "password": {password}, "next": {"/own?x=1"}})
}
