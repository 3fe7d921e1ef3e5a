package postgrey

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

// then is when the mail of these tests came.
var then = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// mails are asked of a postgrey: at, client, sender, recipient.
func mails(t *testing.T, p *testbed.Postgrey, all ...[4]string) {
	t.Helper()
	var questions []testbed.PostgreyQuestion
	for _, m := range all {
		after, err := time.ParseDuration(m[0])
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, testbed.PostgreyQuestion{Client: m[1], Sender: m[2], Recipient: m[3], Now: then.Add(after)})
	}
	asked(t, p, questions)
}

// databaseOf reads the database of a postgrey that may be running, with these options.
func databaseOf(t *testing.T, dir, options string) string {
	t.Helper()
	root := tree(t, map[string]string{"etc/default/postgrey": fmt.Sprintf("POSTGREY_OPTS='--dbdir=/db %s'\n", options)})
	if err := os.Symlink(dir, filepath.Join(root, "db")); err != nil {
		t.Fatal(err)
	}
	in := &importing.Input{Root: root, Paths: []string{root + "/etc/default/postgrey"}, Run: mta.Programs(time.Minute)}
	r, err := Source().Read(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var items []importing.Item
	for _, i := range r.Items {
		if strings.HasSuffix(i.File, triplets) {
			items = append(items, i)
		}
	}
	return told(&importing.Result{Items: items, Memory: r.Memory}, root)
}

// TestDatabase: what a running postgrey remembers, without a word of its own.
func TestDatabase(t *testing.T) {
	testbed.Require(t, "postgrey")
	none := []string{"--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null"}
	const some = "some@else.example"
	traffic := [][4]string{
		{"0s", "192.0.2.7", some, "bob@ours.example"},
		{"0s", "192.0.2.7", "prvs=1234567890=A-12@else.example", "Bob+x@ours.example"},
		{"0s", "192.0.2.7", "list+bounce-77=bob@else.example", "bob@ours.example"},
		{"0s", "2001:db8:1:2::3", "", "postmaster"},
		{"0s", "2001:db8:1:2::3", "a/b@else.example", "c/d/e@ours.example"},
		{"0s", "198.51.100.1", some, "carol@ours.example"},
		{"10m", "192.0.2.8", some, "bob@ours.example"},
		{"10m", "192.0.2.7", "prvs=9999567890=a-13@else.example", "Bob+x@ours.example"},
		{"10m", "192.0.2.7", "list+bounce-78=bob@else.example", "bob@ours.example"},
		{"90m", "2001:db8:1:2::3", "", "postmaster"},
		{"3m", "198.51.100.1", some, "carol@ours.example"},
	}
	for name, options := range map[string]string{"subnet": "--auto-whitelist-clients=1", "host": "--lookup-by-host --auto-whitelist-clients=2", "hashed": "--privacy"} {
		t.Run(name, func(t *testing.T) {
			p := testbed.StartPostgrey(t, append(none, strings.Fields(options)...)...)
			mails(t, p, traffic...)
			files := listing(t, p.Dir)
			got := databaseOf(t, p.Dir, options)
			if now := listing(t, p.Dir); now != files {
				t.Errorf("the directory has changed from\n%s to\n%s", files, now)
			}
			// The question by which the harness waits for postgrey is of now.
			var lines []string
			for line := range strings.Lines(got) {
				if !strings.HasPrefix(line, "127.0.0.") {
					lines = append(lines, line)
				}
			}
			golden(t, "database-"+name, strings.Join(lines, ""))
			if _, err := p.Ask(testbed.PostgreyQuestion{Sender: "after@else.example", Recipient: "b@ours.example", Now: then}); err != nil {
				t.Errorf("it is not well: %v", err)
			}
			if err := p.Stop(); err != nil {
				t.Fatal(err)
			}
			if again := databaseOf(t, p.Dir, options); name != "hashed" && !strings.Contains(again, `"after@else.example"`) {
				t.Errorf("after its end it is\n%s", again)
			}
		})
	}
}

// listing is a directory with sizes and times.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d %s\n", e.Name(), info.Size(), info.ModTime())
	}
	return b.String()
}

// TestDump: what db_dump writes in either format, where the database itself is elsewhere.
func TestDump(t *testing.T) {
	const head = "VERSION=3\nformat=print\ntype=btree\ndb_pagesize=4096\nHEADER=END\n"
	root := tree(t, map[string]string{
		"etc/default/postgrey": "POSTGREY_OPTS='--inet=10023 --delay=60 --auto-whitelist-clients=0'\n",
		"dump":                 head + " 192.0.2.0/a\\5cb@x.example/b@y.example\n 1795867200,1795867260\n 192.0.2.0/odd\n 1,2\n 192.0.2.0/a@b/c\n x,2\nDATA=END\n",
		"clients.dump":         "VERSION=3\nformat=bytevalue\nHEADER=END\n 3139322e302e322e31\n 352c31373935383637323030\nDATA=END\n",
	})
	r := from(t, nil, root, "/etc/default/postgrey", "/dump", "/clients.dump")
	golden(t, "dump", told(r, root))
	for name, text := range map[string]string{"cut": head + " a\n b\n", "odd": head + " a\nDATA=END\n", "blank": head + "a\n", "hex": "VERSION=3\nHEADER=END\n xy\n", "escape": head + " \\x\n"} {
		root := tree(t, map[string]string{"dump": text})
		in := &importing.Input{Root: root, Paths: []string{root + "/dump"}, Run: nothing}
		if _, err := Source().Read(t.Context(), in); err == nil || !strings.Contains(err.Error(), root+"/dump: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestDatabaseUnreadable: it is said why, and what to do, and everything else is imported.
func TestDatabaseUnreadable(t *testing.T) {
	for name, run := range map[string]mta.Run{"no perl": mta.Programs(time.Minute), "no reader": nothing} {
		root := tree(t, map[string]string{"db/" + triplets: "no database", "etc/postgrey/whitelist_clients": "a.example\n"})
		in := &importing.Input{Root: root, Dir: "/x", Paths: []string{root + "/etc/postgrey", root + "/db"}, Run: run}
		r, err := Source().Read(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Items) != 2 || r.Items[0].Fate != importing.Carried || r.Items[1].Fate != importing.Left || !strings.Contains(r.Items[1].Reason, "db_dump") {
			t.Errorf("%s: %+v", name, r.Items)
		}
	}
}

// TestKeys: a key in its three parts, of which two may have slashes in them.
func TestKeys(t *testing.T) {
	for key, want := range map[string]string{
		"192.0.2.0/a@b/c@d":            "192.0.2.0 a@b c@d",
		"192.0.2.0//c@d":               "192.0.2.0  c@d",
		"192.0.2.0//postmaster":        "192.0.2.0  postmaster",
		"192.0.2.0//x/y@b/c@d":         "192.0.2.0 /x/y@b c@d",
		"192.0.2.0/a/b@c/d/e@f":        "192.0.2.0 a/b@c d/e@f",
		"192.0.2.0/a@b/postmaster":     "192.0.2.0 a@b postmaster",
		"2001:db8:0:0:0:0:0:0/a@b/c@d": "2001:db8:: a@b c@d",
		"192.0.2.0/nobody/c@d":         "192.0.2.0 nobody c@d",
		"192.0.2.0/":                   "",
		"192.0.2.0/a@b":                "",
		"192.0.2.0/a@b/":               "",
		"x/a@b/c@d":                    "",
		"fe80::1%eth0/a@b/c@d":         "",
	} {
		got := ""
		if client, sender, recipient, ok := cutKey(key, false); ok {
			got = fmt.Sprint(client, " ", sender, " ", recipient)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}
