package callforward

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
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
		"silence after that": func(f *fake) { f.ehlo = "250 x"; f.rset = "hang" },
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
