package milter

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// smtpClient is the SMTP client of a dialog with a real MTA.
type smtpClient struct {
	tb   testing.TB
	text *textproto.Conn
}

// say sends a line and returns the reply.
func (c *smtpClient) say(line string) string {
	c.tb.Helper()
	if err := c.text.PrintfLine("%s", line); err != nil {
		c.tb.Fatal(err)
	}
	return c.reply()
}

func (c *smtpClient) reply() string {
	c.tb.Helper()
	code, message, err := c.text.ReadResponse(0)
	if err != nil {
		c.tb.Fatal(err)
	}
	return fmt.Sprintf("%d %s", code, message)
}

// want sends a line and compares the reply; a want that is only a code compares that.
func (c *smtpClient) want(want, line string) {
	c.tb.Helper()
	if got := c.say(line); got != want && (len(want) != 3 || !strings.HasPrefix(got, want)) {
		c.tb.Fatalf("%s: %q, want %q", line, got, want)
	}
}

// startPostfix starts a Postfix of its own with a milter at the socket path, and returns its address.
func startPostfix(t *testing.T, socket string, settings ...string) string {
	t.Helper()
	const daemons = "/usr/lib/postfix/sbin"
	if _, err := os.Stat(daemons + "/master"); err != nil {
		t.Skip("SKIPPED: no Postfix on this machine")
	}
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: Postfix's master needs root")
	}
	dir, err := os.MkdirTemp("", "mw") // t.TempDir makes paths that are too long for Postfix's sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := freePort(t)
	main := []string{
		"compatibility_level = 3.6", "queue_directory = " + dir + "/queue", "data_directory = " + dir + "/data",
		"command_directory = /usr/sbin", "daemon_directory = " + daemons, "myhostname = mx.test.example",
		"maillog_file = " + dir + "/log", "maillog_file_prefixes = " + dir, "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4",
		"mydestination =", "alias_maps =", "alias_database =", "relay_domains = ok.example", "relay_transport = discard",
		"mynetworks = 127.0.0.2/32", "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
		"smtpd_authorized_xclient_hosts = 127.0.0.1", "smtpd_peername_lookup = no", "disable_dns_lookups = yes",
		"smtpd_error_sleep_time = 0", "local_header_rewrite_clients =", "in_flow_delay = 0", "address_verify_map =", "default_process_limit = 100",
		"smtpd_client_connection_count_limit = 0", "smtpd_milters = { unix:" + socket + ", default_action=tempfail }",
	}
	master := address + " inet n - n - 100 smtpd\n" +
		"cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n" +
		"bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n" +
		"proxymap unix - - n - - proxymap\nerror unix - - n - - error\nretry unix - - n - - error\n" +
		"discard unix - - n - - discard\nanvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n"
	postfixFiles(t, dir, strings.Join(append(main, settings...), "\n")+"\n", master)

	cmd := exec.Command(daemons+"/master", "-c", dir+"/etc", "-d")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // master ends its children
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(dir + "/log")
			t.Logf("Postfix: %s", log)
		}
	})
	return address
}

// postfixFiles makes what master wants to find.
func postfixFiles(t *testing.T, dir, main, master string) {
	t.Helper()
	dirs := []string{"etc", "data", "queue/pid", "queue/public", "queue/private", "queue/maildrop"}
	for _, name := range strings.Fields("active bounce corrupt defer deferred flush hold incoming saved trace") {
		dirs = append(dirs, "queue/"+name)
	}
	for _, name := range dirs {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"main.cf": main, "master.cf": master} {
		file := filepath.Join(dir, "etc", name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-time.Minute) // Postfix reads a file that has just changed again for two seconds
		if err := os.Chtimes(file, past, past); err != nil {
			t.Fatal(err)
		}
	}
	owned := append([]string{dir + "/data"}, globbed(t, dir+"/queue/*")...)
	owned = slices.DeleteFunc(owned, func(name string) bool { return strings.HasSuffix(name, "/pid") })
	if out, err := exec.Command("chown", append([]string{"postfix"}, owned...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// freePort returns an address on loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// connectSMTP connects as soon as the MTA gives its banner: the port is open before smtpd answers.
func connectSMTP(t *testing.T, address string) *smtpClient {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			if err := conn.SetDeadline(deadline); err != nil {
				t.Fatal(err)
			}
			c := &smtpClient{tb: t, text: textproto.NewConn(conn)}
			if got := c.reply(); !strings.HasPrefix(got, "220 ") {
				t.Fatalf("banner %q", got)
			}
			return c
		}
		if time.Now().After(deadline) {
			t.Fatalf("no SMTP server: %v", err)
		}
	}
}

// postfixSocket serves a milter where Postfix, which runs as another user, gets to.
func postfixSocket(t *testing.T, newSession func() Session) (path string, s *served) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path = dir + "/s"
	l, err := Listen("unix:"+path, ListenOptions{Mode: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	return path, serveOn(t, l, newSession)
}

func TestPostfix(t *testing.T) {
	fake := newFake()
	fake.answers = map[string]policy.Answer{
		"rcpt bad@ok.example <bad@ok.example>": refuseWith(t, 450, "4.7.1", "Try later, 50%"),
		"mail <evil@x.example>":                refuseWith(t, 550, "5.7.1", "Not you"),
	}
	path, server := postfixSocket(t, func() Session { return fake })
	address := startPostfix(t, path)

	c := connectSMTP(t, address)
	c.want("250", "EHLO client.example")
	c.want("550 5.7.1 Not you", "MAIL FROM:<evil@x.example>")
	c.want("250", "MAIL FROM:<a@b.example> SIZE=123 BODY=8BITMIME")
	c.want("450 4.7.1 Try later, 50%", "RCPT TO:<bad@ok.example>")
	c.want("554 5.7.1 <x@no.example>: Relay access denied", "RCPT TO:<x@no.example>")
	c.want("250", "RCPT TO:<c@ok.example>")
	c.want("250", "RCPT TO:<d@ok.example>")
	c.want("354", "DATA")
	c.want("250", "Subject: one\r\nX-Folded: a\r\n b\r\n\r\nhello\r\n.")
	c.want("250", "MAIL FROM:<> SMTPUTF8")
	c.want("250", "RSET")
	c.want("250", "EHLO again.example")
	c.want("250", "MAIL FROM:<g@h.example>")
	c.want("221", "QUIT")
	await(t, fake.ended, "the session's end")

	calls := fake.record()
	_, port, _ := net.SplitHostPort(address)
	if first := calls[0]; !strings.HasPrefix(first, "connect {Client:127.0.0.1 Port:") ||
		!strings.Contains(first, " Name: ") || !strings.Contains(first, " DaemonPort:"+port+" ") {
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

// TestPostfixClients: XCLIENT makes Postfix begin anew with another client and login; the wire follows.
func TestPostfixClients(t *testing.T) {
	fakes := make(chan *fakeSession, 2)
	path, _ := postfixSocket(t, func() Session {
		fake := newFake()
		fakes <- fake
		return fake
	})
	c := connectSMTP(t, startPostfix(t, path))
	c.want("250", "EHLO first.example")
	c.want("220", "XCLIENT ADDR=192.0.2.7 NAME=mail.b.example LOGIN=bob PORT=4711")
	c.want("250", "EHLO client.example")
	c.want("250", "MAIL FROM:<a@b.example>")
	c.want("221", "QUIT")
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
	path, server := postfixSocket(t, func() Session { return fake })
	c := connectSMTP(t, startPostfix(t, path, "milter_protocol = 2"))
	c.want("250", "EHLO client.example")
	for range 2 {
		c.want("250", "MAIL FROM:<a@b.example>")
		c.want("550 5.7.1 No", "RCPT TO:<bad@ok.example>")
		c.want("250", "RCPT TO:<c@ok.example>")
		c.want("354", "DATA")
		c.want("250", "Subject: one\r\n\r\nhello\r\n.")
	}
	c.want("221", "QUIT")
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

// TestPostfixProgress: Postfix waits longer than milter_content_timeout for an answer that is being worked on, and not without
// hearing of it.
func TestPostfixProgress(t *testing.T) {
	for name, every := range map[string]time.Duration{"told": 300 * time.Millisecond, "not told": time.Hour} {
		t.Run(name, func(t *testing.T) {
			fake := newFake()
			end := make(chan struct{})
			fake.block = map[string]chan struct{}{"end": end}
			path, server := postfixSocket(t, func() Session { return fake })
			server.progressEvery = every
			c := connectSMTP(t, startPostfix(t, path, "milter_content_timeout = 1s"))
			c.want("250", "EHLO client.example")
			c.want("250", "MAIL FROM:<a@b.example>")
			c.want("250", "RCPT TO:<c@ok.example>")
			c.want("354", "DATA")
			answer := time.AfterFunc(2500*time.Millisecond, func() { close(end) })
			defer answer.Stop()
			if every < time.Hour {
				c.want("250", "Subject: one\r\n\r\nhello\r\n.")
			} else {
				c.want("451", "Subject: one\r\n\r\nhello\r\n.")
				<-end
			}
		})
	}
}

// TestPostfixDrain: a message that is under way when mailweir is told to end gets its answer.
func TestPostfixDrain(t *testing.T) {
	fake := newFake()
	path, server := postfixSocket(t, func() Session { return fake })
	server.IdleGrace = time.Nanosecond
	c := connectSMTP(t, startPostfix(t, path))
	c.want("250", "EHLO client.example")
	c.want("250", "MAIL FROM:<a@b.example>")
	result := shuttingDown(t, t.Context(), server)
	c.want("250", "RCPT TO:<c@ok.example>")
	c.want("354", "DATA")
	c.want("250", "Subject: one\r\n\r\nhello\r\n.")
	if err := <-result; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	c.want("451 4.7.1 Service unavailable - try again later", "MAIL FROM:<a@b.example>")
}
