package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nor where a password stands in the name of a server, of a table, a scanner or a mail server,
// where none belongs; and it is not looked up.
func TestNoPasswordOfAServerIsPrinted(t *testing.T) {
	const secret = "s3cr3t"
	dir := t.TempDir()
	cf := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const query = "user = u\npassword = x\ndbname = d\nquery = SELECT '%s'\nhosts = "
	tables := []string{
		"ldap:" + cf("l1", "search_base = o=x\nserver_host = ldap://admin:"+secret+"@127.0.0.1\n"),
		"ldap:" + cf("l2", "search_base = o=x\nserver_host = ldap://admin:a/"+secret+"@127.0.0.1\n"),
		"ldap:" + cf("l3", "search_base = o=x\nserver_host = admin:a,"+secret+"@127.0.0.1\n"),
		"ldap:" + cf("l4", "search_base = o=x\nserver_host = h bind_pw="+secret+"\n"),
		"pgsql:" + cf("p1", query+"pf:"+secret+"@127.0.0.1:1\n"),
		"pgsql:" + cf("p2", query+"host=127.0.0.1 password="+secret+"\n"),
		"pgsql:" + cf("p3", query+"postgresql://u:a/"+secret+"@127.0.0.1/d\n"),
		"pgsql:" + cf("p4", query+"postgresql://u:a,"+secret+"@127.0.0.1/d\n"),
		"pgsql:" + cf("p5", query+"postgresql://127.0.0.1/"+secret+"@127.0.0.1/d\n"),
		"pgsql:" + cf("p6", query+"postgresql:///d?host=u:"+secret+"@127.0.0.1\n"),
		"pgsql:" + cf("p7", query+"pf:1,"+secret+"@127.0.0.1:1\n"),
		"mysql:" + cf("m1", query+"pf:"+secret+"@127.0.0.1\n"),
		"mysql:" + cf("m2", query+"mysql://pf:"+secret+"@127.0.0.1/d\n"),
		"mysql:" + cf("m3", query+"inet:pf:"+secret+"@127.0.0.1:1\n"),
	}
	files := len(tables)
	const login = "u:" + secret + "@127.0.0.1"
	tables = append(tables,
		"smtp:"+login, "lmtp:"+login+":24", "smtp:["+login+"]:25", "dovecot:"+login, "tcp:"+login+":1", "socketmap:inet:"+login+":1:n",
		"ldap:{server_host=127.0.0.1,bind_pw="+secret+"}", "ldap:{ bind_pw = "+secret+" }", "ldap:"+login,
		"ldap://"+login+"/x", "mysql://"+login+"/d", "mysql://u:a/"+secret+"@h", "proxy:pgsql://"+login, "memcache:"+login, login)
	for i, spec := range tables {
		for _, flag := range []string{"client-block-list=", "recipient-source=*=", "recipient-source=", "local-domains="} {
			for _, line := range []string{"--" + flag + spec, "--config=" + cf("flags", flag+spec+"\n")} {
				for _, command := range []string{"config", "check", "explain", "serve"} {
					place := i < files && command != "config" && command != "serve" && flag == "client-block-list="
					wantNothing(t, secret, command, []string{line}, place)
				}
			}
		}
		wantNothing(t, secret, "table query", []string{spec, "k"}, i < files)
	}
	for _, spec := range []string{"clamd:tcp:" + login + ":1", "clamd:" + login, "tcp:" + login, login} {
		wantNothing(t, secret, "check", []string{"--virus-scanner=" + spec}, false)
		wantNothing(t, secret, "check", []string{"--spam-scanner=" + spec}, false)
		for _, flag := range []string{"auth-upstream", "auth-listen", "auth-milter", "control", "listen", "http", "dns"} {
			wantNothing(t, secret, "check", []string{"--" + flag + "=inet:" + login + ":1"}, false)
		}
	}
}

// wantNothing runs a command that fails, and does not show the secret. place is whether the error
// must name the line of a file.
func wantNothing(t *testing.T, secret, command string, args []string, place bool) {
	t.Helper()
	args = append(strings.Fields(command), args...)
	if command == "serve" {
		args = append(args, "--control=nowhere") // it must not begin
	}
	var out, errs bytes.Buffer
	code := run(args, &out, &errs, "")
	text := out.String() + errs.String()
	if strings.Contains(text, secret) || command != "config" && code == 0 || place && !strings.Contains(text, ": hosts: ") && !strings.Contains(text, ": server_host: ") {
		t.Errorf("mailweir %q (%d): %s", args, code, text)
	}
}
