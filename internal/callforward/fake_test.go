package callforward

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/backend"
	"mailweir/internal/state"
)

// fake is a server that lies, tears its answers or hangs: what the real ones in peers_test.go do
// not.
type fake struct {
	listener net.Listener
	connects atomic.Int32
	sessions sync.WaitGroup

	mu    sync.Mutex
	lines []string // every command
	conns []net.Conn

	// What it says; a reply may be several lines by |, an empty one is silence, and "close" closes
	// and "hang" says nothing any more.
	greeting, ehlo string
	mail, rset     string
	rcpt           func(path string) string
	session        func(net.Conn) // instead of all these
}

func newFake(t *testing.T, change func(*fake)) *fake {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{
		listener: listener, greeting: "220 fake.example ESMTP", ehlo: "250-fake.example|250 PIPELINING", mail: "250 ok", rset: "250 ok",
		rcpt: func(path string) string {
			if strings.HasPrefix(path, "<bob@") {
				return "250 2.1.5 ok"
			}
			return "550 5.1.1 " + path + " unknown"
		},
	}
	if change != nil {
		change(f)
	}
	f.sessions.Go(f.serve)
	t.Cleanup(f.stop)
	return f
}

func (f *fake) stop() {
	_ = f.listener.Close()
	f.mu.Lock()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.sessions.Wait()
}

func (f *fake) serve() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.connects.Add(1)
		f.mu.Lock()
		f.conns = append(f.conns, c)
		f.mu.Unlock()
		f.sessions.Go(func() {
			defer c.Close()
			if f.session != nil {
				f.session(c)
				return
			}
			f.speak(c)
		})
	}
}

// say writes a reply; false ends the session.
func say(c io.Writer, text string) bool {
	if text == "close" {
		return false
	}
	text, closes := strings.CutSuffix(text, "|close")
	if text != "" {
		_, _ = io.WriteString(c, strings.ReplaceAll(text, "|", "\r\n")+"\r\n")
	}
	return !closes
}

func (f *fake) speak(c net.Conn) {
	if !say(c, f.greeting) {
		return
	}
	in := bufio.NewScanner(c)
	for in.Scan() {
		line := in.Text()
		f.mu.Lock()
		f.lines = append(f.lines, line)
		f.mu.Unlock()
		answer := f.reply(line)
		if answer == "hang" {
			_, _ = io.Copy(io.Discard, c)
			return
		}
		if !say(c, answer) {
			return
		}
	}
}

func (f *fake) reply(line string) string {
	switch verb, rest, _ := strings.Cut(line, " "); verb {
	case "EHLO", "LHLO", "HELO":
		return f.ehlo
	case "MAIL":
		return f.mail
	case "RCPT":
		return f.rcpt(strings.TrimPrefix(rest, "TO:"))
	case "RSET":
		return f.rset
	case "QUIT":
		return "221 bye"
	}
	return "500 what?"
}

// commands returns the commands so far that begin so.
func (f *fake) commands(verb string) (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.lines {
		if strings.HasPrefix(line, verb) {
			list = append(list, line)
		}
	}
	return list
}

func (f *fake) source() string { return f.listener.Addr().String() }

// told is what an observer has heard.
type told struct {
	mu    sync.Mutex
	lines []string
	heard chan struct{} // one for each line, as far as it has room
}

func (o *told) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
	select {
	case o.heard <- struct{}{}:
	default:
	}
}

func (o *told) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}

// wait waits until a line has been heard.
func (o *told) wait(t *testing.T, line string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for !slices.Contains(o.all(), line) {
		select {
		case <-o.heard:
		case <-late:
			t.Fatalf("%q has not been told, only %q", line, o.all())
		}
	}
}

func (o *told) observer() *backend.Observer {
	return &backend.Observer{
		Down:      func(string, error) { o.add("down") },
		Up:        func(string) { o.add("up") },
		Suspended: func(_, domain, why string) { o.add("suspended " + domain + ": " + why) },
	}
}

// asker is a Server under test.
type asker struct {
	*Server
	t *testing.T
	told
	store state.Store
}

func open(t *testing.T, kind, source string, store state.Store) *asker {
	t.Helper()
	return openWithin(t, 0, kind, source, store)
}

func openWithin(t *testing.T, deadline time.Duration, kind, source string, store state.Store) *asker {
	t.Helper()
	a := &asker{t: t, store: store, told: told{heard: make(chan struct{}, 100)}}
	if a.store == nil {
		a.store = state.NewMemory(time.Now, 1000)
		t.Cleanup(func() { _ = a.store.Close() })
	}
	var err error
	a.Server, err = Open(Options{Kind: kind, Source: source, Store: a.store, Observer: a.observer(), deadline: deadline})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// untested has the domain count as tested, for who does not want to see the random name.
func (a *asker) untested(domain string) *asker {
	a.domains.startTest(domain)
	return a
}

func (a *asker) ask(to string) (bool, string, error) {
	return a.Server.Ask(a.t.Context(), address.Parse(to), true)
}

// want asks, and wants yes, no, or an error with the words.
func (a *asker) want(to, want string) {
	a.t.Helper()
	found, said, err := a.ask(to)
	got := map[bool]string{true: "yes", false: "no"}[found]
	if err != nil {
		got = err.Error()
	}
	if got != want && (err == nil || !strings.Contains(got, want)) {
		a.t.Errorf("%s: %s (%s), want %s", to, got, said, want)
	}
}
