package ldap

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/table/remote"
	"mailweir/test/testbed"
)

// postmap is the real program, with a configuration of our own.
type postmap struct{ config string }

func newPostmap(t *testing.T) postmap {
	t.Helper()
	testbed.Require(t, "postmap")
	p := postmap{t.TempDir()}
	write(t, filepath.Join(p.config, "main.cf"), "compatibility_level = 3.6\nsmtputf8_enable = yes\nmyhostname = mx.test.example\n")
	return p
}

const (
	notFound = "-" // in place of a value
	failure  = "!"
)

// query asks postmap for keys. It ends at an error; then each key is asked for by itself.
func (p postmap) query(t testing.TB, file string, keys []string) map[string]string {
	t.Helper()
	cmd := exec.Command("postmap", "-c", p.config, "-q", "-", "ldap:"+file)
	cmd.Stdin = strings.NewReader(strings.Join(keys, "\n") + "\n")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	answers := map[string]string{}
	switch fatal := err != nil && strings.Contains(complaint.String(), "fatal:"); {
	case fatal && len(keys) == 1:
		return map[string]string{keys[0]: failure}
	case fatal:
		for _, key := range keys {
			maps.Copy(answers, p.query(t, file, []string{key}))
		}
		return answers
	}
	for _, key := range keys {
		answers[key] = notFound
	}
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		answers[key] = value
	}
	return answers
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// find asks us.
func find(t testing.TB, d remote.Driver, key string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testbed.Patience)
	defer cancel()
	value, found, err := d.Find(ctx, address.Fold(key))
	switch {
	case err != nil:
		t.Logf("%q: %v", key, err)
		return failure
	case !found:
		return notFound
	}
	return value
}

// openFile opens the table of a file.
func openFile(t testing.TB, file string) (remote.Driver, error) {
	t.Helper()
	d, err := remote.Open(Kind(), file)
	if err == nil {
		t.Cleanup(func() { _ = d.Close() })
	}
	return d, err
}

// TestAgainstPostmap holds each key of each file against postmap and against what is expected.
func TestAgainstPostmap(t *testing.T) {
	p := newPostmap(t)
	slapd := testbed.StartSlapd(t, entries, "sizelimit 50")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "domains"), "example.com x\n")
	replace := strings.NewReplacer("$LDAPI", slapd.URL(), "$LDAPS", "ldaps://"+slapd.TLS, "$TLSPORT", testbed.Port(slapd.TLS),
		"$PORT", testbed.Port(slapd.Address), "$LDAP", "ldap://"+slapd.Address, "$CA", slapd.Authority, "$DIR", dir, "$BASE", testbed.LDAPSuffix,
		"$ADMIN", testbed.LDAPAdmin, "$PASSWORD", testbed.LDAPPassword)
	files, theirs := make([]string, len(fileTests)), make([]map[string]string, len(fileTests))
	var wait sync.WaitGroup
	for i, test := range fileTests {
		file := filepath.Join(t.TempDir(), "table.cf")
		text := test.file
		for _, line := range []string{"server_host = $LDAP", "version = 3", "search_base = $BASE", "query_filter = (mail=%s)"} {
			if name, _, _ := strings.Cut(line, " "); !strings.Contains("\n"+text, "\n"+name+" ") {
				text += "\n" + line
			}
		}
		write(t, file, replace.Replace(text+"\n"))
		files[i] = file
		wait.Go(func() { theirs[i] = p.query(t, file, test.asked()) }) // it sleeps for a second when it dies
	}
	wait.Wait()
	for i, test := range fileTests {
		t.Run(test.name, func(t *testing.T) {
			d, err := openFile(t, files[i])
			if err != nil {
				t.Fatal(err)
			}
			for n, key := range test.asked() {
				want := test.keys[2*n+1]
				if theirs[i][key] != want {
					t.Errorf("%q: postmap says %q, want %q", key, theirs[i][key], want)
				}
				if got := find(t, d, key); got != want {
					t.Errorf("%q: %q, want %q", key, got, want)
				}
			}
		})
	}
}

// asked are the keys of a file.
func (f fileTest) asked() []string {
	var keys []string
	for i := 0; i < len(f.keys); i += 2 {
		keys = append(keys, f.keys[i])
	}
	return keys
}
