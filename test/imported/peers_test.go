package imported

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// harbour is the MariaDB and the policy services of iRedMail.
func harbour(t *testing.T, b *bed) []string {
	t.Helper()
	statements, err := os.ReadFile(b.testdata("sql"))
	if err != nil {
		t.Fatal(err)
	}
	db := testbed.StartMariaDB(t)
	if err := db.Do(string(statements)); err != nil {
		t.Fatal(err)
	}
	policyServer(t, b.local+":7777", likeIRedAPD)
	policyServer(t, b.local+":12340", func(map[string]string) string { return "DUNNO" })
	return []string{"127.0.0.1:3306", db.Address}
}

// orchard is the directory of the mail server in containers.
func orchard(t *testing.T, b *bed) []string {
	t.Helper()
	entries, err := os.ReadFile(b.testdata("ldif"))
	if err != nil {
		t.Fatal(err)
	}
	return []string{"127.0.0.1:389", testbed.StartSlapd(t, string(entries)).Address}
}

// rspamd is asked by Postfix.
func rspamd(t *testing.T, b *bed, h *testbed.Host) { startRspamd(t, h, b.local) }

// scanner is an rspamd that mailweir asks, as docs/start/rspamd.md has it: with what the import
// proposes; no multimap stays of which mailweir has the list.
func scanner(t *testing.T, b *bed, h *testbed.Host, r *report) {
	t.Helper()
	for _, name := range b.files(t) {
		if !strings.HasPrefix(name, "rspamd/") {
			continue
		}
		b.edit(t, h, name, func(text string) string {
			lines := strings.SplitAfter(strings.ReplaceAll(text, b.local+":", h.Address+":"), "\n")
			for _, i := range r.Items {
				if i.File == "/etc/rspamd/local.d/multimap.conf" && i.File == "/etc/"+name && i.Fate != "left" {
					lines[i.Line-1] = "\n"
				}
			}
			return strings.Join(lines, "")
		})
	}
	startRspamd(t, h, h.Address)
	b.edit(t, h, "mailweir/conf.d/40-import.conf", func(text string) string {
		if strings.Count(text, "\n#spam-") != 2 {
			t.Errorf("no one to be asked is proposed:\n%s", text)
		}
		text = strings.ReplaceAll(text, "\n#spam-", "\nspam-")
		return "spam = enforce\n" + strings.Replace(text, "127.0.0.1:11333", h.Address+":11333", 1)
	})
}

// startRspamd starts an rspamd that has of the host's configuration what somebody has written: the
// multimaps, the actions and the milter. Beside these it has the worker of rspamd's package.
func startRspamd(t *testing.T, h *testbed.Host, address string) {
	t.Helper()
	dir := filepath.Join(h.Dir, "rspamd")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := strings.NewReplacer("DIR", dir, "ADDRESS", address).Replace(`options {
	pidfile = "DIR/pid"; tempdir = "DIR"; hs_cache_dir = "DIR"; cache_file = "DIR/symbols.cache";
	filters = ""; url_tld = "DIR/suffixes"; history_rows = 1;
	dns { nameserver = ["127.0.0.1"]; sockets = 1; retransmits = 1; timeout = 0.1s; }
}
logging { type = "console"; level = "notice"; }
worker "normal" { bind_socket = "ADDRESS:11333"; count = 2; }
worker "rspamd_proxy" { count = 2; .include "/etc/rspamd/local.d/worker-proxy.inc" }
actions { .include "/etc/rspamd/local.d/actions.conf" }
modules { path = "/usr/share/rspamd/plugins/multimap.lua"; }
multimap { .include "/etc/rspamd/local.d/multimap.conf" }
lua = "DIR/rules.lua";
`)
	write(t, h.Etc("rspamd/rspamd.conf"), conf)
	write(t, filepath.Join(dir, "rules.lua"), "require \"global_functions\" ()\n")
	write(t, filepath.Join(dir, "suffixes"), "com\nexample\n")
	p := h.Start(t, "rspamd", "--no-fork", "--config=/etc/rspamd/rspamd.conf", "--user=root", "--group=root")
	await(t, address+":11332", p)
	await(t, address+":11333", p)
}

// await waits until somebody listens at an address.
func await(t *testing.T, address string, p *testbed.Process) {
	t.Helper()
	if err := testbed.Until(func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err
	}); err != nil {
		t.Fatalf("%v\n%s", err, p.Log)
	}
}

// postgrey starts the host's, as its service does.
func postgrey(t *testing.T, b *bed, h *testbed.Host) {
	t.Helper()
	p := h.StartPostgrey(t, "sh", "-c", `. /etc/default/postgrey; exec postgrey $POSTGREY_OPTS --inet="$0" --pidfile=/dev/null`, b.local+":10023")
	await(t, b.local+":10023", p)
}

// greylisting fills a database of postgrey by a postgrey, who is told that it was done in the past.
func greylisting(t *testing.T, b *bed) []string {
	t.Helper()
	b.lib = testbed.TempDir(t)
	if err := os.Mkdir(filepath.Join(b.lib, "postgrey"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postgrey:postgrey", filepath.Join(b.lib, "postgrey")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := b.host(t)
	p := h.StartPostgrey(t, "postgrey", "--inet="+b.local+":10023", "--delay=600", "--max-age=60", "--pidfile=/dev/null")
	await(t, b.local+":10023", p)
	conn, err := net.Dial("tcp", b.local+":10023")
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	now := time.Now()
	ask := func(client, sender string, ago time.Duration) {
		request := fmt.Sprintf("request=smtpd_access_policy\nclient_address=%s\nclient_name=unknown\nsender=%s\nrecipient=carla@kestrel.example\npolicy_test_time=%d\n\n",
			client, sender, now.Add(-ago).Unix())
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		for line := ""; line != "\n"; {
			if line, err = answers.ReadString('\n'); err != nil {
				t.Fatalf("%v\n%s", err, p.Log)
			}
		}
	}
	const day = 24 * time.Hour
	ask("198.18.30.5", "regular@customer.example", 10*day)
	ask("198.18.30.5", "regular@customer.example", 10*day-20*time.Minute)
	ask("198.18.32.5", "once@customer.example", 10*day)
	ask("198.18.33.5", "long.ago@customer.example", 300*day)
	ask("198.18.33.5", "long.ago@customer.example", 300*day-20*time.Minute)
	for i := range 6 {
		sender := fmt.Sprintf("often%d@customer.example", i)
		ago := time.Duration(20-i) * day
		ask("198.18.40.5", sender, ago)
		ask("198.18.40.5", sender, ago-20*time.Minute)
	}
	_ = conn.Close() // it waits for its clients
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", h.Lib("postgrey"), b.lib).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return nil
}
