package logins

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mailweir/internal/backend"
	"mailweir/internal/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bob is what is asked about.
var bob = policy.Login{Client: netip.MustParseAddr("192.0.2.1"), Name: "bob"}

// judge blocks mallory and keeps what it is told.
type judge struct {
	mu     sync.Mutex
	told   []string
	events chan *policy.Event
}

func (j *judge) Record(e *policy.Event) error {
	if e.Check != "auth" {
		return errors.New("no login")
	}
	j.events <- e
	return nil
}

func (j *judge) Ask(_ context.Context, l policy.Login) Answer {
	if l.Name == "mallory" {
		return Answer{Blocked: true, Cause: l.Client.String() + " is blocked"}
	}
	return Answer{}
}

func (j *judge) Tell(_ context.Context, l policy.Login, o policy.LoginOutcome) {
	j.mu.Lock()
	defer j.mu.Unlock()
	outcome := "failed"
	if o.Succeeded {
		outcome = "succeeded"
	}
	if o.Again {
		outcome += " again"
	}
	j.told = append(j.told, l.Client.String()+" "+l.Name+" "+outcome)
}

// serve answers at a socket until the function that it returns is called.
func serve(t *testing.T, socket string, j Judge) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(l, j)
	s.Start()
	return func() { s.Stop(context.Background()) }
}

func TestAskAndTell(t *testing.T) {
	socket, j := filepath.Join(t.TempDir(), "s"), &judge{}
	defer serve(t, socket, j)()
	c := NewClient(socket, nil)
	defer c.Close()
	if blocked, _, err := c.Ask(t.Context(), bob); blocked || err != nil {
		t.Error(blocked, err)
	}
	mallory := policy.Login{Client: netip.MustParseAddr("::ffff:192.0.2.2"), Name: "mallory"}
	if blocked, cause, err := c.Ask(t.Context(), mallory); !blocked || cause != "192.0.2.2 is blocked" || err != nil {
		t.Error(blocked, cause, err)
	}
	c.Tell(t.Context(), bob, policy.LoginOutcome{Succeeded: true})
	c.Tell(t.Context(), bob, policy.LoginOutcome{})
	c.Tell(t.Context(), bob, policy.LoginOutcome{Again: true})
	c.Tell(t.Context(), policy.Login{Client: bob.Client, Name: strings.Repeat("x", maxLogin+1)}, policy.LoginOutcome{})
	want := []string{"192.0.2.1 bob succeeded", "192.0.2.1 bob failed", "192.0.2.1 bob failed again", "192.0.2.1  failed"}
	if !slices.Equal(j.told, want) || c.Dropped() != 0 {
		t.Errorf("%q, want %q; %d dropped", j.told, want, c.Dropped())
	}
}

// While the milter is away questions fail, what is told is counted as dropped, and the log has it
// once; a milter that has been started again is found again.
func TestMilterAway(t *testing.T) {
	socket, j := filepath.Join(t.TempDir(), "s"), &judge{}
	said, up := make(chan string, 10), make(chan struct{}, 1)
	c := NewClient(socket, func(o backend.Options) backend.Options {
		o.OnDown = func(error) { said <- "down" }
		o.OnUp = func() { said <- "up"; up <- struct{}{} }
		return o
	})
	defer c.Close()
	for range 3 {
		if blocked, _, err := c.Ask(t.Context(), bob); blocked || !errors.Is(err, backend.ErrUnavailable) {
			t.Error(blocked, err)
		}
		c.Tell(t.Context(), bob, policy.LoginOutcome{})
	}
	if n := c.Dropped(); n != 3 {
		t.Errorf("%d dropped, want 3", n)
	}
	stop := serve(t, socket, j)
	<-up
	for range 2 {
		if _, _, err := c.Ask(t.Context(), bob); err != nil {
			t.Error(err)
		}
		stop() // the connection that is kept is closed
		stop = serve(t, socket, j)
	}
	stop()
	close(said)
	var all []string
	for s := range said {
		all = append(all, s)
	}
	if !slices.Equal(all, []string{"down", "up"}) {
		t.Errorf("said %q", all)
	}
}

// The socket takes questions and reports, and nothing else.
func TestNothingElse(t *testing.T) {
	socket, j := filepath.Join(t.TempDir(), "s"), &judge{}
	defer serve(t, socket, j)()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", path, `{"client":"192.0.2.1","login":"bob"}`, 200},
		{"POST", path, `{}`, 200},
		{"POST", path, `{"client":"192.0.2.1","outcome":"blocked"}`, 400},
		{"POST", path, `{"client":"nobody"}`, 400},
		{"POST", path, `{"login":"` + strings.Repeat("x", maxLogin+1) + `"}`, 400},
		{"POST", path, `{"login":"` + strings.Repeat("x", maxMessage) + `"}`, 400},
		{"POST", path, `x`, 400},
		{"POST", eventPath, `{"check":"hops"}`, 400},
		{"POST", eventPath, `{"check":"auth","cause":"` + strings.Repeat("x", maxEvent) + `"}`, 400},
		{"POST", eventPath, `x`, 400},
		{"GET", eventPath, ``, 405},
		{"GET", path, ``, 405},
		{"POST", "/v1/tempblock/add", `{}`, 404},
		{"POST", "/v2/login", `{}`, 404},
	} {
		r, err := http.NewRequest(c.method, "http://x"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s %s %.60s: %s, want %d", c.method, c.path, c.body, response.Status, c.want)
		}
	}
	if len(j.told) > 0 {
		t.Errorf("told %q", j.told)
	}
}
