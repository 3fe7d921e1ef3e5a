package milter

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/test/testbed"
)

// postfixServing starts a milter and a Postfix that asks it.
func postfixServing(t *testing.T, config testbed.MTAConfig, newSession func() Session, set ...func(*Server)) (*served, *testbed.MTA) {
	t.Helper()
	config.Discard = true
	config.Extra += "\nrelay_domains = ok.example\nlocal_header_rewrite_clients =\n"
	mta := testbed.StartPostfix(t, config)
	l, err := Listen("unix:"+mta.Milter, ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, newSession, set...), mta
}

func TestPostfix(t *testing.T) {
	fake := newFake()
	fake.answers = map[string]policy.Answer{
		"rcpt bad@ok.example <bad@ok.example>": refuseWith(t, 450, "4.7.1", "Try later, 50%"),
		"mail <evil@x.example>":                refuseWith(t, 550, "5.7.1", "Not you"),
	}
	server, mta := postfixServing(t, testbed.MTAConfig{}, func() Session { return fake })
	c := mta.Talk(t, mta.MX)
	c.Say("EHLO client.example", "250")
	c.Exactly("MAIL FROM:<evil@x.example>", "550 5.7.1 Not you")
	c.Say("MAIL FROM:<a@b.example> SIZE=123 BODY=8BITMIME", "250")
	c.Exactly("RCPT TO:<bad@ok.example>", "450 4.7.1 Try later, 50%")
	c.Exactly("RCPT TO:<x@no.example>", "554 5.7.1 <x@no.example>: Relay access denied")
	c.Say("RCPT TO:<c@ok.example>", "250")
	c.Say("RCPT TO:<d@ok.example>", "250")
	c.Say("DATA", "354")
	c.Say("Subject: one\r\nX-Folded: a\r\n b\r\n\r\nhello\r\n.", "250")
	c.Say("MAIL FROM:<> SMTPUTF8", "250")
	c.Say("RSET", "250")
	c.Say("EHLO again.example", "250")
	c.Say("MAIL FROM:<g@h.example>", "250")
	c.Say("QUIT", "221")
	await(t, fake.ended, "the session's end")

	calls := fake.record()
	if first := calls[0]; !strings.HasPrefix(first, "connect {Client:127.0.0.1 Port:") ||
		!strings.Contains(first, " Name: ") || !strings.Contains(first, " DaemonPort:"+testbed.Port(mta.MX)+" ") {
		t.Errorf("connect facts %s", calls[0])
	}
	id := queueIDOf(t, calls)
	want := []string{
		"helo client.example",
		"mail <evil@x.example>", "abort",
		"mail <a@b.example> size=123",
		"rcpt bad@ok.example <bad@ok.example>",
		"refused x@no.example with 5.7.1",
		"rcpt c@ok.example <c@ok.example>",
		"rcpt d@ok.example <d@ok.example> [" + id + "]",
		`header Subject: "one" [` + id + "]",
		`header X-Folded: "a\n b" [` + id + "]",
		"eoh", `body "hello\r\n"`, "end [" + id + "]", "abort",
		"mail <> smtputf8", "abort",
		"helo again.example", "abort",
		"mail <g@h.example>", "abort", "abort", "close",
	}
	if got := calls[1:]; !slices.Equal(got, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if errs, degraded := server.said(); len(errs) > 0 || len(degraded) > 0 {
		t.Errorf("errors %q, degraded %q", errs, degraded)
	}
}

// queueIDOf finds the queue id in the call of an end of message.
func queueIDOf(t *testing.T, calls []string) string {
	t.Helper()
	for _, c := range calls {
		if id, found := strings.CutPrefix(c, "end ["); found {
			return strings.TrimSuffix(id, "]")
		}
	}
	t.Fatalf("no end of message with a queue id in %q", calls)
	return ""
}

// TestPostfixClients: XCLIENT makes Postfix begin anew with another client and login; the wire
// follows.
func TestPostfixClients(t *testing.T) {
	fakes := make(chan *fakeSession, 2)
	_, mta := postfixServing(t, testbed.MTAConfig{}, func() Session {
		fake := newFake()
		fakes <- fake
		return fake
	})
	c := mta.Talk(t, mta.MX)
	c.Say("EHLO first.example", "250")
	c.Say("XCLIENT ADDR=192.0.2.7 NAME=mail.b.example LOGIN=bob PORT=4711", "220")
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<a@b.example>", "250")
	c.Say("QUIT", "221")
	var fake *fakeSession
	for range 2 {
		select {
		case fake = <-fakes:
			await(t, fake.ended, "the session's end")
		case <-time.After(patience):
			t.Fatal("no second session")
		}
	}
	calls := fake.record()
	if want := "connect {Client:192.0.2.7 Port:4711 Name:mail.b.example "; !strings.HasPrefix(calls[0], want) {
		t.Errorf("%s, want %s", calls[0], want)
	}
	if want := "mail <a@b.example> login=bob by XCLIENT"; !slices.Contains(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
}

// TestPostfixOldProtocol: a Postfix that grants little is served all the same.
func TestPostfixOldProtocol(t *testing.T) {
	fake := newFake()
	fake.answers = map[string]policy.Answer{"rcpt bad@ok.example <bad@ok.example>": refuseWith(t, 550, "5.7.1", "No")}
	server, mta := postfixServing(t, testbed.MTAConfig{Extra: "milter_protocol = 2"}, func() Session { return fake })
	c := mta.Talk(t, mta.MX)
	c.Say("EHLO client.example", "250")
	for range 2 {
		c.Say("MAIL FROM:<a@b.example>", "250")
		c.Exactly("RCPT TO:<bad@ok.example>", "550 5.7.1 No")
		c.Say("RCPT TO:<c@ok.example>", "250")
		c.Say("DATA", "354")
		c.Say("Subject: one\r\n\r\nhello\r\n.", "250")
	}
	c.Say("QUIT", "221")
	await(t, fake.ended, "the session's end")
	ends := 0
	for _, call := range fake.record() {
		if strings.HasPrefix(call, "end [") {
			ends++
		}
	}
	if ends != 2 {
		t.Errorf("%d ends of messages in %q", ends, fake.record())
	}
	if errs, degraded := server.said(); len(errs) > 0 || len(degraded) == 0 {
		t.Errorf("errors %q, degraded %q", errs, degraded)
	}
}

// TestPostfixProgress: Postfix waits longer than milter_content_timeout for an answer that is being
// worked on, and not without hearing of it. The timeout leaves a busy machine seconds to say so.
func TestPostfixProgress(t *testing.T) {
	const timeout = 4 * time.Second
	for name, every := range map[string]time.Duration{"told": 300 * time.Millisecond, "not told": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := newFake()
			end := make(chan struct{})
			fake.block = map[string]chan struct{}{"end": end}
			_, mta := postfixServing(t, testbed.MTAConfig{ContentTimeout: timeout}, func() Session { return fake }, progressing(every))
			release := sync.OnceFunc(func() { close(end) })
			t.Cleanup(release) // also where an answer is not the one that is wanted
			c := mta.Talk(t, mta.MX)
			c.Say("EHLO client.example", "250")
			c.Say("MAIL FROM:<a@b.example>", "250")
			c.Say("RCPT TO:<c@ok.example>", "250")
			c.Say("DATA", "354")
			if every < timeout {
				answer := time.AfterFunc(timeout+2*time.Second, release)
				defer answer.Stop()
				c.Say("Subject: one\r\n\r\nhello\r\n.", "250")
			} else {
				c.Say("Subject: one\r\n\r\nhello\r\n.", "451")
				release()
			}
			c.Say("QUIT", "221")
			await(t, fake.ended, "the session's end")
		})
	}
}

// TestPostfixDrain: a message that is under way when mailweir is told to end gets its answer.
func TestPostfixDrain(t *testing.T) {
	fake := newFake()
	server, mta := postfixServing(t, testbed.MTAConfig{}, func() Session { return fake })
	server.IdleGrace = time.Nanosecond
	c := mta.Talk(t, mta.MX)
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<a@b.example>", "250")
	result := shuttingDown(t, t.Context(), server)
	c.Say("RCPT TO:<c@ok.example>", "250")
	c.Say("DATA", "354")
	c.Say("Subject: one\r\n\r\nhello\r\n.", "250")
	if err := <-result; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	c.Exactly("MAIL FROM:<a@b.example>", "451 4.7.1 Service unavailable - try again later")
}
