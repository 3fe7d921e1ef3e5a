package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// subject is a peer, and the mail that it is asked about.
type subject struct {
	name string
	// start starts the peer and returns where it listens.
	start func(testbed.TB) (network, target string)
	// flags have mailweir ask the peer at an address.
	flags func(tb testbed.TB, address string) []string
	// letter is the nth message. Numbers are not used twice in a cell.
	letter func(n int) letter
	// within is how long an answer may take.
	within time.Duration
	// accepts says that mail goes on unchecked while the peer is away.
	accepts bool
	// atSocket says that the flags take the path of a unix socket.
	atSocket bool
	// logins says that it is asked about passwords, by mailweir auth. A letter is then to a login,
	// its body a password, and its answer "auth 235" or "auth 535".
	logins bool
}

// letter is a message, and its answer when the peer is well: "end 250", "rcpt 550", "end 554".
type letter struct{ to, header, body, want string }

const (
	beforeData = 8*time.Second + slack
	atTheEnd   = 60 * time.Second
	atLogin    = 10*time.Second + slack
	// slack is for a machine that has much else to do.
	slack = 2 * time.Second
)

var subjects = []subject{
	{name: "tcp", start: startTables, within: beforeData, letter: recipients, flags: func(_ testbed.TB, address string) []string {
		return recipientSource("tcp:" + address)
	}},
	{name: "socketmap", start: startTables, within: beforeData, letter: recipients, flags: func(_ testbed.TB, address string) []string {
		return recipientSource("socketmap:inet:" + address + ":users")
	}},
	{name: "slapd", start: startSlapd, within: beforeData, letter: recipients, flags: func(tb testbed.TB, address string) []string {
		return recipientSource("ldap:" + file(tb, "server_host = ldap://"+address+"\nversion = 3\nsearch_base = dc=test\nquery_filter = (mail=%s)\nresult_attribute = maildrop\n"))
	}},
	{name: "MariaDB", start: startMariaDB, within: beforeData, letter: recipients, flags: func(tb testbed.TB, address string) []string {
		return recipientSource("mysql:" + file(tb, "hosts = inet:"+address+"\nuser = mail\npassword = secret\ndbname = mail\nquery = SELECT a FROM t WHERE a = '%s'\n"))
	}},
	{name: "PostgreSQL", start: startPostgres, within: beforeData, letter: recipients, flags: func(tb testbed.TB, address string) []string {
		return recipientSource("pgsql:" + file(tb, "hosts = inet:"+address+"\nuser = mail\npassword = secret\ndbname = mail\nquery = SELECT a FROM t WHERE a = '%s'\n"))
	}},
	{name: "next-server", start: startNextServer, within: beforeData, letter: fewRecipients, flags: func(_ testbed.TB, address string) []string {
		return recipientSource("smtp:" + address)
	}},
	{name: "LMTP", start: startLMTP, within: beforeData, letter: fewRecipients, flags: func(_ testbed.TB, address string) []string {
		return recipientSource("lmtp:" + address)
	}},
	{name: "Dovecot-userdb", start: startUserdb, atSocket: true, within: beforeData, letter: recipients, flags: func(_ testbed.TB, address string) []string {
		return recipientSource("dovecot:unix:" + address)
	}},
	{name: "Dovecot-auth", start: startDovecot, logins: true, within: atLogin, letter: passwords, flags: func(_ testbed.TB, address string) []string {
		return []string{"--auth-upstream=inet:" + address}
	}},
	{name: "clamd", start: startClamd, within: atTheEnd, letter: viruses, flags: func(_ testbed.TB, address string) []string {
		return []string{"--virus-scanner=clamd:tcp:" + address}
	}},
	{name: "rspamd", start: startRspamd, within: atTheEnd, letter: spam, accepts: true, flags: func(_ testbed.TB, address string) []string {
		return []string{"--local-domains=inline:{example.org=x}", "--spam-scanner=rspamd:http://" + address}
	}},
	{name: "spamd", start: startSpamd, within: atTheEnd, letter: spam, accepts: true, flags: func(_ testbed.TB, address string) []string {
		return []string{"--local-domains=inline:{example.org=x}", "--spam-scanner=spamd:" + address}
	}},
}

func recipientSource(source string) []string {
	return []string{"--local-domains=inline:{example.org=x}", "--recipient-source=example.org=" + source}
}

// users is how many recipients there are, user0@example.org and so on.
const users = 1000

// recipients are every other time somebody who does not exist.
func recipients(n int) letter {
	if n%2 == 1 {
		return letter{to: fmt.Sprintf("nobody%d@example.org", n), want: "rcpt 550"}
	}
	return letter{to: fmt.Sprintf("user%d@example.org", n%users), want: "end 250"}
}

// fewRecipients are as many as a next server may be asked about within a minute.
func fewRecipients(n int) letter { return recipients(n / 10) }

func viruses(n int) letter {
	if n%2 == 1 {
		return letter{to: "bob@example.org", body: testbed.Eicar, want: "end 554"}
	}
	return letter{to: "bob@example.org", body: "hello", want: "end 250"}
}

func spam(n int) letter {
	if n%2 == 1 {
		return letter{to: "bob@example.org", body: "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X", want: "end 554"}
	}
	return letter{to: "bob@example.org", body: "hello", want: "end 250"}
}

func file(tb testbed.TB, text string) string {
	name := filepath.Join(testbed.TempDir(tb), "table.cf")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		tb.Fatalf("faults: %v", err)
	}
	return name
}

func do(tb testbed.TB, err error) {
	if err != nil {
		tb.Fatalf("faults: %v", err)
	}
}

func startTables(tb testbed.TB) (network, target string) {
	t := testbed.StartTables(tb)
	var entries strings.Builder
	for i := range users {
		fmt.Fprintf(&entries, "tcp user%[1]d@example.org = x\nusers user%[1]d@example.org = x\n", i)
	}
	do(tb, t.Do(entries.String()))
	return "tcp", t.Address
}

func startSlapd(tb testbed.TB) (network, target string) {
	var entries strings.Builder
	for i := range users {
		fmt.Fprintf(&entries, "dn: cn=user%[1]d,dc=test\nobjectClass: mailThing\nmail: user%[1]d@example.org\nmaildrop: user%[1]d\n\n", i)
	}
	return "tcp", testbed.StartSlapd(tb, entries.String(), "index mail eq").Address
}

// rows are statements that both databases take.
func rows() string {
	var values []string
	for i := range users {
		values = append(values, fmt.Sprintf("('user%d@example.org')", i))
	}
	return "CREATE TABLE t (a varchar(255) PRIMARY KEY); INSERT INTO t VALUES " + strings.Join(values, ",") + ";\n"
}

func startMariaDB(tb testbed.TB) (network, target string) {
	m := testbed.StartMariaDB(tb)
	do(tb, m.Do(rows()+"CREATE USER mail IDENTIFIED BY 'secret'; GRANT ALL ON mail.* TO mail"))
	return "tcp", m.Address
}

func startPostgres(tb testbed.TB) (network, target string) {
	p := testbed.StartPostgres(tb)
	do(tb, p.Do(rows()+"CREATE USER mail PASSWORD 'secret'; GRANT ALL ON t TO mail"))
	return "tcp", p.Address
}

func startNextServer(tb testbed.TB) (network, target string) {
	maps := filepath.Join(testbed.TempDir(tb), "users")
	do(tb, os.WriteFile(maps, []byte("/^user[0-9]+@example.org$/ x\n"), 0o644))
	return "tcp", testbed.StartNextServer(tb, "virtual_mailbox_maps = regexp:"+maps).Address
}

func startLMTP(tb testbed.TB) (network, target string) { return "unix", mailboxes(tb, 50).LMTP }

func startUserdb(tb testbed.TB) (network, target string) { return "unix", mailboxes(tb, users).Userdb }

func mailboxes(tb testbed.TB, n int) *testbed.Mailboxes {
	m := testbed.StartMailboxes(tb)
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("user%d@example.org", i))
	}
	do(tb, m.Do(strings.Join(names, "\n")))
	return m
}

func startClamd(tb testbed.TB) (network, target string) {
	return "tcp", strings.TrimPrefix(testbed.StartClamd(tb).TCP, "clamd:tcp:")
}

func startRspamd(tb testbed.TB) (network, target string) {
	return "tcp", testbed.StartRspamd(tb).Address
}

func startSpamd(tb testbed.TB) (network, target string) { return "tcp", testbed.StartSpamd(tb).Address }
