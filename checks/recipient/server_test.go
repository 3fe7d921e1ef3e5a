package recipient

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/recipients"
	"mailweir/internal/resource"
	"mailweir/internal/table"
	"mailweir/internal/table/tabletest"
)

// server is a next server that knows who exists.
type server struct {
	mu        sync.Mutex
	exists    []string
	asked     []string
	fails     error
	suspended string
	silent    bool
	asks      netip.AddrPort // as which client it is itself asked
}

func (s *server) Ask(ctx context.Context, to address.Address, _ bool) (bool, string, error) {
	s.mu.Lock()
	s.asked = append(s.asked, to.Original)
	exists, fails, silent := slices.Contains(s.exists, to.Key()), s.fails, s.silent
	s.mu.Unlock()
	if silent {
		<-ctx.Done()
		return false, "", ctx.Err()
	}
	if exists {
		return true, "250 2.1.5 Ok", fails
	}
	return false, "550 5.1.1 User unknown", fails
}

func (s *server) Ours(client netip.AddrPort, helo string) bool {
	return client == s.asks || helo == "probe.label"
}

func (s *server) Suspended(domain string) string { return s.Suspensions()[domain] }

func (s *server) Suspensions() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.suspended == "" {
		return nil
	}
	return map[string]string{"ours.example": s.suspended}
}

func (s *server) Inspect(context.Context, []string) (string, []string, error) {
	return "Postfix", nil, nil
}

// change changes the server while it is in use.
func (s *server) change(how func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s)
}

func (s *server) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// site is a world with servers smtp:a, smtp:b and dovecot:a, and tables test:NAME.
type site struct {
	*policytest.Host
	a, b, dovecot server
	tables        tabletest.Tables
}

func newSite(t *testing.T, flags ...string) *site {
	t.Helper()
	return newSiteOf(t, rig(), flags...)
}

func newSiteOf(t *testing.T, rig policytest.Rig, flags ...string) *site {
	t.Helper()
	s, world, now := new(site), policytest.NewWorld(), new(policytest.Clock)
	world.Clock = now.Time
	world.Mailboxes = s.open
	world.Tables = func(_ *resource.Holder, kind, source string) (table.Waiting, error) {
		return s.tables.Open(kind, source)
	}
	p, err := rig.Build(world, flags...)
	if err != nil {
		t.Fatal(err)
	}
	p.Ready(t.Context())
	s.Host = policytest.NewHost(t, world, p)
	s.Now = now
	return s
}

// open opens the servers.
func (s *site) open(_ *resource.Holder, kind, source string) (policy.Mailboxes, error) {
	switch kind + ":" + source {
	case "smtp:a":
		return &s.a, nil
	case "smtp:b":
		return &s.b, nil
	case "dovecot:a":
		return &s.dovecot, nil
	case "smtp:":
		return nil, errors.New("no host")
	}
	return nil, nil
}

// says sends mail to one recipient and compares what is said.
func (s *site) says(t *testing.T, recipient, want string) policytest.Sent {
	t.Helper()
	got := s.Send(to(recipient))
	if said := strings.Join(got.Said, "\n"); said != want {
		t.Errorf("%s: said %q, want %q", recipient, said, want)
	}
	return got
}

func TestServer(t *testing.T) {
	s := newSite(t, "--recipient-source=*=smtp:a")
	s.a.exists = []string{"bob@ours.example", "bob+known@ours.example"}
	s.says(t, "bob@ours.example", "")
	got := s.says(t, "Eve@ours.example", refused)
	if want := `"eve@ours.example": smtp:a: no such address: 550 5.1.1 User unknown (asked 2026-11-23 12:00:00)`; got.Events[0].Cause != want {
		t.Errorf("cause %q, want %q", got.Events[0].Cause, want)
	}
	s.says(t, "bob+known@ours.example", "")
	s.says(t, "bob+other@ours.example", refused) // the server knows what it does with extensions
	s.says(t, "bob@ours.example", "")
	s.says(t, "eve@ours.example", refused)
	if want := []string{"bob@ours.example", "Eve@ours.example", "bob+known@ours.example", "bob+other@ours.example"}; !slices.Equal(s.a.questions(), want) {
		t.Errorf("asked %q, want %q", s.a.questions(), want)
	}
}

// Dovecot's user database knows no extensions.
func TestServerWithoutExtensions(t *testing.T) {
	s := newSite(t, "--recipient-source=*=dovecot:a")
	s.dovecot.exists = []string{"bob@ours.example"}
	s.says(t, "bob+news@ours.example", "")
	s.says(t, "eve+news@ours.example", refused)
	if want := []string{"bob+news@ours.example", "bob@ours.example", "eve+news@ours.example", "eve@ours.example"}; !slices.Equal(s.dovecot.questions(), want) {
		t.Errorf("asked %q, want %q", s.dovecot.questions(), want)
	}
	// What is remembered of the address as it is, is not the whole answer.
	s.says(t, "bob+news@ours.example", "")
	got := s.says(t, "eve+news@ours.example", refused)
	if want := `"eve+news@ours.example": dovecot:a: no such address: 550 5.1.1 User unknown (asked 2026-11-23 12:00:00)`; got.Events[0].Cause != want {
		t.Errorf("cause %q, want %q", got.Events[0].Cause, want)
	}
	s.says(t, "bob@ours.example", "")
	if n := len(s.dovecot.questions()); n != 4 {
		t.Errorf("%d questions, want 4", n)
	}
	s.After(recipients.NoFor)
	s.says(t, "bob+news@ours.example", "")
}

// A server that cannot tell never makes a refusal, whatever --recipient-on-error says; what it has
// said before still counts where it has said yes.
func TestServerFails(t *testing.T) {
	for flag, want := range map[string]string{"--recipient-on-error=defer": later, "--recipient-on-error=accept": ""} {
		s := newSite(t, "--recipient-source=*=smtp:a", flag)
		s.a.exists = []string{"bob@ours.example"}
		s.says(t, "bob@ours.example", "")
		s.says(t, "eve@ours.example", refused)
		s.a.change(func(a *server) { a.fails = errors.New("smtp:a: connection refused") })
		s.After(2 * time.Hour)
		s.says(t, "bob@ours.example", "")
		got := s.says(t, "eve@ours.example", want)
		e := got.Events[0]
		if !strings.Contains(e.Err, "smtp:a: connection refused") || (e.Action == policy.ActionDeferred) != (want != "") {
			t.Errorf("%s: event %s %q", flag, e.Action, e.Err)
		}
		if want != "" && (e.Reply != "recipient-unavailable" || e.Row != "T11") {
			t.Errorf("event of %s, %s", e.Reply, e.Row)
		}
		s.After(8 * 24 * time.Hour)
		s.says(t, "bob@ours.example", want)
	}
}

func TestSeveralSources(t *testing.T) {
	yes, no, silent := []string{"bob@ours.example"}, []string{}, errors.New("no answer")
	for _, c := range []struct {
		name       string
		a, b       []string
		aErr, bErr error
		want       string
	}{
		{name: "both no", a: no, b: no, want: refused},
		{name: "one yes", a: no, b: yes},
		{name: "the other yes", a: yes, b: no},
		{name: "one no, one silent", a: no, bErr: silent, want: later},
		{name: "one silent, one no", aErr: silent, b: no, want: later},
		{name: "one silent, one yes", aErr: silent, b: yes},
		{name: "both silent", aErr: silent, bErr: silent, want: later},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, "--recipient-source=ours.example=smtp:a", "--recipient-source=ours.example=smtp:b")
			s.a.exists, s.b.exists, s.a.fails, s.b.fails = c.a, c.b, c.aErr, c.bErr
			s.says(t, "bob@ours.example", c.want)
		})
	}
}

// What is in memory is asked first: a yes there spares the question.
func TestMemoryFirst(t *testing.T) {
	s := newSite(t, "--recipient-source=ours.example=smtp:a", "--recipient-source=ours.example=inline:{bob@ours.example=x}")
	s.a.fails = errors.New("no answer")
	s.says(t, "bob@ours.example", "")
	if len(s.a.questions()) > 0 {
		t.Errorf("asked %q", s.a.questions())
	}
	s.says(t, "eve@ours.example", later)
}

// A server that is used for nothing refuses nobody, and no other source does: those whom it alone
// knows are in none of them.
func TestSuspended(t *testing.T) {
	s := newSite(t, "--recipient-source=ours.example=smtp:a")
	s.a.suspended = "accepts every address"
	s.says(t, "eve@ours.example", "")
	if len(s.a.questions()) > 0 {
		t.Errorf("asked %q", s.a.questions())
	}
	var told []string
	for range 2 {
		s.Runner.Tick(t.Context())
	}
	for _, e := range s.Taken() {
		told = append(told, e.Err)
	}
	if want := []string{"smtp:a is used for nothing for ours.example: accepts every address"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}

	for _, other := range []string{"inline:{bob@ours.example=x}", "smtp:b", "test:a"} {
		flag := "--recipient-source=ours.example=" + other
		for _, flags := range [][]string{{"--recipient-source=ours.example=smtp:a", flag}, {flag, "--recipient-source=ours.example=smtp:a"}} {
			s = newSite(t, flags...)
			s.b.exists = []string{"bob@ours.example"}
			s.tables.Table("a").Put("bob@ours.example", "x")
			s.says(t, "eve@ours.example", refused)
			s.a.change(func(a *server) { a.suspended = "accepts every address" })
			s.says(t, "eve@ours.example", "")
			s.says(t, "bob@ours.example", "")
			s.a.change(func(a *server) { a.suspended = "" })
			s.says(t, "eve@ours.example", refused)
		}
	}
}

// A question of ours that comes back to us is not asked again, and not refused: by the yes the
// server finds out that it asks itself.
func TestOurselves(t *testing.T) {
	s := newSite(t, "--recipient-source=*=smtp:a")
	s.a.asks = netip.MustParseAddrPort("192.0.2.1:25252") // that of every letter
	s.says(t, "bob@ours.example", "")
	if len(s.a.questions()) > 0 {
		t.Errorf("asked %q", s.a.questions())
	}
	s = newSite(t, "--recipient-source=*=smtp:a")
	if said := s.Visit(policytest.Letter{Helo: "probe.label"}); len(said) > 0 || len(s.a.questions()) > 0 {
		t.Errorf("by the label: said %q, asked %q", said, s.a.questions())
	}
}

// Tables that wait: their answers, and that they fail.
func TestTableThatWaits(t *testing.T) {
	s := newSite(t, "--recipient-source=*=test:a")
	one := s.tables.Table("a").Put("bob@ours.example", "bob/").Put("wrong@ours.example", "REJECT")
	s.says(t, "bob+x@ours.example", "")
	s.says(t, "eve@ours.example", refused)
	s.says(t, "wrong@ours.example", later)
	one.Fail(errors.New("server down"))
	s.says(t, "bob@ours.example", later)
	s.says(t, "eve@ours.example", later)
	s.says(t, "postmaster@ours.example", "")
	one.Fail(nil)
	s.says(t, "eve@ours.example", refused)

	s = newSite(t, "--recipient-source=*=test:a", "--recipient-on-error=accept")
	s.tables.Table("a").Fail(errors.New("server down"))
	got := s.says(t, "eve@ours.example", "")
	if lines := policytest.Lines(got.Events); !slices.Equal(lines, []string{"recipient check_error"}) {
		t.Errorf("events %q", lines)
	}
}

// Under monitor and for a trial nobody waits, and what would be said is recorded.
func TestMonitor(t *testing.T) {
	s := newSite(t, "--recipient-source=*=smtp:a", "--recipient=monitor")
	s.says(t, "eve@ours.example", "")
	s.a.change(func(a *server) { a.fails = errors.New("no answer") })
	got := s.says(t, "mallory@ours.example", "")
	if lines := policytest.Lines(got.Events); !slices.Equal(lines, []string{"recipient would_refuse"}) {
		t.Errorf("events %q", lines)
	}
}

// A server that does not answer is waited for within the deadline, and then the mail is deferred.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "--recipient-source=*=smtp:a")
		s.a.silent = true
		began := time.Now()
		s.says(t, "bob@ours.example", later)
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// One that hangs leaves the others their time.
func TestSilentServerBesideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "--recipient-source=*=smtp:a", "--recipient-source=*=smtp:b")
		s.a.silent, s.b.exists = true, []string{"bob@ours.example"}
		s.says(t, "bob@ours.example", "")
	})
}

// While nobody knows which domains are local, nobody is refused permanently.
func TestLocalDomainsFail(t *testing.T) {
	s := new(site)
	world := policytest.NewWorld()
	world.Tables = func(_ *resource.Holder, kind, source string) (table.Waiting, error) {
		return s.tables.Open(kind, source)
	}
	p, err := rig().BuildBare(world, "--local-domains=test:locals", "--recipient-source=*=send-only", "--recipient-source=ours.example=send-only")
	if err != nil {
		t.Fatal(err)
	}
	h := policytest.NewHost(t, world, p)
	s.tables.Table("locals").Fail(errors.New("server down"))
	for _, recipient := range []string{"bob@ours.example", "bob@far.example"} {
		if said := h.Visit(to(recipient)); strings.Join(said, "") != "rcpt 451 4.7.1 Internal resource temporarily unavailable" {
			t.Errorf("%s: %q", recipient, said)
		}
	}
}

// Explain shows what was asked and answered, also where the mail passes.
func TestExplain(t *testing.T) {
	s := newSite(t, "--recipient-source=*=smtp:a", "--recipient-source=*=inline:{bob@ours.example=bob/}")
	found := s.Objections(to("eve@ours.example"))
	if len(found) != 1 || !strings.Contains(found[0].Cause, "smtp:a: no such address: 550 5.1.1 User unknown") || !strings.Contains(found[0].Cause, "; not in inline:") {
		t.Fatalf("%+v", found)
	}
}
