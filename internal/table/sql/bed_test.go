package sql

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/table/remote"
	"mailweir/test/testbed"
)

// bed is a database with what connects to it.
type bed struct {
	kind    remote.Kind
	account string // lines of a file that connect
	do      func(string) error
}

// mariaDB starts one, with the user mail, whose password is secret.
func mariaDB(t testing.TB, args ...string) (bed, *testbed.MariaDB) {
	t.Helper()
	testbed.Require(t, "postmap")
	m := testbed.StartMariaDB(t, args...)
	b := bed{MySQL(), "user = mail\npassword = secret\ndbname = mail\nhosts = unix:" + m.Socket + "\n", m.Do}
	b.must(t, "CREATE USER mail IDENTIFIED BY 'secret'; GRANT ALL ON mail.* TO mail;")
	return b, m
}

func postgres(t testing.TB, args ...string) (bed, *testbed.Postgres) {
	t.Helper()
	testbed.Require(t, "postmap")
	p := testbed.StartPostgres(t, args...)
	b := bed{PgSQL(), "user = mail\npassword = secret\ndbname = mail\nhosts = inet:" + p.Address + "\n", p.Do}
	b.must(t, "CREATE USER mail PASSWORD 'secret'; GRANT ALL ON SCHEMA public TO mail; "+
		"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO mail;")
	return b, p
}

// sqliteFile makes an empty database.
func sqliteFile(t testing.TB) (bed, *testbed.SQLite) {
	t.Helper()
	testbed.Require(t, "postmap")
	s := testbed.StartSQLite(t)
	return bed{SQLite(), "dbpath = " + s.Path + "\n", s.Do}, s
}

func (b bed) must(t testing.TB, statements string) {
	t.Helper()
	if err := b.do(statements); err != nil {
		t.Fatal(err)
	}
}

// file writes a file with these lines, behind those that connect unless it has its own.
func (b bed) file(t testing.TB, lines string) string {
	t.Helper()
	name := filepath.Join(testbed.TempDir(t), "table.cf")
	// Postfix waits for two seconds where a file may still be being written.
	past := time.Now().Add(-time.Hour)
	if err := errors.Join(os.WriteFile(name, []byte(b.account+lines), 0o644), os.Chtimes(name, past, past)); err != nil {
		t.Fatal(err)
	}
	return name
}

// open opens the file and closes it at the end of the test.
func (b bed) open(t testing.TB, file string) *table {
	t.Helper()
	d, err := remote.Open(b.kind, file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d.(*table)
}

// find asks as mailweir does, within a time that no server needs.
func find(t testing.TB, d remote.Driver, key string) (string, bool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return d.Find(ctx, key)
}

// answer is what a table says of a key, in one line.
func answer(value string, found bool, err error) string {
	switch {
	case err != nil:
		return "error"
	case !found:
		return "-"
	}
	return "= " + value
}

// postmap asks Postfix for all the keys at once; a key is missing from the answers if it was not
// found.
func (b bed) postmap(t testing.TB, file string, keys []string) map[string]string {
	t.Helper()
	cmd := exec.Command("postmap", "-q", "-", b.kind.Name+":"+file)
	cmd.Stdin = strings.NewReader(strings.Join(keys, "\n") + "\n")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if strings.Contains(said.String(), "fatal:") {
		t.Fatalf("postmap: %v\n%s", err, &said)
	}
	answers := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		answers[key] = value
	}
	return answers
}

// postmapOne asks Postfix for one key.
func (b bed) postmapOne(t testing.TB, file, key string) string {
	t.Helper()
	cmd := exec.Command("postmap", "-q", key, b.kind.Name+":"+file)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case strings.Contains(said.String(), "fatal:"):
		return "error"
	case err != nil:
		return "-"
	}
	return "= " + strings.TrimSuffix(string(out), "\n")
}
