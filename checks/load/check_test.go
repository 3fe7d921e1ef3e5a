package load

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

func TestLoadSessions(t *testing.T) {
	const refused = "helo 421 4.3.2 Unable to process connection at this time"
	for _, c := range []struct {
		name string
		open int
		mail policytest.Letter
		flag string
		said string
	}{
		{name: "at the limit", open: 10},
		{name: "above", open: 11, said: refused},
		{name: "trusted, in the reserve", open: 12, mail: policytest.Letter{Client: "127.0.0.1"}},
		{name: "trusted, above the reserve", open: 13, mail: policytest.Letter{Client: "127.0.0.1"}, said: refused},
		{name: "submission, in the reserve", open: 12, mail: policytest.Letter{Door: "587", Login: "alice"}},
		{name: "local submission", open: 100, mail: policytest.Letter{Client: "none"}},
		{name: "monitored", open: 11, flag: "--load=monitor"},
		{name: "pilot", open: 11, flag: "--enforce-for=inline:{nobody@ours.example=x}", said: refused},
		{name: "off", open: 11, flag: "--load=off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := policytest.NewWorld()
			world.Connections = func() int { return c.open }
			flags := []string{"--load-sessions=10"}
			if c.flag != "" {
				flags = append(flags, c.flag)
			}
			p, err := policytest.Only(Check).Build(world, flags...)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if c.name == "monitored" {
				want = "load would_refuse"
			}
			policytest.Scenario{Mail: c.mail, Said: c.said, Events: want}.Check(t, p)
		})
	}
}

// Once a connection: a client that is within a session is served to its end.
func TestLoadOnce(t *testing.T) {
	world := policytest.NewWorld()
	open := 10
	world.Connections = func() int { return open }
	p, err := policytest.Only(Check).Build(world, "--load-sessions=10")
	if err != nil {
		t.Fatal(err)
	}
	h := policytest.NewHost(t, world, p)
	s := h.Runner.NewSession()
	s.Connect(policytest.Letter{}.Connect())
	if a := s.Helo(policy.HeloFacts{Name: "one"}); a.Refuses() {
		t.Error(a.Line)
	}
	open = 1000
	if a := s.Helo(policy.HeloFacts{Name: "after STARTTLS"}); a.Refuses() {
		t.Error(a.Line)
	}
	h.Leave(s)
}

func TestLoadMemory(t *testing.T) {
	p, err := policytest.Only(Check).Build(policytest.NewWorld(), "--load-memory=1")
	if err != nil {
		t.Fatal(err)
	}
	seen := policytest.Scenario{Said: "helo 421 4.3.2 Unable to process connection at this time"}.Check(t, p)
	if cause := seen[0].Cause; !strings.Contains(cause, "octets of memory in use, limit 1") {
		t.Error(cause)
	}
}

func TestPercentile(t *testing.T) {
	buckets := []float64{0, .001, .01, .1, math.Inf(1)}
	for _, c := range []struct {
		counts, before []uint64
		want           time.Duration
	}{
		{[]uint64{0, 0, 0, 0}, nil, 0},
		{[]uint64{99, 0, 1, 0}, nil, time.Millisecond},
		{[]uint64{98, 0, 2, 0}, nil, 100 * time.Millisecond},
		{[]uint64{98, 0, 2, 0}, []uint64{0, 0, 2, 0}, time.Millisecond},
		{[]uint64{0, 0, 0, 5}, nil, 100 * time.Millisecond},
	} {
		if got := percentile(buckets, c.counts, c.before); got != c.want {
			t.Errorf("%v since %v: %s, want %s", c.counts, c.before, got, c.want)
		}
	}
}

// What was long ago says nothing about now.
func TestWaitsForget(t *testing.T) {
	w := &waits{longest: time.Minute, began: policytest.Noon}
	if got := w.recent(policytest.Noon.Add(span / 2)); got < time.Minute {
		t.Errorf("within the span: %s", got)
	}
	w.recent(policytest.Noon.Add(3 * span))
	if got := w.recent(policytest.Noon.Add(3*span + time.Second)); got >= time.Minute {
		t.Errorf("afterwards: %s", got)
	}
}

// One message at a time is examined: a second waits for its place at its end, never before, and is
// deferred when there is none within 20 s.
func TestLoadScans(t *testing.T) {
	const deferred = "451 4.3.0 Unable to process email at this time"
	synctest.Test(t, func(t *testing.T) {
		scanned := make(chan struct{})
		scanner := policytest.Scripted("scanner", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) {
				<-scanned
				return policy.Pass, nil
			}), nil
		}})
		p, err := policytest.Only(Check, scanner).Build(policytest.NewWorld(), "--load-scans=1")
		if err != nil {
			t.Fatal(err)
		}
		h := policytest.NewHost(t, nil, p)
		first, second := h.Runner.NewSession(), h.Runner.NewSession()
		begin := func(s *policytest.Session) {
			s.Connect(policytest.Letter{}.Connect())
			s.Helo(policy.HeloFacts{Name: "client"})
			s.Mail(policytest.Letter{}.Mail())
			s.Rcpt(policy.RcptFacts{Recipient: "user@ours.example"})
			s.EndOfHeaders()
			s.Body([]byte("hello"))
		}
		end := func(s *policytest.Session, want string, wantWait time.Duration) {
			started := time.Now()
			if a := s.EndOfMessage(""); a.Line.String() != want {
				t.Errorf("answer %q, want %q", a.Line, want)
			}
			if waited := time.Since(started); waited != wantWait {
				t.Errorf("the end waited %s, want %s", waited, wantWait)
			}
		}
		begin(first)
		go end(first, "", admitWithin+time.Second)
		synctest.Wait()
		started := time.Now()
		begin(second)
		if waited := time.Since(started); waited > 0 {
			t.Errorf("waited %s before the end of the message", waited)
		}
		end(second, deferred, admitWithin)
		begin(second)
		time.AfterFunc(time.Second, func() { close(scanned) })
		end(second, "", time.Second)
		synctest.Wait()
		h.Leave(first)
		h.Leave(second)
	})
}
