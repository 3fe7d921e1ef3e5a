package test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// TestPostgreyIsTakenOver: who has passed a postgrey that Postfix asks passes mailweir at once; who
// has not waits there, too.
func TestPostgreyIsTakenOver(t *testing.T) {
	t.Parallel()
	testbed.Require(t, "postfix")
	p := testbed.StartPostgrey(t, "--delay=1", "--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null")
	old := testbed.StartPostfix(t, testbed.MTAConfig{
		NoMilter: true, Discard: true,
		Extra: "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, check_policy_service inet:" + p.Address,
	})
	const greylisted, waits = "450 4.2.0", "451 4.7.1 Internal resource temporarily unavailable"
	mailFrom(t, old, "192.0.2.7", "alice@example.net", greylisted)
	mailFrom(t, old, "192.0.2.7", "list+bounce-1@example.net", greylisted)
	mailFrom(t, old, "198.51.100.7", "carol@example.net", greylisted)
	for _, sender := range []string{"alice@example.net", "list+bounce-2@example.net"} {
		if err := testbed.Until(func() error {
			if said := mailed(t, old, "192.0.2.7", sender); !strings.HasPrefix(said, "250") {
				return errors.New(said)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}

	binary, dir := testbed.BuildMailweir(t), testbed.TempDir(t)
	now := testbed.StartPostfix(t, testbed.MTAConfig{Discard: true})
	flags := []string{"--control=unix:" + filepath.Join(dir, "control"), "--state=file:" + filepath.Join(dir, "state")}
	m := testbed.StartMailweir(t, testbed.MailweirConfig{
		Binary: binary, Socket: now.Milter,
		Flags: append([]string{"--greylist=enforce", "--greylist-skip-spf=off", "--local-domains=inline:{ours.example=OK}", "--trusted-nets=127.0.0.2/32"}, flags...),
	})
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	options := filepath.Join(dir, "postgrey")
	if err := os.WriteFile(options, []byte("POSTGREY_OPTS='--inet="+p.Address+" --delay=1 --dbdir="+p.Dir+"'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	imported := func() string {
		t.Helper()
		cmd := exec.Command(binary, append([]string{"import", "--yes", "--config-dir=" + filepath.Join(dir, "conf.d"), "--postfix-config-dir=" + old.ConfigDir(), "postgrey:" + options}, flags...)...)
		cmd.Env = testbed.Environment()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	// What waits is carol's, and the question by which the harness waits for postgrey.
	for range 2 { // a second time changes nothing
		if out := imported(); !strings.Contains(out, "Remembered now: triplets known 2, waiting 2; clients 1; ended before 0.") {
			t.Fatalf("import says\n%s", out)
		}
	}
	mailFrom(t, now, "192.0.2.9", "alice@example.net", "250")
	mailFrom(t, now, "192.0.2.9", "list+bounce-3@example.net", "250")
	mailFrom(t, now, "192.0.2.9", "bob@example.net", waits)
	mailFrom(t, now, "198.51.100.7", "carol@example.net", waits)
	mailFrom(t, now, "198.51.100.7", "alice@example.net", waits)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// mailFrom is one message of a client, up to what is said of its recipient: it must begin with
// want.
func mailFrom(t *testing.T, m *testbed.MTA, client, sender, want string) {
	t.Helper()
	if said := mailed(t, m, client, sender); !strings.HasPrefix(said, want) {
		t.Errorf("%s from %s is answered %q, want %q\n%s", sender, client, said, want, m.LogText())
	}
}

func mailed(t *testing.T, m *testbed.MTA, client, sender string) (said string) {
	t.Helper()
	c := m.Talk(t, m.MX)
	defer c.Close()
	c.Say("XCLIENT ADDR="+client, "220")
	c.Say("EHLO client.example", "250")
	c.Say("MAIL FROM:<"+sender+">", "250")
	reply, err := c.Ask("RCPT TO:<bob@ours.example>")
	if err != nil {
		t.Fatal(err)
	}
	if said = strings.Join(reply, "\n"); strings.HasPrefix(said, "250") {
		c.Say("DATA", "354")
		c.Say("From: <"+sender+">\r\nSubject: x\r\n\r\nx\r\n.", "250")
	}
	return said
}
