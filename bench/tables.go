package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// tableKeys is how many keys are asked for in a round; half of them have an entry.
const tableKeys = 20_000

// benchTable is a table that lives elsewhere, as a file of Postfix's.
type benchTable struct {
	name, spec string
}

// tables measures what a key costs that no cache has, one after the other, beside Postfix's own
// program with the same file.
func (b *bench) tables() error {
	fmt.Printf("%d keys one after the other, nothing cached, half of them with an entry, µs a key:\n\n", tableKeys)
	row("table", "postmap -q -", "mailweir table query -", "ratio")
	row("---", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	tables, err := databases(h)
	if err != nil {
		return err
	}
	directories, err := directory(h)
	if err != nil {
		return err
	}
	tables = append(tables, directories...)
	var keys strings.Builder
	for i := range tableKeys {
		fmt.Fprintf(&keys, "user%d@example.org\n", i)
	}
	for _, t := range tables {
		var postfix, own, ratio sample
		for range b.rounds {
			theirs, err := askTable(keys.String(), "postmap", "-q", "-", t.spec)
			if err != nil {
				return err
			}
			ours, err := askTable(keys.String(), b.mailweir, "table", "query", t.spec, "-")
			if err != nil {
				return err
			}
			postfix, own, ratio = append(postfix, theirs), append(own, ours), append(ratio, ours/theirs)
		}
		row(t.name, postfix.String(), own.String(), fmt.Sprintf("%.2f", ratio.median()))
	}
	fmt.Println()
	return b.kept()
}

// askTable returns how many microseconds a key takes, start of the program included.
func askTable(keys string, program string, args ...string) (float64, error) {
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(keys)
	var said bytes.Buffer
	cmd.Stderr = &said
	began := time.Now()
	out, err := cmd.Output()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", cmd, err, &said)
	}
	if found := bytes.Count(out, []byte("\n")); found != tableKeys/2 {
		return 0, fmt.Errorf("%s: %d keys found, not %d", cmd, found, tableKeys/2)
	}
	return float64(took.Microseconds()) / tableKeys, nil
}

// databases starts one of each kind, with an index on its keys.
func databases(h testbed.TB) ([]benchTable, error) {
	var rows strings.Builder
	rows.WriteString("CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, maildir varchar(255)); INSERT INTO mailbox VALUES ")
	for i := range tableKeys / 2 {
		fmt.Fprintf(&rows, "('user%d@example.org', 'example.org/user%d/'),\n", 2*i, 2*i)
	}
	entries := strings.TrimSuffix(rows.String(), ",\n") + ";\n"
	m, p, s := testbed.StartMariaDB(h), testbed.StartPostgres(h), testbed.StartSQLite(h)
	err := errors.Join(
		m.Do(entries+"CREATE USER mail IDENTIFIED BY 'secret'; GRANT ALL ON mail.* TO mail"),
		p.Do(entries+"CREATE USER mail PASSWORD 'secret'; GRANT ALL ON mailbox TO mail"),
		s.Do(entries))
	if err != nil {
		return nil, err
	}
	dir := testbed.TempDir(h)
	const login = "user = mail\npassword = secret\ndbname = mail\n"
	var tables []benchTable
	for _, t := range []struct{ name, kind, lines string }{
		{"MariaDB, socket", "mysql", login + "hosts = unix:" + m.Socket},
		{"MariaDB, TCP", "mysql", login + "hosts = " + m.Address},
		{"PostgreSQL, TCP with TLS", "pgsql", login + "hosts = " + p.Address},
		{"SQLite", "sqlite", "dbpath = " + s.Path},
	} {
		file := filepath.Join(dir, fmt.Sprintf("%d.cf", len(tables)))
		if err := writeOld(file, t.lines+"\nquery = SELECT maildir FROM mailbox WHERE username = '%s'\n"); err != nil {
			return nil, err
		}
		tables = append(tables, benchTable{t.name, t.kind + ":" + file})
	}
	return tables, nil
}

// directory starts one with an index on its keys, for each way to it.
func directory(h testbed.TB) ([]benchTable, error) {
	var entries strings.Builder
	for i := range tableKeys / 2 {
		fmt.Fprintf(&entries, "dn: cn=user%[1]d,dc=test\nobjectClass: mailThing\nmail: user%[1]d@example.org\nmaildrop: user%[1]d\n\n", 2*i)
	}
	s := testbed.StartSlapd(h, entries.String(), "index objectClass,mail eq") // it looks for referrals as well
	dir := testbed.TempDir(h)
	var tables []benchTable
	for _, t := range []struct{ name, url string }{
		{"OpenLDAP, socket", s.URL()},
		{"OpenLDAP, TCP", "ldap://" + s.Address},
		{"OpenLDAP, TLS", "ldaps://" + s.TLS},
	} {
		file := filepath.Join(dir, fmt.Sprintf("ldap%d.cf", len(tables)))
		text := "server_host = " + t.url + "\nversion = 3\nsearch_base = dc=test\nquery_filter = (mail=%s)\nresult_attribute = maildrop\n"
		if err := writeOld(file, text); err != nil {
			return nil, err
		}
		tables = append(tables, benchTable{t.name, "ldap:" + file})
	}
	return tables, nil
}

// writeOld writes a file that seems old: for one that was written a moment ago Postfix waits.
func writeOld(file, text string) error {
	old := time.Now().Add(-time.Hour)
	return errors.Join(os.WriteFile(file, []byte(text), 0o644), os.Chtimes(file, old, old))
}
