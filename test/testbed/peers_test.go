package testbed

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// say sends a line and expects a reply with that code.
func say(t *testing.T, c *Client, line, code string) Reply {
	t.Helper()
	if line != "" {
		if err := c.Send(line); err != nil {
			t.Fatal(err)
		}
	}
	reply, err := c.ReadReply()
	if err != nil || reply.Code() != code {
		t.Fatalf("%q: got %q, %v; want %s", line, reply, err, code)
	}
	return reply
}

// Each MTA delivers mail by SMTP and from local submission to its own sink, with
// a filter attached that does nothing.
func TestMTADelivers(t *testing.T) {
	noop := BuildNoop(t)
	for _, name := range []string{"postfix", "sendmail"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := StartMTA(t, name, MTAConfig{NonSMTPD: true})
			StartNoop(t, noop, m.Milter)
			for _, address := range []string{m.MX, m.Submission, m.Reinject} {
				c, err := Dial(address, "127.0.0.9")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				say(t, c, "", "220")
				say(t, c, "EHLO client.example", "250")
				say(t, c, "MAIL FROM:<a@example.net>", "250")
				say(t, c, "RCPT TO:<b@example.org>", "250")
				say(t, c, "DATA", "354")
				say(t, c, "Subject: x\r\n\r\nhello\r\n.", "250")
			}
			wait := func(count int) []Message {
				got, err := m.Sink.Wait(func(m []Message) bool { return len(m) >= count })
				if err != nil {
					t.Fatalf("%v\n%s", err, m.LogText())
				}
				m.Sink.Clear()
				return got
			}
			for _, got := range wait(3) {
				if got.From != "a@example.net" || len(got.To) != 1 || got.To[0] != "b@example.org" ||
					!strings.HasSuffix(got.Data, "\n\nhello\n") {
					t.Errorf("arrived by SMTP: %+v", got)
				}
			}
			if _, err := m.Submit("a@example.net", "To: c@example.org\nSubject: local\n\nhello\n"); err != nil {
				t.Fatalf("%v\n%s", err, m.LogText())
			}
			got := wait(1)[0]
			if got.From != "a@example.net" || strings.Join(got.To, " ") != "c@example.org" {
				t.Errorf("arrived from local submission: %+v", got)
			}
		})
	}
}

// An MTA whose filter does not listen answers 451 (T=tempfail), as contrib has it.
func TestMTAWithoutItsFilter(t *testing.T) {
	for _, name := range []string{"postfix", "sendmail"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := StartMTA(t, name, MTAConfig{})
			c, err := Dial(m.MX, "")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			say(t, c, "", "220")
			say(t, c, "EHLO client.example", "250")
			say(t, c, "MAIL FROM:<a@example.net>", "451")
		})
	}
}

func TestRequireRecordsSkips(t *testing.T) {
	if testing.Short() {
		t.Skip("-short records no skips")
	}
	if os.Getenv("CI") == "true" {
		t.Setenv("CI", "")
	}
	list := filepath.Join(t.TempDir(), "skips")
	t.Setenv("MAILWEIR_SKIPS", list)
	t.Setenv("PATH", "")
	t.Run("skipped", func(t *testing.T) {
		Require(t, "dns")
		t.Error("went on without rbldnsd and unbound")
	})
	text, err := os.ReadFile(list)
	if err != nil || !strings.HasPrefix(string(text), "TestRequireRecordsSkips/skipped: no dns: ") {
		t.Errorf("the list of skips is %q, %v", text, err)
	}
}

func TestStop(t *testing.T) {
	tests := []struct {
		name, script string
		nag, ok      bool
	}{
		{"ended by the signal", "echo up; exec cat", false, true},
		{"exit 0 at the signal", "trap 'exit 0' TERM; sleep 1000 & echo up; wait", false, true},
		{"exit 3 at the signal", "trap 'exit 3' TERM; sleep 1000 & echo up; wait", false, false},
		{"ended before", "echo up; exit 2", false, false},
		{"ended by the second signal", "trap 'trap - TERM' TERM; sleep 1000 & echo up; wait; wait", true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := shell(t, test.script)
			p := &Process{Log: new(Log), cmd: cmd, done: make(chan struct{}), nag: test.nag}
			if err := p.start(); err != nil {
				t.Fatal(err)
			}
			if _, ok := p.Log.Wait(0, func(line string) bool { return line == "up" }); !ok {
				t.Fatal("the process said nothing")
			}
			if !test.ok && strings.HasPrefix(test.script, "echo") {
				<-p.done
			}
			if err := p.Stop(); (err == nil) != test.ok {
				t.Errorf("Stop: %v", err)
			}
			if err := syscall.Kill(p.PID(), 0); err != syscall.ESRCH {
				t.Errorf("process %d is still there: %v", p.PID(), err)
			}
		})
	}
}

func TestDNSAnswers(t *testing.T) {
	d := StartDNS(t, DNSConfig{
		Zones: []Zone{
			{Name: "bl.example", Type: "ip4set", Data: ":127.0.0.2:listed, see https://bl.example/$\n127.0.0.2\n192.0.2.0/24\n"},
			{Name: "dbl.example", Type: "dnset", Data: ":127.0.1.2:bad name\ntest\n.bad.example\n"},
		},
		Records: []string{`spf.example. 60 IN TXT "v=spf1 -all"`},
	})
	resolver := d.netResolver()
	tests := []struct{ name, want string }{
		{"2.0.0.127.bl.example", "127.0.0.2"},
		{"7.2.0.192.bl.example", "127.0.0.2"},
		{"1.0.0.127.bl.example", ""},
		{"www.bad.example.dbl.example", "127.0.1.2"},
		{"example.com", ""},
	}
	for _, test := range tests {
		got, err := resolver.LookupHost(t.Context(), test.name)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.name, got, err, test.want)
		}
	}
	for name, want := range map[string]string{
		"2.0.0.127.bl.example": "listed, see https://bl.example/127.0.0.2",
		"spf.example":          "v=spf1 -all",
	} {
		got, err := resolver.LookupTXT(t.Context(), name)
		if strings.Join(got, " ") != want {
			t.Errorf("TXT %s: got %q, %v; want %q", name, got, err, want)
		}
	}
}
