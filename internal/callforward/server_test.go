package callforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/backend"
	"mailweir/internal/state"
)

func TestDialogue(t *testing.T) {
	f := newFake(t, nil)
	a := open(t, "smtp", f.source(), nil).untested("ours.example")
	a.want("bob@ours.example", "yes")
	a.want("nobody@ours.example", "no")
	a.want("Bob@ours.example", "no") // as the client wrote it
	want := []string{
		"MAIL FROM:<>", "RCPT TO:<bob@ours.example>", "RSET", "MAIL FROM:<>", "RCPT TO:<nobody@ours.example>", "RSET",
		"MAIL FROM:<>", "RCPT TO:<Bob@ours.example>", "RSET",
	}
	got := f.commands("")
	if len(got) != len(want)+1 || !strings.HasPrefix(got[0], "EHLO mailweir-") || fmt.Sprint(got[1:]) != fmt.Sprint(want) {
		t.Errorf("said %q", got)
	}
	if n := f.connects.Load(); n != 1 {
		t.Errorf("%d connections, want one that is kept", n)
	}
}

func TestLMTP(t *testing.T) {
	f := newFake(t, nil)
	a := open(t, "lmtp", f.source(), nil).untested("ours.example")
	a.want("bob@ours.example", "yes")
	if got := f.commands("")[0]; !strings.HasPrefix(got, "LHLO mailweir-") {
		t.Errorf("said %q", got)
	}
}

// TestCouldNotTell is what servers say or do that is no answer about the recipient.
func TestCouldNotTell(t *testing.T) {
	closes := func(c net.Conn) { _ = c.Close() }
	pipelined := func(replies string) func(net.Conn) {
		return func(c net.Conn) {
			say(c, "220 x")
			buffer := make([]byte, 1000)
			for range 2 {
				if _, err := c.Read(buffer); err != nil {
					return
				}
				if strings.HasPrefix(string(buffer), "EHLO") {
					say(c, "250-x|250 PIPELINING")
				}
			}
			say(c, replies)
			_, _ = io.Copy(io.Discard, c)
		}
	}
	torn := func(replies string) func(net.Conn) {
		return func(c net.Conn) {
			f := &fake{greeting: "220 x", ehlo: "250-x|250 PIPELINING", mail: replies + "|close"}
			f.speak(c)
		}
	}
	for _, test := range []struct {
		name   string
		change func(*fake)
		want   string
		down   bool
	}{
		{name: "greeting 5xx", change: func(f *fake) { f.greeting = "554 5.1.1 go away" }, want: `it answers the connection by "554 5.1.1 go away"`, down: true},
		{name: "greeting 4xx", change: func(f *fake) { f.greeting = "421 busy" }, want: `"421 busy"`, down: true},
		{name: "greeting 250", change: func(f *fake) { f.greeting = "250 hello" }, want: `"250 hello"`, down: true},
		{name: "no greeting", change: func(f *fake) { f.session = closes }, want: "EOF", down: true},
		{name: "EHLO refused", change: func(f *fake) { f.ehlo = "550 5.1.1 no" }, want: `it answers EHLO by "550 5.1.1 no"`, down: true},
		{name: "EHLO 4xx", change: func(f *fake) { f.ehlo = "450 later" }, want: `"450 later"`, down: true},
		{name: "MAIL refused", change: func(f *fake) { f.mail = "550 5.1.1 no bounces" }, want: `it answers MAIL by "550 5.1.1 no bounces"`},
		{name: "MAIL wants TLS", change: func(f *fake) { f.mail = "530 5.7.0 Must issue a STARTTLS command first" }, want: "530 5.7.0"},
		{name: "MAIL 421", change: func(f *fake) { f.mail = "421 4.3.2 shutting down" }, want: "421 4.3.2"},
		{name: "RCPT 421", change: func(f *fake) { f.rcpt = func(string) string { return "421 4.7.0 too many errors" } }, want: "421 4.7.0 too many errors"},
		{name: "RCPT 4xx", change: func(f *fake) { f.rcpt = func(string) string { return "451 4.3.0 later" } }, want: "451 4.3.0 later"},
		{name: "RCPT about us", change: func(f *fake) { f.rcpt = func(string) string { return "550 5.7.1 no relay" } }, want: "550 5.7.1 no relay"},
		{name: "closes at MAIL", change: func(f *fake) { f.mail = "close" }, want: "EOF"},
		{name: "closes at RCPT", change: func(f *fake) { f.rcpt = func(string) string { return "close" } }, want: "EOF"},
		{name: "torn reply", change: func(f *fake) { f.session = torn("250 ok|550-5.1.1 no") }, want: "EOF"},
		{name: "NUL", change: func(f *fake) { f.rcpt = func(string) string { return "550 5.1.1 a\x00b" } }, want: errControl.Error()},
		{name: "rubbish", change: func(f *fake) { f.rcpt = func(string) string { return "\x16\x03\x01\x02" } }, want: errControl.Error()},
		{name: "endless line", change: func(f *fake) { f.rcpt = func(string) string { return "550 5.1.1 " + strings.Repeat("x", 1<<16) } }, want: errLine.Error()},
		{name: "endless reply", change: func(f *fake) { f.rcpt = func(string) string { return strings.Repeat("550-5.1.1 x|", 1<<12) } }, want: errLines.Error()},
		{name: "codes that differ", change: func(f *fake) { f.rcpt = func(string) string { return "250-ok|550 5.1.1 no" } }, want: errMixed.Error()},
		{name: "one reply too many", change: func(f *fake) { f.session = pipelined("250 ok|250 ok|550 5.1.1 no|250 ok") }, want: errOutOfStep.Error()},
		{name: "one reply too many, behind", change: func(f *fake) { f.session = pipelined("250 ok|550 5.1.1 no|250 ok|250 ok") }, want: errOutOfStep.Error()},
		{name: "an early refusal", change: func(f *fake) { f.session = pipelined("550 5.1.1 no|250 ok|250 ok") }, want: "it answers MAIL"},
		{name: "RSET refused", change: func(f *fake) { f.rset = "550 5.1.1 no" }, want: errOutOfStep.Error()},
		{name: "a bare LF makes two of one", change: func(f *fake) { f.rcpt = func(string) string { return "550 5.1.1 a\n550 5.1.1 b" } }, want: errOutOfStep.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := open(t, "smtp", newFake(t, test.change).source(), nil).untested("ours.example")
			a.want("nobody@ours.example", test.want)
			if down := a.breaker.Lost(0) != nil; down != test.down {
				t.Errorf("down: %v, want %v", down, test.down)
			}
		})
	}
}

// TestAnswersAllTheSame: a server that leaves behind its answer has answered.
func TestAnswersAllTheSame(t *testing.T) {
	for name, change := range map[string]func(*fake){
		"closes behind it":   func(f *fake) { f.rset = "close" },
		"421 behind it":      func(f *fake) { f.rset = "421 4.7.0 bye" },
		"no pipelining":      func(f *fake) { f.ehlo = "250 fake.example" },
		"bare LF":            func(f *fake) { f.ehlo = "250-x\n250 PIPELINING" },
		"knows only HELO":    func(f *fake) { f.ehlo = "250 x"; f.session = heloOnly(f) },
		"silence after that": func(f *fake) { f.rset = "" },
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, "smtp", newFake(t, change).source(), nil).untested("ours.example")
			a.want("bob@ours.example", "yes")
			a.want("nobody@ours.example", "no")
		})
	}
}

func heloOnly(f *fake) func(net.Conn) {
	return func(c net.Conn) {
		old := &fake{greeting: "220 old", mail: f.mail, rset: f.rset, rcpt: f.rcpt, ehlo: "500 what?"}
		in, out := net.Pipe()
		defer out.Close()
		f.sessions.Go(func() { defer in.Close(); old.speakHelo(c, in) })
		_, _ = io.Copy(io.Discard, out)
	}
}

// speakHelo is a session in which EHLO is unknown.
func (f *fake) speakHelo(c net.Conn, _ net.Conn) {
	say(c, f.greeting)
	buffer := make([]byte, 1000)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		line := strings.TrimSpace(string(buffer[:n]))
		answer := f.reply(line)
		if strings.HasPrefix(line, "HELO") {
			answer = "250 old"
		}
		if !say(c, answer) {
			return
		}
	}
}

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

// TestAcceptsAll: a server that accepts a random name is used for nothing, for that domain, until it
// refuses one again.
func TestAcceptsAll(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.rcpt = func(path string) string {
			if strings.HasSuffix(path, "@catchall.example>") || strings.HasPrefix(path, "<bob@") {
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
	f.rcpt = func(string) string { return "550 5.1.1 no" }
	again.domains.endTest("catchall.example", 0)
	again.want("dave@catchall.example", ErrSuspended.Error()) // and tests in the background
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
				t.Error("strangers are taken for us")
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

// TestDown: the next question does not wait for a server that is down, and it is asked again when it
// is back.
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
	f := newFake(t, func(f *fake) { f.rcpt = func(string) string { return "" } })
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
