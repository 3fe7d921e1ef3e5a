package callforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/backend"
	"mailweir/internal/state"
)

// TestBareRefusals count only where the server has accepted somebody of the domain.
func TestBareRefusals(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.rcpt = func(path string) string {
			if strings.HasPrefix(path, "<bob@ours.example") {
				return "250 ok"
			}
			return "550 relay not permitted"
		}
	})
	store := state.NewMemory(time.Now, 1000)
	defer store.Close()
	a := open(t, "smtp", f.source(), store).untested("ours.example").untested("other.example")
	a.want("nobody@ours.example", errUnproven.Error())
	a.want("bob@ours.example", "yes")
	a.want("nobody@ours.example", "no")
	a.want("nobody@other.example", errUnproven.Error())
	again := open(t, "smtp", f.source(), store).untested("ours.example")
	again.want("nobody@ours.example", "no") // another process with the same state
}

// TestBareRefusalWithoutState cannot be told.
func TestBareRefusalWithoutState(t *testing.T) {
	f := newFake(t, func(f *fake) { f.rcpt = func(string) string { return "550 no" } })
	down := state.NewView(func(context.Context, state.Question) (state.Answer, error) { return state.Answer{}, errors.New("gone") })
	a := open(t, "smtp", f.source(), down).untested("ours.example")
	a.want("nobody@ours.example", "whether it has accepted anybody: "+state.ErrDown.Error())
}

func acceptAll(string) string { return "250 ok" }

// TestAcceptsAll: a server that accepts a random name is used for nothing, for that domain, until
// it refuses one again.
func TestAcceptsAll(t *testing.T) {
	var mended atomic.Bool
	f := newFake(t, func(f *fake) {
		f.rcpt = func(path string) string {
			if strings.HasSuffix(path, "@catchall.example>") && !mended.Load() || strings.HasPrefix(path, "<bob@") {
				return "250 ok"
			}
			return "550 5.1.1 no"
		}
	})
	store := state.NewMemory(time.Now, 1000)
	defer store.Close()
	a := open(t, "smtp", f.source(), store)
	a.want("bob@catchall.example", "yes") // it is found out behind this one
	a.wait(t, "suspended catchall.example: "+acceptsAll)
	if _, _, err := a.ask("carol@catchall.example"); !errors.Is(err, ErrSuspended) {
		t.Errorf("asked once more: %v", err)
	}
	a.want("bob@ours.example", "yes")
	a.want("nobody@ours.example", "no")
	if a.Suspended("ours.example") != "" || a.Suspensions()["catchall.example"] != acceptsAll {
		t.Errorf("suspended for %v", a.Suspensions())
	}

	again := open(t, "smtp", f.source(), store) // knows it from the state
	again.want("dave@catchall.example", ErrSuspended.Error())
	if _, found, err := store.Get(t.Context(), again.domains.key("accepted", "catchall.example")); found || err != nil {
		t.Errorf("that it accepts everybody counts as having accepted somebody: %v", err)
	}
	mended.Store(true)
	again.domains.endTest("catchall.example", 0)
	if again.Suspended("catchall.example") == "" { // and tries in the background
		t.Error("it is used again without having refused anybody")
	}
	again.wait(t, "suspended catchall.example: ")
	again.want("dave@catchall.example", "no")
}

// TestTests: one random name an hour, and none for a refusal.
func TestTests(t *testing.T) {
	f := newFake(t, nil)
	a := open(t, "smtp", f.source(), nil)
	a.want("nobody@ours.example", "no")
	a.want("bob@ours.example", "yes")
	a.work.Wait()
	a.want("bob@ours.example", "yes")
	a.work.Wait()
	if n := len(f.commands("RCPT")); n != 4 {
		t.Errorf("%q: want one random name", f.commands("RCPT"))
	}
	if n := f.connects.Load(); n != 2 {
		t.Errorf("%d connections, want one for the random name alone", n)
	}
}

// TestItself: our own question that comes back is recognised by its port, and by the name in EHLO.
func TestItself(t *testing.T) {
	for _, by := range []string{"port", "name"} {
		t.Run(by, func(t *testing.T) {
			var a *asker
			f := newFake(t, func(f *fake) {
				f.session = func(c net.Conn) {
					client := netip.MustParseAddrPort(c.RemoteAddr().String())
					old := &fake{greeting: "220 us", mail: "250 ok", rset: "250 ok", ehlo: "250 us"}
					old.rcpt = func(string) string {
						helo := strings.TrimPrefix(old.commands("EHLO")[0], "EHLO ")
						if by == "name" {
							client = netip.MustParseAddrPort("192.0.2.9:4711") // translated
						} else {
							helo = "x"
						}
						if !a.Ours(client, helo) {
							t.Error("not recognised")
						}
						return "250 ok"
					}
					old.speak(c)
				}
			})
			a = open(t, "smtp", f.source(), nil)
			a.want("bob@ours.example", isUs)
			if a.Suspended("ours.example") != isUs {
				t.Error("it goes on asking itself")
			}
			if a.Ours(netip.MustParseAddrPort("127.0.0.1:1"), "mx.example") || a.Ours(netip.AddrPort{}, "") {
				t.Error("untrusted clients are taken for us")
			}
		})
	}
}

// TestRefusals: a connection carries nine of them.
func TestRefusals(t *testing.T) {
	f := newFake(t, nil)
	a := open(t, "smtp", f.source(), nil)
	for i := range mostRefusals {
		a.want(fmt.Sprintf("nobody%d@ours.example", i), "no")
	}
	if n := f.connects.Load(); n != 1 {
		t.Errorf("%d connections for %d refusals", n, mostRefusals)
	}
	a.want("nobody@ours.example", "no")
	if n := f.connects.Load(); n != 2 {
		t.Errorf("%d connections after one more", n)
	}
}

// TestRenew: a connection is left when it is old, however busy, and when somebody has changed
// something.
func TestRenew(t *testing.T) {
	f := newFake(t, nil)
	a := open(t, "smtp", f.source(), nil).untested("ours.example")
	a.want("bob@ours.example", "yes")
	a.want("nobody@ours.example", "no")
	a.Renew()
	a.want("bob@ours.example", "yes")
	if n := f.connects.Load(); n != 2 {
		t.Errorf("%d connections, want a new one", n)
	}
	kept := &a.peer.(*mailServer).idle
	kept.mu.Lock()
	kept.conns[0].opened = time.Now().Add(-idleFor)
	kept.mu.Unlock()
	a.want("bob@ours.example", "yes")
	a.want("bob@ours.example", "yes")
	if n := f.connects.Load(); n != 3 {
		t.Errorf("%d connections, want another one", n)
	}
}

// TestUnasked: what an idle connection says is no answer to the next question.
func TestUnasked(t *testing.T) {
	for name, unasked := range map[string]string{"a reply": "250 ok\r\n250 ok\r\n250 ok\r\n", "421": "421 4.4.2 timeout\r\n", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, nil)
			a := open(t, "smtp", f.source(), nil).untested("ours.example")
			a.want("bob@ours.example", "yes")
			f.mu.Lock()
			_, _ = io.WriteString(f.conns[0], unasked)
			_ = f.conns[0].Close()
			f.mu.Unlock()
			a.want("nobody@ours.example", "no")
			if n := f.connects.Load(); n != 2 {
				t.Errorf("%d connections, want a new one", n)
			}
			if a.breaker.Lost(0) != nil {
				t.Error("a connection that was left counts as a server that is down")
			}
		})
	}
}

// TestDown: the next question does not wait for a server that is down, and it is asked again when
// it is back.
func TestDown(t *testing.T) {
	f := newFake(t, nil)
	source := f.source()
	f.stop()
	a := open(t, "smtp", source, nil).untested("ours.example")
	a.want("bob@ours.example", "connection refused")
	if _, _, err := a.ask("bob@ours.example"); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("asked again: %v", err)
	}
	listener, err := net.Listen("tcp", source)
	if err != nil {
		t.Skip(err) // somebody else has the port
	}
	back := &fake{listener: listener, greeting: "220 x", ehlo: "250 x", mail: "250 ok", rset: "250 ok", rcpt: acceptAll}
	back.sessions.Go(back.serve)
	defer back.stop()
	a.wait(t, "up")
	a.want("bob@ours.example", "yes")
	if got := strings.Join(a.all(), ","); got != "down,up" {
		t.Errorf("told %s", got)
	}
}

// TestLeaves: who no longer waits does not hold the question up, and Close ends it.
func TestLeaves(t *testing.T) {
	f := newFake(t, func(f *fake) { f.rcpt = func(string) string { return "hang" } })
	a := open(t, "smtp", f.source(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, _, err := a.Server.Ask(ctx, address.Parse("bob@ours.example"), true); !errors.Is(err, context.Canceled) {
		t.Errorf("left: %v", err)
	}
	done := make(chan error)
	go func() {
		_, _, err := a.Server.Ask(context.Background(), address.Parse("bob@ours.example"), true)
		done <- err
	}()
	time.AfterFunc(50*time.Millisecond, func() { _ = a.Close() })
	if err := <-done; err == nil {
		t.Error("a question is answered that was not")
	}
	a.want("bob@ours.example", errClosed.Error())
}

func TestUTF8(t *testing.T) {
	f := newFake(t, nil)
	a := open(t, "smtp", f.source(), nil).untested("ours.example")
	a.want("bücher@ours.example", errUTF8.Error())
	g := newFake(t, func(f *fake) { f.ehlo = "250-x|250-SMTPUTF8|250 PIPELINING"; f.rcpt = acceptAll })
	b := open(t, "smtp", g.source(), nil).untested("ours.example")
	b.want("bücher@ours.example", "yes")
	if got := strings.Join(g.commands("")[1:3], ","); got != "MAIL FROM:<> SMTPUTF8,RCPT TO:<bücher@ours.example>" {
		t.Errorf("said %s", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, test := range []struct{ kind, source, want string }{
		{"lmtp", "mx.example", "the port is missing"},
		{"smtp", "::1", "stands in brackets"},
		{"dovecot", "mx.example:143", "want unix:/PATH"},
		{"dovecot", "unix:relative", "want unix:/PATH"},
		{"ftp", "x", "want smtp, lmtp or dovecot"},
	} {
		if _, err := Open(Options{Kind: test.kind, Source: test.source}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:%s: %v, want %s", test.kind, test.source, err, test.want)
		}
	}
}

// TestAddresses: a host that has several is asked at the first one that answers, and then there.
func TestAddresses(t *testing.T) {
	found, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", "localhost")
	if err != nil || len(found) < 2 {
		t.Skipf("localhost has no two addresses here: %v, %v", found, err)
	}
	f := newFake(t, nil) // listens at 127.0.0.1 alone, not at ::1
	a := open(t, "smtp", "localhost:"+f.listener.Addr().(*net.TCPAddr).AddrPort().String()[len("127.0.0.1:"):], nil)
	a.want("nobody@ours.example", "no")
	if last := a.peer.(*mailServer).last; last.String() != "127.0.0.1" {
		t.Errorf("answered last: %s", last)
	}
	a.want("x@ours.example", "no")
}

func TestIPv6(t *testing.T) {
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	f := &fake{listener: listener, greeting: "220 x", ehlo: "250 x", mail: "250 ok", rset: "250 ok", rcpt: acceptAll}
	f.sessions.Go(f.serve)
	defer f.stop()
	a := open(t, "smtp", listener.Addr().String(), nil).untested("ours.example")
	a.want("bob@ours.example", "yes")
	_ = a.Close()
}

func TestInspect(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.rcpt = func(path string) string {
			switch {
			case strings.HasSuffix(path, "@all.example>"):
				return "250 ok"
			case strings.HasSuffix(path, "@bare.example>"):
				return "550 no such user"
			case strings.HasSuffix(path, "@us.example>"):
				return "550 5.7.1 go away"
			}
			return "550 5.1.1 no"
		}
	})
	a := open(t, "smtp", f.source(), nil)
	text, remarks, err := a.Inspect(t.Context(), []string{"all.example", "bare.example", "us.example", "ours.example"})
	if err != nil || text != f.source()+" greets as fake.example" {
		t.Errorf("%q, %v", text, err)
	}
	want := []string{
		`it refuses a random name of bare.example by "550 no such user", without an enhanced code: that counts when it has accepted somebody of the domain`,
		`it refuses a random name of us.example by "550 5.7.1 go away", which does not say that it does not exist: unknown recipients of it will be deferred`,
		"for all.example it accepts a random name: it is used for nothing there, and nobody there is refused",
	}
	if !slices.Equal(remarks, want) {
		t.Errorf("remarks\n%q, want\n%q", remarks, want)
	}
	asked := len(f.commands("RCPT"))
	if _, remarks, err := a.Inspect(t.Context(), []string{"all.example", "bare.example"}); err != nil || len(remarks) != 1 {
		t.Errorf("again: %q, %v", remarks, err)
	}
	if n := len(f.commands("RCPT")) - asked; n != 0 {
		t.Errorf("%d names are tried again at once", n)
	}
	f.stop()
	if _, _, err := a.Inspect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), a.Name()) {
		t.Errorf("down: %v", err)
	}
}
