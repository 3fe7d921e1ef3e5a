package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// A paid zone's key goes out in questions and is seen nowhere else: not in replies, log, metrics,
// status, errors, the list of processes, or what explain and test print; not even when the list
// itself sends it back.
func TestKeyOfPaidZone(t *testing.T) {
	const key = "k3yofapaidzone4711abcdefgh"
	zen, dbl := key+".zen.dq.spamhaus.net", key+".dbl.dq.spamhaus.net"
	dns := testbed.DNSConfig{Zones: []testbed.Zone{
		{Name: zen, Type: "ip4set", Data: ":127.0.0.2:Customer " + key + ", see https://lists.example/" + key + "/$\n127.0.0.2\n127.0.0.66\n127.0.0.67 :127.255.255.254:" + key + "\n"},
		{Name: dbl, Type: "dnset", Data: ":127.0.1.2:" + key + "\ntest\ndbltest.com\nbad.example\n"},
	}}
	onEach(t, dns, func(b *listBed) {
		dir := b.t.TempDir()
		file, control := filepath.Join(dir, "dqs.key"), filepath.Join(dir, "control")
		b.write(file, key)
		flags := []string{
			"--rbl-key=DQS=" + file, "--rbl-zone={DQS}.zen.dq.spamhaus.net", "--rhsbl-zone={DQS}.dbl.dq.spamhaus.net",
			"--control=unix:" + control, "--log-level=debug", "--rbl-timeout=2s",
		}
		b.start(flags...)
		secret := secret{t: b.t, key: key}
		c := b.connect("127.0.0.66")
		secret.reply(c, "alice@example.net", "550 5.7.1 zen.dq.spamhaus.net Blocked - see ")
		c.say("QUIT", "221")
		c = b.connect("127.0.0.68")
		secret.reply(c, "alice@bad.example", "550 5.7.1 dbl.dq.spamhaus.net Blocked - see ")
		c.say("QUIT", "221")
		c = b.connect("127.0.0.67") // an error code
		c.message("alice@example.net", "250")
		c.say("QUIT", "221")
		b.wants(couldNotTell)
		for _, zone := range []string{zen, dbl} {
			b.relay.set(zone, silence)
		}
		c = b.connect("127.0.0.69")
		c.message("alice@silent.example", "250")
		c.say("QUIT", "221")

		own := []string{"--control=unix:" + control}
		dns := append([]string{"--dns=" + b.relay.address}, flags[:3]...)
		secret.command(b, 0, "", append(own, "rbl", "rest", "{DQS}.zen.dq.spamhaus.net", "--for=1h", "--note=by hand")...)
		secret.command(b, 0, "manual: by", append(own, "rbl", "status")...)
		secret.command(b, 0, "", append(own, "rbl", "resume", "{DQS}.zen.dq.spamhaus.net")...)
		secret.command(b, 64, "no list", append(own, "rbl", "rest", "other.example")...)
		secret.command(b, 1, "fails", append(dns, "rbl", "test", "{DQS}.zen.dq.spamhaus.net")...)
		for _, zone := range []string{zen, dbl} {
			b.relay.set(zone, rule{})
		}
		secret.command(b, 0, "has its test entries", append(dns, "rbl", "test", "{DQS}.zen.dq.spamhaus.net")...)
		secret.command(b, 0, "objects", append(dns, "explain", "--client=127.0.0.66", "--trusted-nets=192.0.2.1/32", "--from=a@bad.example", "--to=b@example.org")...)
		secret.command(b, 0, "", append(dns, "check")...)
		// The key written into the zone, or given instead of its file, or spoilt.
		secret.command(b, 78, "--rbl-zone", "check", "--rbl-zone="+zen)
		secret.command(b, 78, "--rbl-key", "check", "--rbl-zone={DQS}.zen.dq.spamhaus.net", "--rbl-key="+key)
		b.write(file, key+" "+key)
		if _, err := b.mailweir.Reload(testbed.Entry{"msg": "the new policy is not loaded, the old one stays"}); err != nil {
			b.t.Fatal(err)
		}

		page, err := b.mailweir.Get("/metrics")
		secret.hides("/metrics", string(page), err)
		if !strings.Contains(string(page), `zone="{DQS}.zen.dq.spamhaus.net"`) {
			b.t.Error("/metrics is without the list")
		}
		for _, name := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", b.mailweir.PID(), name))
			secret.hides(name, string(text), err)
		}
		b.stop()
		secret.hides("log", b.mailweir.Log.String(), nil)
		secret.hides("log of "+b.mta.Name, b.mta.LogText(), nil)
		if n := b.relay.count("66.0.0.127." + zen); n == 0 {
			b.t.Error("the list was never asked by its key: the test shows nothing")
		}
	})
}

func (b *listBed) write(file, text string) {
	b.t.Helper()
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// secret looks for a key where it must not be.
type secret struct {
	t   *testing.T
	key string
}

func (s secret) hides(where, text string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", where, err)
	}
	if strings.Contains(strings.ToLower(text), s.key) {
		s.t.Errorf("%s shows the key:\n%s", where, text)
	}
}

// reply sends a message that is refused so.
func (s secret) reply(c *connection, from, want string) {
	s.t.Helper()
	c.say("MAIL FROM:<"+from+">", "250")
	if err := c.client.Send("RCPT TO:<bob@example.org>"); err != nil {
		s.t.Fatal(err)
	}
	reply, err := c.client.ReadReply()
	text := strings.Join(reply, "\n")
	s.hides("the reply", text, err)
	if !strings.HasPrefix(strings.Replace(text, "<bob@example.org>... ", "", 1), want) {
		s.t.Errorf("RCPT: %q, want %q", text, want)
	}
}

// command runs mailweir and wants an exit code and a part of the output.
func (s secret) command(b *listBed, code int, part string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(b.binary, args...)
	cmd.Env = testbed.Environment()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	name := strings.ReplaceAll(strings.Join(args, " "), s.key, "KEY")
	s.hides(name, string(out), nil)
	if got != code || !strings.Contains(string(out), part) {
		s.t.Errorf("%s: exit code %d, want %d and %q:\n%s", name, got, code, part, out)
	}
}
