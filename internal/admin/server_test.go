package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type question struct{ Name string }

// hello is an operation that does what it is asked to.
func hello(f *policy.Flags) {
	greeting := f.String("greeting", "hello", "TEXT", "what is said")
	run := func(_ context.Context, c *policy.Call, q question) (string, error) {
		switch q.Name {
		case "":
			return "", policy.Wrongf("a name is needed")
		case "broken":
			return "", errors.New("the store is broken")
		case "panic":
			panic("oh")
		case "away":
			return "", state.ErrDown
		}
		c.Altered(q.Name, "", "greeted")
		return *greeting + " " + q.Name + " by " + c.By.Name + " " + c.Why + " " + c.For.String() + " " + c.Delimiter, nil
	}
	request := func(*policy.Flags) func([]string) (question, error) {
		return func(args []string) (question, error) { return question{args[0]}, nil }
	}
	show := func(out io.Writer, answer string) error {
		_, err := io.WriteString(out, answer+"\n")
		return err
	}
	f.Operations("Greet people",
		policy.NewOperation(policy.About{Name: "hello", Effect: policy.Enters}, request, run, show),
		policy.NewOperation(policy.About{Name: "look", Quiet: true}, policy.Unasked,
			func(context.Context, *policy.Call, policy.Nothing) (policy.Nothing, error) {
				return policy.Nothing{}, nil
			}, nil),
	)
}

// newService returns a service with that operation, and the audit that it keeps.
func newService(t *testing.T) (*Service, *[]Record) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags := policy.NewFlags(set, "greet")
	hello(flags)
	if err := set.Parse([]string{"--greet-greeting=good day"}); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	var records []Record
	return &Service{
		Backends: &policy.Backends{State: state.NewMemory(now, 10), Clock: now}, Offer: func() Offer { return Offer{flags.Offered(), "+"} },
		Own: Operations("memory:"), Audit: func(r Record) { records = append(records, r) },
	}, &records
}

// serving starts a server for the service and returns where.
func serving(t *testing.T, s *Service) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "c.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(l, s)
	server.Start()
	t.Cleanup(func() { server.Stop(context.Background()) })
	return path
}

func connect(t *testing.T, path string) *Client {
	c := NewClient(path)
	t.Cleanup(c.Close)
	return c
}

func asked(name string) Request {
	body, _ := json.Marshal(question{name})
	return Request{Operation: "greet/hello", Why: "as\nasked", For: time.Hour, Body: body}
}

// Over the socket and without it an operation is the same, and what goes wrong is of the same kind.
func TestDo(t *testing.T) {
	service, records := newService(t)
	me := Local(os.Getuid(), fromSocket)
	client := connect(t, serving(t, service))
	for _, way := range []struct {
		name string
		do   func(Request) (json.RawMessage, error)
	}{
		{"over the socket", func(r Request) (json.RawMessage, error) { return client.Do(t.Context(), r) }},
		{"here", func(r Request) (json.RawMessage, error) { return service.Do(t.Context(), me, r) }},
	} {
		t.Run(way.name, func(t *testing.T) {
			answer, err := way.do(asked("you"))
			if want := "good day you by " + me.Name + " as asked 1h0m0s +"; err != nil || strings.TrimSpace(string(answer)) != `"`+want+`"` {
				t.Errorf("%s, %v, want %s", answer, err, want)
			}
			var wrong *policy.WrongError
			if _, err := way.do(asked("")); !errors.As(err, &wrong) || wrong.Text != "a name is needed" {
				t.Errorf("a wrong request: %v", err)
			}
			var away *UnavailableError
			if _, err := way.do(asked("broken")); err == nil || errors.As(err, &wrong) || errors.As(err, &away) || err.Error() != "the store is broken" {
				t.Errorf("a defect: %v", err)
			}
			if _, err := way.do(asked("panic")); err == nil || !strings.Contains(err.Error(), "panic: oh") {
				t.Errorf("a panic: %v", err)
			}
			if _, err := way.do(asked("away")); !errors.As(err, &away) || away.Text != state.ErrDown.Error() {
				t.Errorf("what is unavailable: %v", err)
			}
			var unknown *UnknownError
			if _, err := way.do(Request{Operation: "greet/nobody", Body: json.RawMessage("{}")}); !errors.As(err, &unknown) {
				t.Errorf("what is not there: %v", err)
			}
			if _, err := way.do(Request{Operation: "greet/hello", Body: json.RawMessage("[]")}); !errors.As(err, &wrong) {
				t.Errorf("what is malformed: %v", err)
			}
			over := asked("you")
			over.For = -time.Second
			if _, err := way.do(over); !errors.As(err, &wrong) {
				t.Errorf("a time that is over: %v", err)
			}
		})
	}
	r := (*records)[0]
	if r.Operation != "greet/hello" || r.Person != me || r.Why != "as asked" || !r.Until.Equal(service.Backends.Clock().Add(time.Hour)) ||
		len(r.Changes) != 1 || r.Changes[0] != (policy.Alteration{What: "you", After: "greeted"}) || r.Err != "" {
		t.Errorf("the audit has %+v", r)
	}
	if r := (*records)[1]; r.Err != "a name is needed" || r.Changes != nil {
		t.Errorf("the audit of what was wrong has %+v", r)
	}
}

// Who may not is told so, and the operation does not run.
func TestDenied(t *testing.T) {
	service, records := newService(t)
	service.May = func(_ policy.Person, op policy.Operation, _ []byte, _ string) error {
		if op.Effect != policy.Looks {
			return errors.New("only look")
		}
		return nil
	}
	client := connect(t, serving(t, service))
	var denied *DeniedError
	if _, err := client.Do(t.Context(), asked("you")); !errors.As(err, &denied) || denied.Text != "only look" {
		t.Errorf("%v", err)
	}
	if err := client.Ask(t.Context(), "greet/look", policy.Nothing{}, &policy.Nothing{}); err != nil {
		t.Errorf("%v", err)
	}
	if len(*records) != 2 || (*records)[0].Err != "only look" || (*records)[0].Changes != nil || (*records)[1].Err != "" {
		t.Errorf("the audit has %+v", *records)
	}
}

func TestAuditLog(t *testing.T) {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, DisableTimestamp: true})
	audit := LogAudit(log)
	audit(Record{
		Operation: "tempblock/add", Person: policy.Person{Name: "bob", UID: 7, From: fromSocket}, Why: "a \x1b[31mflood",
		Until: time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC), Changes: []policy.Alteration{{What: "192.0.2.1", After: "blocked"}, {What: "x", Before: "y"}},
	})
	audit(Record{Operation: "state/read", quiet: true})
	audit(Record{Operation: "reload", Err: "it is wrong"})
	want := `level=info msg="run-time command" by=bob changed="192.0.2.1: none → blocked; x: y → none" command=tempblock/add from="control socket" ` +
		`note="a \x1b[31mflood" uid=7 until="2026-11-23T13:00:00Z"` + "\n" +
		`level=warning msg="run-time command" by= command=reload error="it is wrong" from= uid=0` + "\n"
	if out.String() != want {
		t.Errorf("%s\nwant %s", out.String(), want)
	}
}

// A command and a daemon of different versions tell it, and neither waits for the other.
func TestOtherVersions(t *testing.T) {
	service, _ := newService(t)
	path := serving(t, service)
	t.Run("an older command", func(t *testing.T) {
		old := connect(t, path)
		answer, err := old.http.Post("http://mailweir/greet/hello", "application/json", strings.NewReader(`{"Name":"you"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var f failure
		if err := json.NewDecoder(answer.Body).Decode(&f); err != nil || answer.StatusCode != http.StatusNotFound || !strings.Contains(f.Error, "another version") {
			t.Errorf("%s, %+v, %v", answer.Status, f, err)
		}
	})
	t.Run("an older daemon", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "c.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /greet/hello", func(http.ResponseWriter, *http.Request) { t.Error("it is carried out") })
		server := &http.Server{Handler: mux}
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(l) }()
		defer func() { _ = server.Close(); <-done }()
		var unknown *UnknownError
		if _, err := connect(t, path).Do(t.Context(), asked("you")); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "another version") {
			t.Errorf("%v", err)
		}
	})
	t.Run("something that does not answer", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "c.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		var away *UnavailableError
		if _, err := connect(t, path).Do(ctx, asked("you")); !errors.As(err, &away) {
			t.Errorf("%v", err)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		if _, err := connect(t, path+"x").Do(t.Context(), asked("you")); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%v", err)
		}
	})
}

// What is no POST is answered as such, wherever it goes, and carries nothing out.
func TestOtherMethods(t *testing.T) {
	service, records := newService(t)
	client := connect(t, serving(t, service)).http
	for _, tt := range []struct{ method, path string }{
		{"GET", "/v1/greet/hello"},
		{"GET", "/"},
		{"GET", "/metrics"},
		{"HEAD", "/v1/greet/hello"},
		{"PUT", "/v1/greet/hello"},
		{"DELETE", "/v1/greet/nobody"},
		{"OPTIONS", "/v2/greet/hello"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, "http://mailweir"+tt.path, strings.NewReader(`{"request":{"Name":"you"}}`))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "POST" {
			t.Errorf("%s %s: %s, Allow %q", tt.method, tt.path, answer.Status, answer.Header.Get("Allow"))
		}
		if tt.method != "HEAD" && !strings.Contains(string(body), "every operation is a POST") {
			t.Errorf("%s %s: %q", tt.method, tt.path, body)
		}
	}
	if len(*records) != 0 {
		t.Errorf("carried out: %+v", *records)
	}
}

// pipes is a listener whose connections a test hands over.
type pipes struct {
	once  sync.Once
	conns chan net.Conn
	ended chan struct{}
	count atomic.Int32 // of those accepted
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		p.count.Add(1)
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.UnixAddr{} }

// At most so many connections are served at once; one more is taken when one of them ends.
func TestConnections(t *testing.T) {
	service, _ := newService(t)
	synctest.Test(t, func(t *testing.T) {
		const beyond = 10
		l := &pipes{conns: make(chan net.Conn, maxConnections+beyond), ended: make(chan struct{})}
		server := NewServer(l, service)
		server.Start()
		var held []net.Conn
		for range maxConnections + beyond {
			ours, theirs := net.Pipe()
			l.conns <- theirs
			held = append(held, ours)
		}
		for i, conn := range held {
			synctest.Wait()
			// One waits, accepted already, for its place.
			if got, want := int(l.count.Load()), min(maxConnections+1+i, len(held)); got != want {
				t.Errorf("%d connections taken after %d have ended, want %d", got, i, want)
			}
			_ = conn.Close()
		}
		server.Stop(t.Context())
	})
}

// What is larger than any request is not read.
func TestLargeRequest(t *testing.T) {
	service, records := newService(t)
	r := asked(strings.Repeat("x", maxRequest))
	var wrong *policy.WrongError
	if _, err := connect(t, serving(t, service)).Do(t.Context(), r); !errors.As(err, &wrong) || len(*records) != 0 {
		t.Errorf("%v", err)
	}
}

func TestSocketPath(t *testing.T) {
	for address, want := range map[string]string{"unix:/run/x": "/run/x", "/run/x": "", "unix:x": "", "inet:127.0.0.1:1": ""} {
		got, err := SocketPath(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("SocketPath(%q) = %q, %v", address, got, err)
		}
	}
}

// explain reads by these what the daemon remembers.
func TestStateOperations(t *testing.T) {
	service, _ := newService(t)
	if _, err := service.Backends.State.Do(t.Context(), state.Put(state.Key("space", "a"), []byte("b"), time.Hour)); err != nil {
		t.Fatal(err)
	}
	client := connect(t, serving(t, service))
	var where string
	if err := client.Ask(t.Context(), StateWhere, policy.Nothing{}, &where); err != nil || where != "memory:" {
		t.Errorf("%q, %v", where, err)
	}
	var answer state.Answer
	if err := client.Ask(t.Context(), StateRead, state.Question{Prefix: []byte(state.Prefix("space")), Limit: 10}, &answer); err != nil || len(answer.Rows) != 1 {
		t.Errorf("%+v, %v", answer, err)
	}
	raw, err := client.Do(t.Context(), Request{Operation: "state/stats", Body: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	op, _ := find(service.Own, "state/stats")
	var out strings.Builder
	if err := op.Show(&out, raw); err != nil || !strings.HasPrefix(out.String(), "SPACE") || !strings.Contains(out.String(), "space") {
		t.Errorf("%q, %v", out.String(), err)
	}
}
