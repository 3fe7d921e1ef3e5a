// Package container_test runs the compose file of contrib/container as a user
// would: Postfix and mailweir in containers, in an engine of the test's own.
package container_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

func TestCompose(t *testing.T) {
	requireEngine(t)
	forwarding := forwards(t)
	t.Cleanup(func() {
		if now := forwards(t); now != forwarding {
			t.Errorf("ip_forward was %s and is now %s", forwarding, now)
		}
	})
	e := startEngine(t)
	e.haveBase(t)
	e.buildImages(t)
	c := startCompose(t, e)

	t.Run("a blocked header From would be refused", func(t *testing.T) {
		c.expect(t, message{from: "blocked@blocked.example"}, `^250 2\.0\.0 Ok: queued as`)
		if logged := c.compose(t, "logs", "--no-color", "mailweir"); !strings.Contains(logged, "would_refuse") {
			t.Errorf("no would_refuse in the log:\n%s", logged)
		}
		c.sink.Clear()
	})
	t.Run("a blocked header From is refused", func(t *testing.T) {
		c.compose(t, "exec", "-T", "mailweir", "mailweir", "enforce", "header-from")
		c.expect(t, message{from: "blocked@blocked.example"},
			`^550 5\.7\.1 Rejected by header based Blocked Senders - Block policy for Header From \[mw-\w+\]$`)
	})
	t.Run("a clean message is delivered", func(t *testing.T) {
		c.expect(t, message{from: "alice@example.net", subject: "through a container"}, `^250 2\.0\.0 Ok: queued as`)
		arrived, err := c.sink.Wait(func(m []testbed.Message) bool { return len(m) > 0 })
		if err != nil {
			t.Fatal(err)
		}
		if len(arrived) != 1 || !strings.Contains(arrived[0].Data, "Subject: through a container\n") {
			t.Errorf("arrived: %+v; want the clean message alone", arrived)
		}
	})
	t.Run("the record outlives the container", func(t *testing.T) {
		c.compose(t, "up", "--no-build", "-d", "--force-recreate", "mailweir")
		if err := e.until(func() error { return c.say(message{}, "^221 ") }); err != nil {
			t.Fatal(err)
		}
		if got := c.compose(t, "exec", "-T", "mailweir", "mailweir", "events", "--check=header-from"); !strings.Contains(got, "would_refuse") {
			t.Errorf("events: %s", got)
		}
	})
	t.Run("a changed list acts after SIGHUP", func(t *testing.T) {
		c.append(t, "header-from", "later@example.net REJECT\n")
		c.compose(t, "kill", "-s", "HUP", "mailweir")
		if err := e.until(func() error {
			return c.say(message{from: "later@example.net"}, `^550 5\.7\.1 `)
		}); err != nil {
			t.Error(err)
		}
	})
	t.Run("stopping drains and ends with status 0", func(t *testing.T) {
		c.compose(t, "stop", "postfix", "mailweir")
		id := strings.TrimSpace(e.must(t, nil, "docker", "ps", "-aq", "--filter=label=com.docker.compose.service=mailweir"))
		if code := strings.TrimSpace(e.must(t, nil, "docker", "inspect", "-f", "{{.State.ExitCode}}", id)); code != "0" {
			t.Errorf("mailweir ended with status %s; want 0", code)
		}
	})
}

// forwards is whether the machine routes packets: an engine usually turns it on.
func forwards(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(data))
}

// composed is the running compose file.
type composed struct {
	engine *engine
	conf   string // directory of mailweir's configuration
	env    []string
	smtp   string
	sink   *testbed.Sink
}

// startCompose starts the compose file with the configuration beside it, at
// ports of loopback, the next hop being a sink.
func startCompose(t *testing.T, e *engine) *composed {
	t.Helper()
	c := &composed{engine: e, conf: filepath.Join(testbed.TempDir(t), "conf"), smtp: testbed.FreeAddress(t), sink: testbed.StartSink(t)}
	if err := os.CopyFS(c.conf, os.DirFS(container+"/conf")); err != nil {
		t.Fatal(err)
	}
	c.env = []string{
		"MAILWEIR_CONF=" + c.conf,
		"MAILWEIR_HTTP=" + testbed.FreeAddress(t),
		"MX_HOSTNAME=mx.test.example",
		"RELAY_DOMAINS=example.org",
		"NEXT_HOP=[127.0.0.1]:" + testbed.Port(c.sink.Address),
		"SMTP_LISTEN=" + c.smtp,
	}
	c.compose(t, "down", "-v") // what an interrupted run has left
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.compose(t, "logs", "--no-color"))
		}
		c.compose(t, "down", "-v")
	})
	c.compose(t, "up", "--no-build", "-d")
	if err := e.until(func() error { return c.say(message{}, "^221 ") }); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *composed) compose(t *testing.T, args ...string) string {
	t.Helper()
	command, err := composeCommand()
	if err != nil {
		t.Fatal(err)
	}
	args = append(append(command[1:], "-p", "mailweir-test", "-f", container+"/compose.yaml"), args...)
	return c.engine.must(t, c.env, command[0], args...)
}

func (c *composed) append(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(c.conf, name), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// message is what the client sends; without a sender it only greets and quits.
type message struct{ from, subject string }

// expect sends a message; the last reply must match.
func (c *composed) expect(t *testing.T, m message, want string) {
	t.Helper()
	if err := c.say(m, want); err != nil {
		t.Error(err)
	}
}

func (c *composed) say(m message, want string) error {
	client, err := testbed.Dial(c.smtp, "")
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.ReadReply(); err != nil {
		return err
	}
	lines := []string{"EHLO client.example", "QUIT"}
	if m.from != "" {
		lines = []string{
			"EHLO client.example", "MAIL FROM:<envelope@example.net>", "RCPT TO:<bob@example.org>", "DATA",
			fmt.Sprintf("From: <%s>\r\nSubject: %s\r\n\r\nhello\r\n.", m.from, m.subject),
		}
	}
	for i, line := range lines {
		if err := client.Send(line); err != nil {
			return err
		}
		reply, err := client.ReadReply()
		if err != nil {
			return err
		}
		last := strings.Join(reply, "\n")
		if i < len(lines)-1 && reply.Code()[0] > '3' {
			return fmt.Errorf("%s: %s", line, last)
		}
		if i == len(lines)-1 && !regexp.MustCompile(want).MatchString(last) {
			return fmt.Errorf("the message from <%s> was answered %q; want %s", m.from, last, want)
		}
	}
	return nil
}
