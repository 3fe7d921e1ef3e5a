package sql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/table/postfixcf"
	"mailweir/test/testbed"
)

// TLS, option files and localhost mean what they mean to Postfix with MariaDB's library.
func TestMariaDBConnectsAsPostfix(t *testing.T) {
	t.Parallel()
	b, m := mariaDB(t)
	b.must(t, canary+"CREATE USER tls IDENTIFIED BY 'secret' REQUIRE SSL; GRANT ALL ON mail.* TO tls;")
	dir := testbed.TempDir(t)
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		past := time.Now().Add(-time.Hour)
		if os.WriteFile(name, []byte(text), 0o644) != nil || os.Chtimes(name, past, past) != nil {
			t.Fatal("cannot write")
		}
		return name
	}
	other := testbed.StartMariaDB(t).Authority
	port := testbed.Port(m.Address)
	options := write("my.cnf", "[client]\nuser = mail\npassword = wrong\nsocket = '"+m.Socket+"'\nport="+port+"\n[other]\nuser=nobody\n")
	group := write("group.cnf", "# nothing\n[client]\nuser=nobody\n[mail-server]\nuser = mail\nsocket = "+m.Socket+"\n!include "+write("more.cnf", "[client]\nport = "+port+"\n")+"\n")
	ssl := write("ssl.cnf", "[client]\nssl-ca = "+other+"\nport = "+port+"\n")
	const login, base = "user = mail\npassword = secret\n", "dbname = mail\nquery = SELECT v FROM canary WHERE k = '%s'\n"
	tests := []struct{ name, lines, want string }{
		{"TCP", login + "hosts = " + m.Address, "= alive"},
		{"inet", login + "hosts = inet:" + m.Address, "= alive"},
		{"TLS", "user = tls\npassword = secret\nhosts = " + m.Address + "\ntls_CAfile = " + m.Authority, "= alive"},
		{"no TLS where it is required", "user = tls\npassword = secret\nhosts = " + m.Address, "error"},
		{"TLS with the name", login + "hosts = " + m.Address + "\ntls_verify_cert = yes\ntls_CAfile = " + m.Authority, "= alive"},
		{"another authority", login + "hosts = " + m.Address + "\ntls_CAfile = " + other, "error"},
		{"another authority, another name", login + "hosts = " + m.Address + "\ntls_verify_cert = yes\ntls_CAfile = " + other, "error"},
		{"TLS of a socket", login + "hosts = unix:" + m.Socket + "\ntls_CAfile = " + m.Authority, "= alive"},
		{"localhost", login + "hosts = localhost\noption_file = " + options, "= alive"},
		{"no hosts", login + "option_file = " + options, "= alive"},
		{"localhost by inet", login + "hosts = inet:LOCALHOST:1\noption_file = " + options, "= alive"},
		{"user of the option file", "password = secret\noption_file = " + options, "= alive"},
		{"password of the option file", "user = mail\noption_file = " + options, "error"},
		{"port of the option file", login + "hosts = 127.0.0.1\noption_file = " + options, "= alive"},
		{"group", "password = secret\noption_group = mail-server\noption_file = " + group, "= alive"},
		{"group with an included file", "password = secret\nhosts = 127.0.0.1\noption_group = mail-server\noption_file = " + group, "= alive"},
		{"no such group", "password = secret\nhosts = 127.0.0.1\noption_file = " + group, "error"},
		{"authority of the option file", login + "hosts = 127.0.0.1\noption_file = " + ssl, "error"},
		{"several hosts", login + "hosts = 127.0.0.1:1, unix:/nonexistent " + m.Address, "= alive"},
		{"wrong database", login + "hosts = " + m.Address + "\ndbname = nosuch", "error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			own := bed{kind: b.kind}
			file := own.file(t, base+test.lines+"\n")
			if got := own.postmapOne(t, file, "tweety"); got != test.want {
				t.Errorf("postmap: %s, want %s", got, test.want)
			}
			if got := answer(find(t, own.open(t, file), "tweety")); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestReadOptionFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	included := filepath.Join(dir, "d")
	if err := os.Mkdir(included, 0o755); err != nil {
		t.Fatal(err)
	}
	write("d/a.cnf", "[client]\nsocket = /a\n")
	write("d/b.cnf", "[client]\nsocket = /b\n")
	write("d/c.txt", "[client]\nsocket = /c\n")
	tests := []struct{ name, text, socket, err string }{
		{"quotes", "[client]\nsocket = \"/x y\" # comment\n", "/x y", ""},
		{"other group", "[mysqld]\nsocket = /x\n", "", ""},
		{"last counts", "[client]\nsocket = /x\n[client-server]\nsocket=/y\n", "/y", ""},
		{"directory", "[client]\nsocket = /x\n!includedir " + included + "\n", "/b", ""},
		{"underscore", "[client]\nloose-socket = /x\nssl_ca = y\n", "/x", ""},
		{"itself", "!include " + filepath.Join(dir, "itself") + "\n", "", "include each other"},
		{"missing", "!include /nonexistent\n", "", "no such file"},
		{"port", "[client]\nport = x\n", "", "is none"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := write(test.name, test.text)
			f, err := postfixcf.Parse("table.cf", strings.NewReader("option_file = "+file))
			if err != nil {
				t.Fatal(err)
			}
			files := readMySQLFiles(f)
			own, err := files.apply(mysqlOptions{})
			if err == nil && own.port != 3306 {
				t.Errorf("port %d", own.port)
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) || own.socket != test.socket {
				t.Errorf("socket %q, %v", own.socket, err)
			}
		})
	}
}
