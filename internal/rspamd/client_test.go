package rspamd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"mailweir/internal/spamscan"
)

const text = "Subject: x\r\n\r\nhello\r\n"

func message(change ...func(*spamscan.Message)) *spamscan.Message {
	m := &spamscan.Message{Sender: "a@example.net", Recipients: []string{"b@example.org"}, Open: func() io.Reader { return strings.NewReader(text) }}
	for _, c := range change {
		c(m)
	}
	return m
}

// serve answers one connection after the other, and returns where.
func serve(t *testing.T, network, address string, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(conn)
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says reads one request and answers with these octets.
func says(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err == nil {
			_, _ = io.Copy(io.Discard, request.Body)
		}
		_, _ = io.WriteString(conn, answer)
	}
}

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// TestRequest: what is sent is the whole context, and nobody can write a header line of his own.
func TestRequest(t *testing.T) {
	got := make(chan *http.Request, 1)
	body := make(chan string, 1)
	path := filepath.Join(t.TempDir(), "s")
	serve(t, "unix", path, func(conn net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			t.Error(err)
			return
		}
		text, _ := io.ReadAll(request.Body)
		got <- request
		body <- string(text)
		_, _ = io.WriteString(conn, ok(`{"action":"no action"}`))
	})
	m := message(func(m *spamscan.Message) {
		m.Client, m.ClientName = netip.MustParseAddr("2001:db8::1"), "mail.example.net"
		m.Helo = "evil\r\nUser: admin\x00"
		m.Sender = "jörg@example.net"
		m.Recipients = []string{"b@example.org", `"c, d"@example.org`, "e@example.org\nIP: 127.0.0.1"}
		m.Login, m.QueueID, m.MTA, m.TLSVersion, m.TLSCipher = "bob", "4AbC", "mx.example.org", "TLSv1.3", "TLS_AES_256_GCM_SHA384"
	})
	if _, err := client(t, "unix:"+path).Scan(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	request := <-got
	if request.Method+" "+request.URL.Path != "POST /checkv2" || request.ContentLength != int64(len(text)) || !request.Close || <-body != text {
		t.Errorf("%s %s, length %d, close %t", request.Method, request.URL, request.ContentLength, request.Close)
	}
	want := http.Header{
		"Ip": {"2001:db8::1"}, "Hostname": {"mail.example.net"}, "Helo": {"evil??User: admin?"}, "From": {"<jörg@example.net>"},
		"Rcpt": {"<b@example.org>", `<"c, d"@example.org>`, "<e@example.org?IP: 127.0.0.1>"},
		"User": {"bob"}, "Queue-Id": {"4AbC"}, "Mta-Name": {"mx.example.org"}, "Tls-Version": {"TLSv1.3"}, "Tls-Cipher": {"TLS_AES_256_GCM_SHA384"},
		"User-Agent": {"mailweir"}, "Content-Type": {"message/rfc822"}, "Connection": {"close"}, "Content-Length": {fmt.Sprint(len(text))},
	}
	if fmt.Sprint(request.Header) != fmt.Sprint(want) {
		t.Errorf("header %v\nwant   %v", request.Header, want)
	}
}

// TestHeaderBounds: what is beyond rspamd's limit is left out and told, and nothing empty is sent.
func TestHeaderBounds(t *testing.T) {
	m := message(func(m *spamscan.Message) {
		m.Helo = strings.Repeat("h", 10_000)
		m.Recipients = nil
		for i := range 3000 {
			m.Recipients = append(m.Recipients, fmt.Sprintf("%050d@example.org", i))
		}
	})
	h, left := headers(m)
	octets := 0
	for name, values := range h {
		for _, v := range values {
			octets += len(name) + len(v) + 4
		}
	}
	if octets > 65_000 || len(h["Rcpt"])+left != 3000 || left == 0 || len(h["Helo"][0]) != maxValue {
		t.Errorf("%d octets, %d recipients and %d left, HELO of %d", octets, len(h["Rcpt"]), left, len(h["Helo"][0]))
	}
	if h, left := headers(&spamscan.Message{}); len(h) != 4 || h.Get("From") != "<>" || left != 0 {
		t.Errorf("a message of which nothing is known: %v, %d", h, left)
	}
	address := serve(t, "tcp", "127.0.0.1:0", says(ok(`{"action":"no action"}`)))
	if a, err := client(t, "http://"+address).Scan(t.Context(), m); err != nil || len(a.Left) != 1 || !strings.Contains(a.Left[0], "recipients were not told of") {
		t.Errorf("%v, left %q", err, a.Left)
	}
}

// TestAnswers: an answer counts only if it is whole, in time, and one.
func TestAnswers(t *testing.T) {
	const body = `{"action":"reject","score":20,"required_score":15}`
	for name, tt := range map[string]struct{ answer, want string }{
		"whole":                    {ok(body), ""},
		"until the end":            {"HTTP/1.1 200 OK\r\n\r\n" + body, ""},
		"in chunks":                {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body), ""},
		"chunks without end":       {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body), "ends early"},
		"shorter than it says":     {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + body, "ends early"},
		"longer than it says":      {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + body, "no JSON"},
		"torn":                     {ok(body[:30]), "no JSON"},
		"nothing":                  {"", "EOF"},
		"half a header":            {"HTTP/1.1 200 OK\r\nContent-", "malformed"},
		"rubbish":                  {"SSH-2.0-OpenSSH\r\n", "malformed"},
		"500":                      {"HTTP/1.1 500 invalid command\r\nContent-Length: 59\r\n\r\n" + `{"error":"invalid command","error_domain":"protocol-error"}`, "it answers 500 invalid command: invalid command"},
		"404, no JSON":             {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n<>", "it answers 404 Not Found"},
		"401":                      {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n<>", "usually at port 11334; its normal worker listens at 11333"},
		"redirect":                 {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "it answers 302 Found"},
		"a header without end":     {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<17), "exceeded"},
		"an answer beyond measure": {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat(" ", maxAnswer) + body, "more than"},
		"no action":                {ok(`{"score":20}`), "names no action"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, "tcp", "127.0.0.1:0", says(tt.answer))
			a, err := client(t, "http://"+address).Scan(t.Context(), message())
			switch {
			case tt.want == "" && (err != nil || a.Action != spamscan.Reject):
				t.Errorf("%v, %v", a, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, %v, want %q", a, err, tt.want)
			}
		})
	}
}

// TestHangs: who is silent is left when the time is over.
func TestHangs(t *testing.T) {
	asked := make(chan struct{})
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		close(asked)
		_, _ = io.Copy(io.Discard, conn) // until the client has gone
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := client(t, "http://"+address).Scan(ctx, message()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestUnreadable: a message that cannot be read whole is never taken for a shorter one.
func TestUnreadable(t *testing.T) {
	broken := errors.New("disk")
	cut := func(after int) func() io.Reader {
		return func() io.Reader { return io.MultiReader(strings.NewReader(text[:after]), iotest.ErrReader(broken)) }
	}
	readings := 0
	for name, open := range map[string]func() io.Reader{
		"at once":       cut(0),
		"in the middle": cut(15),
		"nothing":       func() io.Reader { return strings.NewReader("") },
		"the second time": func() io.Reader {
			if readings++; readings == 1 {
				return strings.NewReader(text)
			}
			return cut(15)()
		},
		"shorter the second time": func() io.Reader {
			if readings++; readings%2 == 1 {
				return strings.NewReader(text)
			}
			return strings.NewReader(text[:15])
		},
		"longer the second time": func() io.Reader {
			if readings++; readings%2 == 1 {
				return strings.NewReader(text)
			}
			return strings.NewReader(text + text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			readings = 0
			address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
				request, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, request.Body); err == nil {
					t.Error("the message is taken for whole")
				}
				_, _ = io.WriteString(conn, ok(`{"action":"no action"}`))
			})
			_, err := client(t, "http://"+address).Scan(t.Context(), message(func(m *spamscan.Message) { m.Open = open }))
			var unread *spamscan.ReadError
			if !errors.As(err, &unread) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestPing(t *testing.T) {
	for name, tt := range map[string]struct{ answer, want, err string }{
		"rspamd":         {"HTTP/1.1 200 OK\r\nServer: rspamd/3.4\r\nContent-Length: 6\r\n\r\npong\r\n", "rspamd/3.4", ""},
		"without a name": {ok("pong\r\n"), "rspamd", ""},
		"another server": {ok("<html>"), "", "this is no rspamd"},
		"an error":       {"HTTP/1.1 500 x\r\nContent-Length: 4\r\n\r\npong", "", "500 x"},
		"nobody":         {"", "", "EOF"},
		"the milter":     {"HTTP/1.1 200 OK\r\nServer: rspamd/2.7 (milter mode)\r\nContent-Length: 6\r\n\r\npong\r\n", "", "its normal worker listens at 11333"},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, "http://"+serve(t, "tcp", "127.0.0.1:0", says(tt.answer)))
			text, err := c.Ping(t.Context())
			if text != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:11333": "", "http://localhost": "", "http://[2001:db8::1]:11333/": "", "unix:/run/rspamd.sock": "",
		"127.0.0.1:11333": "write rspamd:", "https://h": "plain HTTP", "http://": "host and port", "unix:run/x": "no path", "unix:": "no path", "": "plain HTTP",
		"http://u:geheim@h": "no user and password", "http://h/checkv2": "host and port", "http://h?x=y": "host and port", "http://h:x": "write rspamd:",
	} {
		c, err := New(address)
		switch {
		case want == "" && (err != nil || c.Name() != "rspamd:"+address):
			t.Errorf("%s: %v", address, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim")):
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	for address, want := range map[string]bool{"http://127.0.0.1": false, "http://localhost:1": false, "http://[::1]": false, "unix:/x": false, "http://192.0.2.1": true, "http://h": true} {
		if c := client(t, address); c.InClear() != want {
			t.Errorf("%s: in clear %t", address, c.InClear())
		}
	}
	c := client(t, "http://[2001:db8::1]")
	if c.port != "11333" || c.url != "http://[2001:db8::1]" {
		t.Errorf("port %s, URL %s", c.port, c.url)
	}
}
