package ldap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	ldaplib "github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"

	"mailweir/internal/table/remote"
	"mailweir/test/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// short is a time-out that only servers reach that hang.
const short = 300 * time.Millisecond

// table opens a table of these servers.
func table(t *testing.T, servers string, lines ...string) *driver {
	t.Helper()
	file := filepath.Join(t.TempDir(), "table.cf")
	write(t, file, "server_host = "+servers+"\nsearch_base = dc=test\nquery_filter = (mail=%s)\n"+strings.Join(lines, "\n")+"\n")
	d, err := openFile(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return d.(*driver)
}

func isAnswer(err error) bool {
	var a remote.Answered
	return errors.As(err, &a)
}

// TestMisbehaviour: a server that does not answer is an error, and loses the server; with another
// one behind it that one answers.
func TestMisbehaviour(t *testing.T) {
	next := startFake(t, well("next"))
	for _, test := range misbehaviours {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bad := startFake(t, test.serve)
			alone := table(t, urls(bad.address))
			alone.timeout = short
			value, found, err := alone.Find(t.Context(), "bob@example.com")
			if err == nil || found || value != "" || isAnswer(err) {
				t.Errorf("alone: %q, %v, %v", value, found, err)
			} else if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, bad.address) {
				t.Errorf("the error does not name the server, in one line: %s", text)
			} else {
				t.Log(text)
			}
			if err := alone.Probe(t.Context()); err == nil {
				t.Error("the probe passes")
			}
			if _, _, err := alone.Inspect(t.Context()); err == nil {
				t.Error("the inspection passes")
			}
			both := table(t, urls(bad.address, next.address))
			both.timeout = short
			for range 3 {
				if got := find(t, both, "bob@example.com"); got != "next" {
					t.Errorf("with another: %q", got)
				}
			}
			if before := bad.connections.Load(); find(t, both, "bob@example.com") != "next" || bad.connections.Load() != before {
				t.Error("a server that has just failed is asked first")
			}
			if err := both.Probe(t.Context()); err != nil {
				t.Errorf("with another, the probe: %v", err)
			}
		})
	}
}

// TestSilentTLS: a server that accepts a connection and keeps silent in the handshake costs its
// time-out, and no more.
func TestSilentTLS(t *testing.T) {
	next := startFake(t, well("next"))
	silent := startFake(t, (*peer).hang)
	for _, test := range []struct{ name, servers, lines string }{
		{"ldaps", "ldaps://" + silent.address, ""},
		{"start_tls", "ldap://" + silent.address, "start_tls = yes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := table(t, test.servers, test.lines)
			d.timeout = short
			if _, _, err := d.Find(t.Context(), "bob@example.com"); err == nil || isAnswer(err) {
				t.Errorf("error %v", err)
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("not a time-out: %v", err)
			}
			if test.lines == "" {
				both := table(t, test.servers+" "+urls(next.address))
				both.timeout = short
				if got := find(t, both, "bob@example.com"); got != "next" {
					t.Errorf("with another: %q", got)
				}
			}
		})
	}
}

// TestWrongPassword: it is not tried again and again, which would lock the account in many
// directories.
func TestWrongPassword(t *testing.T) {
	f := startFake(t, func(p *peer) { p.bind(49) })
	d := table(t, urls(f.address), "bind_dn = cn=x", "bind_pw = wrong")
	for range 10 {
		if _, _, err := d.Find(t.Context(), "bob"); err == nil || isAnswer(err) || !strings.Contains(err.Error(), "bind as cn=x") {
			t.Errorf("error %v", err)
		}
		if d.Probe(t.Context()) == nil {
			t.Error("the probe passes")
		}
	}
	if n := f.connections.Load(); n != 1 {
		t.Errorf("%d attempts", n)
	}
	d.servers[0].refused.Store(&refusal{until: time.Now()})
	if d.Probe(t.Context()) == nil || f.connections.Load() != 2 {
		t.Error("it is not tried again later")
	}
}

// TestTimeIsShared: with little time left, the second server is still asked.
func TestTimeIsShared(t *testing.T) {
	next := startFake(t, well("next"))
	silent := startFake(t, (*peer).hang)
	d := table(t, urls(silent.address, next.address), "timeout = 3600")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if value, _, err := d.Find(ctx, "bob"); value != "next" {
		t.Errorf("%q, %v", value, err)
	}
}

// TestShares: of 7 seconds an idle connection has what a new one can do without, and several
// servers have equal shares.
func TestShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		for _, test := range []struct {
			name string
			got  time.Duration
			want time.Duration
		}{
			{"one server", share(ctx, 1), 7 * time.Second},
			{"the first of two", share(ctx, 2), 3500 * time.Millisecond},
			{"idle, one server", spare(ctx, 1), 5500 * time.Millisecond},
			{"idle, six servers", spare(ctx, 6), time.Second},
			{"no deadline", share(t.Context(), 3), math.MaxInt64},
		} {
			if test.got != test.want {
				t.Errorf("%s: %v, want %v", test.name, test.got, test.want)
			}
		}
		time.Sleep(5 * time.Second)
		if got := spare(ctx, 1); got != time.Second {
			t.Errorf("idle, little time left: %v", got)
		}
	})
}

// TestLostConnection: what a server closes while it is idle costs no question.
func TestLostConnection(t *testing.T) {
	for _, test := range []struct {
		name  string
		serve func(*peer)
	}{
		{"closed after an answer", func(p *peer) {
			if p.bind(0) {
				p.answer(fmt.Sprint("v", p.count))
			}
		}},
		{"closed with a notice", func(p *peer) {
			if p.bind(0) {
				p.answer(fmt.Sprint("v", p.count))
				p.say(result(0, ldaplib.ApplicationExtendedResponse, 52))
			}
		}},
		{"closed at the next question", func(p *peer) {
			if p.bind(0) {
				p.answer(fmt.Sprint("v", p.count))
				p.request()
			}
		}},
		{"refuses the next question", func(p *peer) {
			if p.bind(0) {
				p.answer(fmt.Sprint("v", p.count))
				id, _ := p.request()
				p.say(result(id, ldaplib.ApplicationSearchResultDone, ldaplib.LDAPResultOperationsError))
				p.hang()
			}
		}},
		{"silent at the next question", func(p *peer) {
			if p.bind(0) {
				p.answer(fmt.Sprint("v", p.count))
				p.request()
				p.hang()
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, test.serve)
			d := table(t, urls(f.address))
			d.timeout = short
			for i := 1; i <= 3; i++ {
				if got, want := find(t, d, "bob"), fmt.Sprint("v", i); got != want {
					t.Errorf("question %d: %q, want %q", i, got, want)
				}
			}
		})
	}
}

// TestErrorsWithEntries: entries that come with an error are not looked at, and the server is not
// lost.
func TestErrorsWithEntries(t *testing.T) {
	for code := range map[int64]bool{1: true, 3: true, 4: true, 10: true, 11: true, 32: true, 34: true, 50: true, 53: true, 80: true} {
		f := startFake(t, func(p *peer) {
			p.bind(0)
			id, _ := p.request()
			p.say(entry(id, "some"))
			p.say(result(id, ldaplib.ApplicationSearchResultDone, code))
			p.request()
		})
		d := table(t, urls(f.address))
		value, found, err := d.Find(t.Context(), "bob")
		if value != "" || found || !isAnswer(err) {
			t.Errorf("code %d: %q, %v, %v", code, value, found, err)
		}
	}
}

// TestTooMuch: a server that never ends is an error for the key, within bounded memory.
func TestTooMuch(t *testing.T) {
	f := startFake(t, func(p *peer) {
		if p.bind(0) {
			id, _ := p.request()
			for one := entry(id, strings.Repeat("x", 10_000)); ; {
				if _, err := p.Write(one); err != nil {
					return
				}
			}
		}
	})
	d := table(t, urls(f.address))
	if _, found, err := d.Find(t.Context(), "bob"); found || !isAnswer(err) || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("%v, %v", found, err)
	}
}

// TestManyAtOnce asks from many sides, while connections are lost.
func TestManyAtOnce(t *testing.T) {
	var questions atomic.Int32
	f := startFake(t, func(p *peer) {
		if p.bind(0) {
			for p.answer("yes") && questions.Add(1)%10 != 0 {
			}
		}
	})
	d := table(t, urls(f.address))
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			for range 20 {
				// A connection may be closed while the question is on its way, twice.
				if value, _, err := d.Find(t.Context(), "bob"); value != "yes" && err == nil {
					t.Errorf("%q, %v", value, err)
				}
			}
		})
	}
	wait.Wait()
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	if n := len(d.pool.idle); n > maxConnections {
		t.Errorf("%d connections are kept", n)
	}
}

// TestLeaving: who leaves gets no answer, and takes nobody else's with him.
func TestLeaving(t *testing.T) {
	asked := make(chan struct{}, 1)
	f := startFake(t, func(p *peer) {
		p.bind(0)
		if p.count > 1 {
			for p.answer("yes") {
			}
			return
		}
		p.request()
		asked <- struct{}{}
		p.hang()
	})
	d := table(t, urls(f.address))
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := d.Find(ctx, "bob")
		done <- err
	}()
	<-asked
	if got := find(t, d, "ann"); got != "yes" {
		t.Errorf("somebody else: %q", got)
	}
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if d.servers[0].avoid.Load() != 0 {
		t.Error("the server is blamed for it")
	}
}

// TestClose: what is asked when the table is closed does not keep its connection.
func TestClose(t *testing.T) {
	f := startFake(t, well("yes"))
	d := table(t, urls(f.address))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if got := find(t, d, "bob"); got != "yes" {
		t.Errorf("%q", got)
	}
	if len(d.pool.idle) != 0 {
		t.Error("a connection is kept")
	}
}

// TestNoQuestion: keys that the templates or the domains exclude cost no question.
func TestNoQuestion(t *testing.T) {
	f := startFake(t, func(p *peer) { p.t.Error("somebody connects") })
	d := table(t, urls(f.address), "domain = example.com", "result_format = %2")
	for _, key := range []string{"bob", "@example.com", "bob@other.example", "bob@", "\xff@example.com"} {
		if got := find(t, d, key); got != notFound {
			t.Errorf("%q: %q", key, got)
		}
	}
}

// TestRestart stops slapd and starts it again.
func TestRestart(t *testing.T) {
	slapd := testbed.StartSlapd(t, "dn: cn=a,dc=test\nobjectClass: mailThing\nmail: a@a.example\nmaildrop: a\n\n")
	d := table(t, urls(slapd.Address))
	expect := func(a, nobody string) {
		t.Helper()
		if got := find(t, d, "a@a.example"); got != a {
			t.Errorf("a: %q, want %q", got, a)
		}
		if got := find(t, d, "nobody@a.example"); got != nobody {
			t.Errorf("nobody: %q, want %q", got, nobody)
		}
	}
	expect("a", notFound)
	if err := slapd.Stop(); err != nil {
		t.Fatal(err)
	}
	expect(failure, failure)
	if d.Probe(t.Context()) == nil {
		t.Error("the probe passes")
	}
	slapd.Start()
	if err := d.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	expect("a", notFound)
}
