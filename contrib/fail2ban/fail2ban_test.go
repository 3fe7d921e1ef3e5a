// Package fail2ban_test shows fail2ban what a real mailweir writes about hostile clients, and holds
// that it bans those that did something, and nobody whom they name.
package fail2ban_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailweir/test/testbed"
	"mailweir/test/wire"
)

const filter = "./filter.d/mailweir.conf"

// named is an address that clients put wherever they can. It has never connected.
const named = "203.0.113.66"

// attempt is what one client does.
type attempt struct {
	name              string
	client            string
	helo              string
	sender, recipient string
	banned            bool
}

// hostile are texts that look like a field, a line, or the end of one.
func hostile() []string {
	return []string{
		"client=" + named + " ",
		`x" client=` + named + ` y="`,
		`x\" client=` + named + ` `,
		`x\\" client=` + named + ` `,
		"x\nlevel=info msg=refused event=mw-aaaaaaaa check=recipient client=" + named + " ",
		"x\r\nNov 29 09:00:00 mx mailweir[1]: level=info msg=refused check=recipient client=" + named + " ",
		`x","client":"` + named + `","y":"`,
		`{"time":"2026-11-29T09:00:00Z","level":"info","msg":"refused","check":"recipient","client":"` + named + `"}`,
		"time=\"2001-01-01T00:00:00Z\" level=info msg=refused check=recipient client=" + named,
		"check=recipient msg=refused client=\"" + named + "\" ",
		"\u2028client=" + named + " ", "\x1b[1mclient=" + named + " ", "\xff client=" + named + " ",
		strings.Repeat("a", 5000) + " client=" + named + " ",
		strings.Repeat(`\`, 4999) + `" client=` + named + " ",
	}
}

// attempts are clients of every kind, and every hostile text in every place.
func attempts() []attempt {
	const ours = "bob@example.org"
	all := []attempt{
		{"an unknown recipient", "192.0.2.1", "mail.example.net", "a@example.net", "nobody@example.org", true},
		{"an unknown recipient over IPv6", "2001:db8::1", "mail.example.net", "a@example.net", "nobody@example.org", true},
		{"an IPv4 address in IPv6", "::ffff:192.0.2.2", "mail.example.net", "a@example.net", "nobody@example.org", true},
		{"who wants to relay", "192.0.2.3", "mail.example.net", "a@example.net", "a@elsewhere.example", true},
		{"who is blocked", "192.0.2.4", "mail.example.net", "a@example.net", ours, true},
		{"good mail", "192.0.2.5", "mail.example.net", "a@example.net", ours, false},
		{"a sender that is blocked", "192.0.2.6", "mail.example.net", "a@blocked.example", ours, false},
		{"a check that cannot judge", "192.0.2.7", "mail.example.net", "a@example.net", "bob@down.example", false},
		{"a monitored check", "192.0.2.8", "mail.example.net", "a@monitored.example", ours, false},
	}
	for i, text := range hostile() {
		bad := "198.51.100." + string(rune('0'+i/10)) + string(rune('0'+i%10))
		bad = strings.Replace(bad, ".0", ".", 1)
		good := strings.Replace(bad, "198.51.100.", "198.51.101.", 1)
		all = append(all,
			attempt{"hostile HELO, refused", bad, text, "a@example.net", "nobody@example.org", true},
			attempt{"hostile HELO, good", good, text, "a@example.net", ours, false},
			attempt{"hostile sender, refused", strings.Replace(bad, ".100.", ".102.", 1), "h", `"` + text + `"@example.net`, "nobody@example.org", true},
			attempt{"hostile sender, good", strings.Replace(bad, ".100.", ".103.", 1), "h", text + "@example.net", ours, false},
			attempt{"hostile recipient", strings.Replace(bad, ".100.", ".104.", 1), "h", "a@example.net", text + "@example.org", true},
		)
	}
	return all
}

// play has every client come once, and returns the log.
func play(t *testing.T, format string) []string {
	t.Helper()
	m := testbed.StartMailweir(t, testbed.MailweirConfig{Binary: testbed.BuildMailweir(t), Flags: []string{
		"--log-format=" + format, "--log-accepted", "--default-mode=enforce", "--greylist=off", "--tempblock=off", "--reputation=off", "--lockout=off", "--address=off",
		"--impersonation=off", "--concurrency=off", "--rcpt-limit=off", "--load=off", "--truncated=off",
		"--local-domains=inline:{example.org=OK, down.example=OK}",
		"--recipient-source=example.org=inline:{bob@example.org=x}", "--recipient-source=down.example=tcp:127.0.0.1:1",
		"--client-block-list=inline:{192.0.2.4=REJECT}", "--sender-block-list=inline:{blocked.example=REJECT}",
		"--envelope-from=monitor", "--envelope-from-list=inline:{monitored.example=REJECT}",
	}})
	for _, a := range attempts() {
		c, err := wire.Dial(m.Socket)
		if err != nil {
			t.Fatal(err)
		}
		family := "4"
		if strings.Contains(a.client, ":") {
			family = "6"
		}
		for _, step := range []struct {
			command byte
			data    string
		}{
			{wire.Connect, "[" + a.client + "]\x00" + family + "\x00\x19" + a.client + "\x00"},
			{wire.Helo, a.helo + "\x00"},
			{wire.Mail, "<" + a.sender + ">\x00"},
			{wire.Rcpt, "<" + a.recipient + ">\x00"},
		} {
			answer, err := c.Do(step.command, step.data)
			if err != nil {
				t.Fatalf("%s: %v", a.name, err)
			}
			if answer.Refuses() {
				break // by a 421, the connection is over, too
			}
		}
		_ = c.Close() // it may be over already
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return m.Log.Lines()
}

// TestBans holds whom fail2ban bans after the same clients, in every form in which it may see the
// log.
func TestBans(t *testing.T) {
	testbed.Require(t, "fail2ban")
	want := map[string]bool{}
	for _, a := range attempts() {
		if a.banned {
			want[strings.TrimPrefix(a.client, "::ffff:")] = true
		}
	}
	timeless := regexp.MustCompile(`^time="[^"]*" `)
	text, json := play(t, "text"), play(t, "json")
	for _, form := range []struct {
		name  string
		lines []string
		with  func(string) string
	}{
		{"text", text, func(s string) string { return s }},
		{"text by way of syslog", text, func(s string) string { return "Nov 29 09:00:00 mx mailweir[812]: " + timeless.ReplaceAllString(s, "") }},
		{"text with syslog's new times", text, func(s string) string {
			return "2026-11-29T09:00:00.123456+01:00 mx mailweir[812]: " + timeless.ReplaceAllString(s, "")
		}},
		{"json", json, func(s string) string { return s }},
		{"json by way of syslog", json, func(s string) string { return "Nov 29 09:00:00 mx mailweir[812]: " + s }},
	} {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			lines := make([]string, len(form.lines))
			for i, line := range form.lines {
				lines[i] = form.with(line)
			}
			got := bans(t, lines, filter)
			for _, a := range attempts() {
				if client := strings.TrimPrefix(a.client, "::ffff:"); want[client] != got[client] {
					t.Errorf("%s (%s): banned %t, want %t", a.name, client, got[client], want[client])
				}
			}
			for client := range got {
				if !want[client] {
					t.Errorf("%s is banned, who did nothing", client)
				}
			}
		})
	}
	t.Run("a jail may choose the checks", func(t *testing.T) {
		t.Parallel()
		if got := bans(t, text, filter+`[refused="none", deferred="client-block"]`); len(got) != 1 || !got["192.0.2.4"] {
			t.Errorf("banned %v, want 192.0.2.4", got)
		}
	})
	t.Run("the log is hostile", func(t *testing.T) {
		t.Parallel()
		if got := bans(t, text, `.*client="?<ADDR>`); !got[named] {
			t.Errorf("an expression that takes any client= does not fall for it: %v", got)
		}
	})
}

// bans are the addresses that a filter finds in a log.
func bans(t *testing.T, lines []string, filter string) map[string]bool {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := testbed.Fail2banRegex(t, "--out=ip", log, filter)
	if err != nil && !strings.Contains(err.Error(), "exit status 1") { // nothing matched
		t.Fatalf("fail2ban-regex: %v\n%s", err, out)
	}
	found := map[string]bool{}
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" {
			found[line] = true
		}
	}
	return found
}

// TestFiles holds that the example belongs to the filter, and that the filter begins at the
// beginning of a line. That it reads them has "go test" see when they have changed.
func TestFiles(t *testing.T) {
	if lines := lines(t, "jail.conf"); !slices.Contains(lines, "filter = mailweir") || !slices.Contains(lines, "[mailweir]") {
		t.Errorf("jail.conf:\n%s", strings.Join(lines, "\n"))
	}
	for _, line := range lines(t, filter) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, ".*") {
			t.Errorf("%q skips what a client may have written", line)
		}
	}
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}
