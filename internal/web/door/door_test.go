package door

import (
	"bufio"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
)

func TestRoles(t *testing.T) {
	r := open(t, Options{Identity: Identity{Users: users(t, usersFile(t,
		line("anna", "a", "admin"), line("hugo", "h", "helpdesk"), line("bob@example.org", "b", "user"), line("dora", "d", "auditor:example.org"),
	))}})
	for _, c := range []struct {
		name, password      string
		page, own, do, open int
		says                string
	}{
		{"anna", "a", 200, 200, 403, 200, "anna admin <nil> console from 127.0.0.1"},
		{"hugo", "h", 403, 200, 200, 200, "hugo helpdesk <nil> "},
		{"bob@example.org", "b", 403, 200, 403, 200, "bob@example.org user &{[bob@example.org] []} "},
		{"dora", "d", 403, 200, 403, 200, "dora auditor &{[] [example.org]} "},
		{"", "", 303, 303, 401, 200, "/login?next=%2Fown"},
	} {
		t.Run("as "+c.name, func(t *testing.T) {
			b := r.browser("")
			if c.name != "" {
				if status, to := b.login(c.name, c.password); status != http.StatusSeeOther || to != "/own?x=1" {
					t.Fatal(status, to)
				}
			}
			page, _ := b.get("/page")
			own, says := b.get("/own")
			do, _ := b.do(http.MethodPost, "/do", url.Values{})
			free, _ := b.get("/open")
			if page != c.page || own != c.own || do != c.do || free != c.open || !strings.HasPrefix(says, c.says) {
				t.Errorf("%d %d %d %d %q, want %+v", page, own, do, free, says, c)
			}
			if status, _ := b.get("/do"); status != http.StatusMethodNotAllowed {
				t.Errorf("GET /do: %d", status)
			}
			if status, _ := b.get("/none"); status != http.StatusNotFound {
				t.Errorf("GET /none: %d", status)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	r := open(t, Options{Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))}})
	for _, path := range []string{"/login", "/page", "/open", "/none"} {
		response, err := http.Get(r.browser("").url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		h := response.Header
		for name, want := range map[string]string{
			"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(contentPolicy, want) {
			t.Errorf("the policy does not say %s", want)
		}
	}
	if strings.Contains(contentPolicy, "unsafe") {
		t.Error("the policy lets what is inline run")
	}
}

func TestHost(t *testing.T) {
	r := open(t, Options{Hosts: []string{"Console.Example.org"}, Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))}})
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LOCALHOST:8427": 200, "127.0.0.1": 200, "[::1]:80": 200, "console.example.org": 200, "console.example.org.:443": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.2": 421, "console.example.org.evil.example": 421, "example.org": 421, "x@localhost": 421,
	} {
		b := r.browser("")
		b.host = host
		if status, _ := b.get("/open"); status != want {
			t.Errorf("Host: %s: %d, want %d", host, status, want)
		}
	}
	conn, err := r.browser("").client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("GET /open HTTP/1.0\r\n\r\n"))
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 421 ") {
		t.Errorf("without a Host: %q, %v", line, err)
	}
}

// Another site can neither do something nor log somebody in.
func TestCrossSite(t *testing.T) {
	r := open(t, Options{Identity: Identity{Users: users(t, usersFile(t, line("hugo", "h", "helpdesk")))}})
	b := r.browser("")
	b.login("hugo", "h")
	for _, c := range []struct {
		name, header, value string
		want                int
	}{
		{"the form of the page", "Sec-Fetch-Site", "same-origin", 200},
		{"no browser", "", "", 200},
		{"a cross-site form", "Sec-Fetch-Site", "cross-site", 403},
		{"a site of the same domain", "Sec-Fetch-Site", "same-site", 403},
		{"an old browser, cross-site", "Origin", "https://evil.example", 403},
		{"an old browser, a page from nowhere", "Origin", "null", 403},
		{"an old browser, the page", "Origin", b.url, 200},
	} {
		b.header = http.Header{}
		if c.header != "" {
			b.header.Set(c.header, c.value)
		}
		if status, _ := b.do(http.MethodPost, "/do", url.Values{}); status != c.want {
			t.Errorf("%s: %d, want %d", c.name, status, c.want)
		}
		fresh := r.browser("")
		fresh.header = b.header
		if status, _ := fresh.login("hugo", "h"); (status == http.StatusSeeOther) != (c.want == 200) || (fresh.cookie != nil) != (c.want == 200) {
			t.Errorf("%s: a login gives %d", c.name, status)
		}
	}
}

func TestOwnPath(t *testing.T) {
	for next, want := range map[string]string{
		"/rejections?q=a%20b": "/rejections?q=a%20b", "": "/", "//evil.example": "/", "https://evil.example/": "/", "/\\evil.example": "/", "javascript:alert(1)": "/",
		"/login?next=/login": "/", "/x\r\nSet-Cookie: a=b": "/", "evil": "/", "/%2f/evil": "/", "///evil": "/", "/ok#x": "/ok#x",
	} {
		if got := ownPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// Bodies have a limit, and a panic is one request's.
func TestBounds(t *testing.T) {
	say := func(w http.ResponseWriter, r *http.Request, _ policy.Person) {
		if r.ParseForm() != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}
	r := open(t, Options{
		Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))},
		Routes: []Route{
			{Pattern: "POST /small", Handle: say, Body: 100},
			{Pattern: "POST /usual", Handle: say},
			{Pattern: "GET /panic", Handle: func(http.ResponseWriter, *http.Request, policy.Person) { panic("oh") }},
		},
	})
	b := r.browser("")
	for _, c := range []struct {
		path         string
		octets, want int
	}{{"/small", 90, 200}, {"/small", 110, 413}, {"/usual", 60 << 10, 200}, {"/usual", 70 << 10, 413}} {
		if status, _ := b.do(http.MethodPost, c.path, url.Values{"x": {strings.Repeat("x", c.octets)}}); status != c.want {
			t.Errorf("%s with %d octets: %d, want %d", c.path, c.octets, status, c.want)
		}
	}
	if status, body := b.get("/panic"); status != 500 || strings.Contains(body, "oh\n") || len(r.defects) != 1 {
		t.Errorf("%d %q %v", status, body, r.defects)
	}
	if status, _ := b.get("/open"); status != 200 {
		t.Error(status)
	}
}

// The header of a proxy counts from that proxy, and from nobody else.
func TestProxy(t *testing.T) {
	roles := &Roles{Role: table(map[string]string{"anna": "admin", "bob@example.org": "user", "wrong": "king", "uid:root": "admin", "127.0.0.2": "admin"})}
	r := open(t, Options{Identity: Identity{
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, Header: "X-Remote-User", Roles: roles,
	}})
	for _, c := range []struct {
		name, from string
		header     http.Header
		want       int
		says       string
	}{
		{"the proxy", "127.0.0.2", http.Header{"X-Remote-User": {"anna"}, "X-Forwarded-For": {"203.0.113.9, 192.0.2.1"}}, 200, "anna admin <nil> console from 192.0.2.1, by its proxy"},
		{"a user", "127.0.0.2", http.Header{"X-Remote-User": {"bob@example.org"}}, 403, ""},
		{"somebody else", "127.0.0.3", http.Header{"X-Remote-User": {"anna"}}, 403, ""},
		{"the proxy for nobody", "127.0.0.2", nil, 403, ""},
		{"two names", "127.0.0.2", http.Header{"X-Remote-User": {"bob@example.org", "anna"}}, 400, ""},
		{"an empty name", "127.0.0.2", http.Header{"X-Remote-User": {""}}, 400, ""},
		{"a name with a control", "127.0.0.2", http.Header{"X-Remote-User": {"an\u200bna\u202e"}}, 400, ""},
		{"a name like a user of the host", "127.0.0.2", http.Header{"X-Remote-User": {"uid:root"}}, 400, ""},
		{"without a role", "127.0.0.2", http.Header{"X-Remote-User": {"carol"}}, 403, ""},
		{"with no role that there is", "127.0.0.2", http.Header{"X-Remote-User": {"wrong"}}, 503, ""},
		{"another header", "127.0.0.2", http.Header{"Remote-User": {"anna"}}, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := r.browser(c.from)
			b.header = c.header
			if b.header == nil {
				b.header = http.Header{}
			}
			status, says := b.get("/page")
			if status != c.want || c.says != "" && says != c.says {
				t.Errorf("%d %q, want %d %q", status, says, c.want, c.says)
			}
		})
	}
	if status, to := r.browser("127.0.0.2").get("/login"); status != http.StatusSeeOther || to != "/" {
		t.Errorf("GET /login: %d %s", status, to)
	}
	if status, _ := r.browser("127.0.0.2").login("anna", "x"); status != http.StatusNotFound {
		t.Errorf("POST /login: %d", status)
	}
}

// From an address that is not loopback nobody comes in without TLS, unless by a proxy.
func TestPrivate(t *testing.T) {
	s := &Server{Options: Options{Identity: Identity{Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}}}
	for remote, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "192.0.2.1:1": true, "192.0.2.2:1": false, "[::ffff:192.0.2.1]:7": true} {
		if got := s.private(&http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-Proto": {"https"}}}); got != want {
			t.Errorf("%s: %v", remote, got)
		}
	}
}

// And that is asked before anything else.
func TestPrivateAtTheDoor(t *testing.T) {
	r := open(t, Options{Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))}})
	for remote, want := range map[string]int{"127.0.0.1:1": http.StatusOK, "192.0.2.9:1": http.StatusForbidden} {
		request := httptest.NewRequest(http.MethodGet, "/login", nil)
		request.Host, request.RemoteAddr = "localhost", remote
		got := httptest.NewRecorder()
		r.server.Handler.ServeHTTP(got, request)
		if got.Code != want {
			t.Errorf("%s: %d, want %d", remote, got.Code, want)
		}
	}
}

// A stream ends with its session, with the client, and with the server; and there are so many.
func TestStream(t *testing.T) {
	ended := make(chan error, 100)
	follow := func(w http.ResponseWriter, r *http.Request, _ policy.Person) {
		_, _ = w.Write([]byte("data: x\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		ended <- r.Context().Err()
	}
	r := open(t, Options{
		Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))},
		Routes:   []Route{{Pattern: "GET /live", May: []policy.Role{policy.RoleAdmin}, Handle: follow, Stream: true}},
	})
	b := r.browser("")
	b.login("anna", "a")
	begin := func() *http.Response {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/live", nil)
		request.AddCookie(b.cookie)
		response, err := b.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	var open []*http.Response
	for range maxOwnStreams {
		response := begin()
		if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || line != "data: x\n" {
			t.Fatal(line, err)
		}
		open = append(open, response)
	}
	if over := begin(); over.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", over.StatusCode)
	} else {
		_ = over.Body.Close()
	}
	_ = open[0].Body.Close()
	<-ended
	b.do(http.MethodPost, "/logout", url.Values{})
	for range maxOwnStreams - 1 { // they look whether they may go on
		<-ended
	}
	for _, response := range open[1:] {
		_ = response.Body.Close()
	}
}

// A server that is to stop waits for no stream.
func TestStopStreams(t *testing.T) {
	r := open(t, Options{
		Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))},
		Routes: []Route{{Pattern: "GET /live", May: []policy.Role{policy.RoleAdmin}, Stream: true, Handle: func(w http.ResponseWriter, r *http.Request, _ policy.Person) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}}},
	})
	b := r.browser("")
	b.login("anna", "a")
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/live", nil)
	request.AddCookie(b.cookie)
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	began := time.Now()
	r.Stop(t.Context()) // without a deadline of its own: a stream that stays would hang the test
	t.Log(time.Since(began))
}

// Over TLS the cookie is one that no other host can plant, and no plain request is answered.
func TestTLS(t *testing.T) {
	lender := httptest.NewTLSServer(nil)
	defer lender.Close()
	r := open(t, Options{
		Identity:    Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))},
		Certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &lender.TLS.Certificates[0], nil },
	})
	b := r.browser("")
	b.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	b.client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	plain := b.url
	b.url = strings.Replace(plain, "http:", "https:", 1)
	if status, _ := b.login("anna", "a"); status != http.StatusSeeOther || b.cookie == nil || b.cookie.Name != "__Host-mailweir" || !b.cookie.Secure || b.cookie.Domain != "" {
		t.Errorf("%d %+v", status, b.cookie)
	}
	if status, says := b.get("/page"); status != 200 {
		t.Error(status, says)
	}
	b.url = plain
	if status, _ := b.get("/page"); status != http.StatusBadRequest {
		t.Errorf("without TLS: %d", status)
	}
}
