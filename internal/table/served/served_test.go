package served

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/table/remote"
)

// peer is a server that answers each question with the octets that the test says; "" hangs up.
type peer struct {
	net.Listener
	reply func(question string) string

	mu          sync.Mutex
	questions   []string
	connections int
	open        map[net.Conn]bool
}

// readQuestion reads what a client sends: a netstring, or a line.
func readQuestion(r *bufio.Reader) (string, error) {
	first, err := r.Peek(1)
	if err != nil {
		return "", err
	}
	if first[0] >= '0' && first[0] <= '9' {
		return readNetstring(r, maxSocketmapQuery+100)
	}
	text, err := r.ReadString('\n')
	return strings.TrimSuffix(text, "\n"), err
}

func serve(t *testing.T, network, address string, reply func(question string) string) *peer {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Listener: l, reply: reply, open: map[net.Conn]bool{}}
	t.Cleanup(p.stop)
	go p.accept()
	return p
}

func (p *peer) accept() {
	for {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.connections++
		p.open[conn] = true
		p.mu.Unlock()
		go p.answer(conn)
	}
}

func (p *peer) answer(conn net.Conn) {
	defer func() {
		p.mu.Lock()
		delete(p.open, conn)
		p.mu.Unlock()
		_ = conn.Close()
	}()
	r := bufio.NewReader(conn)
	for {
		question, err := readQuestion(r)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.questions = append(p.questions, question)
		reply := p.reply
		p.mu.Unlock()
		text := reply(question)
		if _, err := conn.Write([]byte(text)); err != nil || text == "" {
			return
		}
	}
}

// hangUp closes every connection, as a server does that is started again.
func (p *peer) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.open = map[net.Conn]bool{}
}

func (p *peer) stop() {
	_ = p.Close()
	p.hangUp()
}

func (p *peer) asked() (questions []string, connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.questions, p.connections
}

func netstring(text string) string { return fmt.Sprintf("%d:%s,", len(text), text) }

func open(t *testing.T, kind remote.Kind, source string) remote.Driver {
	t.Helper()
	d, err := remote.Open(kind, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func find(t *testing.T, d remote.Driver, key string) (string, bool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return d.Find(ctx, key)
}

// outcome is an answer as one word: what was found, or what went wrong.
func outcome(value string, found bool, err error) string {
	switch {
	case errors.As(err, new(remote.Answered)):
		return "answered: " + err.Error()
	case err != nil:
		return "lost: " + err.Error()
	case found:
		return "found " + value
	}
	return "not found"
}

const hungUp = "lost: the server has closed the connection in place of an answer"

func TestSocketmapAnswers(t *testing.T) {
	long := strings.Repeat("x", maxSocketmapReply)
	for name, c := range map[string]struct{ reply, want string }{
		"found":               {netstring("OK some value"), "found some value"},
		"found more spaces":   {netstring("OK  a "), "found  a "},
		"longest":             {netstring("OK " + long[3:]), "found " + long[3:]},
		"empty":               {netstring("OK "), "answered: the value is empty; a server should say that there is no entry"},
		"not found":           {netstring("NOTFOUND "), "not found"},
		"not found, bare":     {netstring("NOTFOUND"), "not found"},
		"temporary":           {netstring("TEMP database\ndown"), "answered: the server says TEMP: database?down"},
		"timeout":             {netstring("TIMEOUT slow"), "answered: the server says TIMEOUT: slow"},
		"permanent":           {netstring("PERM no such map"), "answered: the server says PERM: no such map"},
		"unknown":             {netstring("ok value"), `lost: unexpected answer "ok value"`},
		"nothing":             {netstring(""), `lost: unexpected answer ""`},
		"too long":            {netstring("OK " + long), "lost: the answer is longer than 100000 octets"},
		"hangs up":            {"", hungUp},
		"torn length":         {"12", "torn"},
		"torn data":           {"12:OK", "torn"},
		"no comma":            {"4:OK a;", "lost: the answer is no netstring: there is no comma at its end"},
		"another protocol":    {"HTTP/1.0 400\r\n", `lost: the answer is no netstring: it begins with "H"`},
		"no length":           {":OK,", "lost: the answer is no netstring: it has no length"},
		"endless length":      {strings.Repeat("0", 50) + ":,", `lost: the answer is no netstring: it begins with "00000000000"`},
		"a NUL in the value":  {netstring("OK a\x00b"), "lost: the value has a NUL octet"},
		"a secret for a log?": {netstring("TEMP \x1b[31m" + strings.Repeat("é", 200)), "answered: the server says TEMP: ?[31m" + strings.Repeat("é", 97) + "..."},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, "tcp", "127.0.0.1:0", nil)
			p.reply = func(string) string {
				if c.want == "torn" {
					defer time.AfterFunc(10*time.Millisecond, p.hangUp)
				}
				return c.reply
			}
			want := c.want
			if want == "torn" {
				want = hungUp
			}
			if got := outcome(find(t, open(t, Socketmap(), "inet:"+p.Addr().String()+":users"), "a@b.example")); got != want {
				t.Errorf("%.200s, want %.200s", got, want)
			}
			if questions, _ := p.asked(); len(questions) != 1 || questions[0] != "users a@b.example" {
				t.Errorf("asked %q", questions)
			}
		})
	}
}

func TestTCPAnswers(t *testing.T) {
	for name, c := range map[string]struct{ reply, want string }{
		"found":               {"200 some%20value%0aand%C3%bc more\n", "found some value\nandü more"},
		"another 2xx":         {"299\tx\n", "found x"},
		"empty":               {"200 \n", "answered: the value is empty; a server should say that there is no entry"},
		"not found":           {"500 no such entry\n", "not found"},
		"temporary":           {"400 database%0adown\n", "answered: the server says 400 database%0adown"},
		"longest":             {"200 " + strings.Repeat("x", maxLine-5) + "\n", "found " + strings.Repeat("x", maxLine-5)},
		"too long":            {"200 " + strings.Repeat("x", maxLine-4) + "\n", "lost: the answer is longer than 4096 octets"},
		"another code":        {"300 x\n", `lost: unexpected answer "300 x"`},
		"no code":             {"hello\n", `lost: unexpected answer "hello"`},
		"code alone":          {"500\n", `lost: unexpected answer "500"`},
		"with a return":       {"500\r\n", "not found"},
		"not quoted well":     {"200 100%\n", `lost: unexpected answer "200 100%": a % is not followed by two hexadecimal digits`},
		"not hexadecimal":     {"500 %zz\n", `lost: unexpected answer "500 %zz": a % is not followed by two hexadecimal digits`},
		"a NUL in the value":  {"200 a%00b\n", `lost: unexpected answer "200 a%00b": it has a NUL octet`},
		"hangs up":            {"", hungUp},
		"an empty line":       {"\n", `lost: unexpected answer ""`},
		"control in an error": {"400 \x1b[31m\n", "answered: the server says 400 ?[31m"},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, "tcp", "127.0.0.1:0", func(string) string { return c.reply })
			if got := outcome(find(t, open(t, TCP(), p.Addr().String()), "ü %@b.example")); got != c.want {
				t.Errorf("%.200s, want %.200s", got, c.want)
			}
			if questions, _ := p.asked(); len(questions) != 1 || questions[0] != "get %C3%BC%20%25@b.example" {
				t.Errorf("asked %q", questions)
			}
		})
	}
}

// TestUnixSocket: and the name of a table is what stands behind the last colon.
func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "a:b")
	serve(t, "unix", socket, func(q string) string { return netstring("OK <" + q + ">") })
	if got := outcome(find(t, open(t, Socketmap(), "unix:"+socket+":users"), "k")); got != "found <users k>" {
		t.Error(got)
	}
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	if got := outcome(find(t, open(t, Socketmap(), "unix:"+socket+":users"), "k")); !strings.HasPrefix(got, "lost: dial unix "+socket) {
		t.Error(got)
	}
}

// TestConnectionsAreKept: one question after the other goes over one connection, and a server that
// was started again between two of them is not noticed.
func TestConnectionsAreKept(t *testing.T) {
	p := serve(t, "tcp", "127.0.0.1:0", func(string) string { return "200 x\n" })
	d := open(t, TCP(), p.Addr().String())
	want := func(connections int) {
		t.Helper()
		if got := outcome(find(t, d, "k")); got != "found x" {
			t.Error(got)
		}
		if _, n := p.asked(); n != connections {
			t.Errorf("%d connections, want %d", n, connections)
		}
	}
	want(1)
	want(1)
	p.hangUp()
	want(2)
	want(2)
}

// TestMoreThanAsked: a server that says more than it was asked must not have the rest taken for the
// answer to the next question.
func TestMoreThanAsked(t *testing.T) {
	p := serve(t, "tcp", "127.0.0.1:0", func(q string) string {
		return "200 " + strings.TrimPrefix(q, "get ") + "\n500 this is too much\n"
	})
	d := open(t, TCP(), p.Addr().String())
	for _, key := range []string{"a", "b", "c"} {
		if got := outcome(find(t, d, key)); got != "found "+key {
			t.Errorf("%s: %s", key, got)
		}
	}
	// What comes later than the answer is seen before the connection is used again.
	p.mu.Lock()
	p.reply = func(q string) string { return "200 " + strings.TrimPrefix(q, "get ") + "\n" }
	p.mu.Unlock()
	if got := outcome(find(t, d, "d")); got != "found d" {
		t.Error(got)
	}
	p.mu.Lock()
	for conn := range p.open {
		_, _ = conn.Write([]byte("500 late\n"))
	}
	p.mu.Unlock()
	if got := outcome(find(t, d, "e")); got != "found e" {
		t.Error(got)
	}
}

func TestEndsWithTheContext(t *testing.T) {
	arrived := make(chan struct{})
	done := make(chan struct{})
	p := serve(t, "tcp", "127.0.0.1:0", func(string) string { close(arrived); <-done; return "" })
	t.Cleanup(func() { close(done) })
	d := open(t, TCP(), p.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, found, err := d.Find(ctx, "k"); found || !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, %v", found, err)
	}
	if n := len(d.(*server).idle); n != 0 {
		t.Errorf("%d connections are kept on which an answer is due", n)
	}
}

func TestProbeAndInspect(t *testing.T) {
	for reply, alive := range map[string]bool{"200 x\n": true, "500 x\n": true, "400 x\n": true, "": false, "rubbish\n": false} {
		p := serve(t, "tcp", "127.0.0.1:0", func(string) string { return reply })
		d := open(t, TCP(), p.Addr().String())
		if err := d.Probe(t.Context()); (err == nil) != alive {
			t.Errorf("%q: %v", reply, err)
		}
		text, remarks, err := d.Inspect(t.Context())
		if works := alive && reply[0] != '4'; (err == nil) != works || (text != "") != works || len(remarks) > 0 {
			t.Errorf("%q: %q, %q, %v", reply, text, remarks, err)
		}
		if questions, _ := p.asked(); questions[0] != "get mailweir@probe.invalid" {
			t.Errorf("asked %q", questions)
		}
	}
	far := &server{protocol: line{}, network: "tcp", address: "192.0.2.1:9"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, remarks, _ := far.Inspect(ctx); len(remarks) != 1 || remarks[0] != "keys and answers go to 192.0.2.1:9 in clear text" {
		t.Errorf("remarks %q", remarks)
	}
}

func TestWrongSources(t *testing.T) {
	const socketmap = "want socketmap:inet:HOST:PORT:NAME or unix:/PATH:NAME, where NAME is what the server calls the table"
	for _, c := range []struct {
		kind         remote.Kind
		source, want string
	}{
		{Socketmap(), "users", socketmap},
		{Socketmap(), "inet:localhost:1234:", socketmap},
		{Socketmap(), "localhost:1234:users", socketmap},
		{Socketmap(), "inet:1234:users", `"1234" is not HOST:PORT; ` + socketmap},
		{Socketmap(), "inet::1234:users", `":1234" is not HOST:PORT; ` + socketmap},
		{Socketmap(), "unix:private/x:users", `the socket "private/x" is not a whole path; Postfix looks for it below its queue directory, such as /var/spool/postfix/private/x`},
		{TCP(), "1234", `"1234" is not HOST:PORT; want tcp:HOST:PORT`},
		{TCP(), "::1:1234", `"::1:1234" is not HOST:PORT; want tcp:HOST:PORT`},
	} {
		if _, err := remote.Open(c.kind, c.source); err == nil || err.Error() != c.want {
			t.Errorf("%s:%s: %v, want %s", c.kind.Name, c.source, err, c.want)
		}
	}
	for kind, source := range map[string]remote.Kind{"inet:[::1]:1234:users": Socketmap(), "[::1]:1234": TCP(), "localhost:smtp": TCP()} {
		if _, err := remote.Open(source, kind); err != nil {
			t.Error(err)
		}
	}
}

func TestLongKey(t *testing.T) {
	p := serve(t, "tcp", "127.0.0.1:0", func(string) string { return netstring("OK x") })
	d := open(t, Socketmap(), "inet:"+p.Addr().String()+":users")
	if got := outcome(find(t, d, strings.Repeat("k", maxSocketmapQuery+1))); got != "answered: the key is longer than 10000 octets" {
		t.Error(got)
	}
	if got := outcome(find(t, d, strings.Repeat("k", maxSocketmapQuery))); got != "found x" {
		t.Error(got)
	}
}
