package ldap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/table/postfixcf"
	"mailweir/internal/table/remote"
	"mailweir/test/testbed"
)

// whole is a file with nothing to say about.
const whole = "server_host = localhost\nsearch_base = dc=test\nquery_filter = (mail=%s)\nresult_attribute = mail\n"

// TestFileErrors: what cannot work is an error that names file and line. Postfix dies at some of
// these, or fails for every key.
func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty.pem"), "no certificate\n")
	for _, test := range []struct{ lines, want string }{
		{"query_filter = (mail=%x)", `query_filter: unknown "%x"`},
		{"query_filter = (mail=%s", `query_filter: "(mail=%s" is no search filter: the parentheses`},
		{"query_filter = mail", "query_filter: "},
		{"query_filter = (&(mail=%s)(cn=**))", "query_filter: "},
		{"search_base = dc=%", "search_base:"},
		{"result_format = %x", "result_format:"},
		{"result_filter = %x", "result_filter:"},
		{"result_filter =", "result_filter: is empty"},
		{"domain = hash:/nonexistent/x", "domain:"},
		{"domain = ldap:/nonexistent/x", "domain:"},
		{"bind = maybe", `bind: "maybe"`},
		{"bind = sasl", "bind: sasl"},
		{"bind = sasl\nsasl_mechs = GSSAPI", "sasl_mechs:"},
		{"bind = sasl\nsasl_mechs = EXTERNAL\nsasl_authz_id = x", "sasl_authz_id:"},
		{"bind = sasl\nsasl_mechs = EXTERNAL\nsasl_minssf = 56", "sasl_minssf:"},
		{"bind_dn = cn=x", "bind_dn: there is no bind_pw"},
		{"server_host =", "server_host: no server"},
		{"server_host = http://x", "server_host:"},
		{"server_host = ldap://[::1", "server_host:"},
		{"server_host = ldap://a:b", "server_host:"},
		{"server_host = a:99999", "server_host:"},
		{"server_host = ldap://cn=x:secret@a", "server_host: a user or password is no part of a server's name"},
		{"server_port = x", "server_port:"},
		{"version = 1", "version:"},
		{"timeout = 0", "timeout:"},
		{"timeout = -1", "timeout:"},
		{"timeout = 1s", "timeout:"},
		{"scope =", "scope:"},
		{"recursion_limit = 0", "recursion_limit:"},
		{"expansion_limit = -1", "expansion_limit:"},
		{"size_limit = many", "size_limit:"},
		{"chase_referrals = yes", "chase_referrals: is not supported"},
		{"chase_referrals = on", "chase_referrals:"},
		{"start_tls = true", "start_tls:"},
		{"start_tls = yes\nserver_host = ldaps://localhost", "start_tls: does not go with ldaps"},
		{"start_tls = yes\ntls_ca_cert_file = /nonexistent/ca.pem", "tls_ca_cert_file:"},
		{"start_tls = yes\ntls_ca_cert_dir = /nonexistent", "tls_ca_cert_dir:"},
		{"start_tls = yes\ntls_require_cert = yes\ntls_ca_cert_file = " + dir + "/empty.pem", "tls_ca_cert_file:"},
		{"start_tls = yes\ntls_cert = /nonexistent/cert.pem\ntls_key = /nonexistent/key.pem", "tls_cert:"},
		{"start_tls = yes\ntls_cert = /nonexistent/cert.pem", "tls_cert: a certificate needs its key"},
	} {
		t.Run(test.lines, func(t *testing.T) {
			file := filepath.Join(dir, "table.cf")
			write(t, file, whole+"# in front of it\n"+test.lines+"\n")
			_, err := openFile(t, file)
			name, _, _ := strings.Cut(test.want, ":")
			line := 6
			for i, l := range strings.Split(test.lines, "\n") {
				if strings.HasPrefix(l, name+" ") {
					line = 6 + i
				}
			}
			if err == nil || !strings.HasPrefix(err.Error(), file+":"+string(rune('0'+line))+": "+test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("no search_base", func(t *testing.T) {
		file := filepath.Join(dir, "table.cf")
		write(t, file, "query_filter = (mail=%s)\n")
		if _, err := openFile(t, file); err == nil || !strings.Contains(err.Error(), "search_base: is missing") {
			t.Errorf("error %v", err)
		}
	})
}

func TestFileRemarks(t *testing.T) {
	for _, test := range []struct{ lines, want string }{
		{"", ""},
		{"version = 3\ndebuglevel = 1\ntls_random_file = /dev/random\nsasl_realm = x\nchase_referrals = no", ""},
		{"server_hsot = a", `nothing here is called "server_hsot"`},
		{"version = 2", "version 3 of LDAP is spoken, not 2"},
		{"scope = nonsense", `the scope "nonsense" is unknown`},
		{"dereference = 9", "dereference is 0 to 3"},
		{"query_filter = (mail=x)", "query_filter is the same for every key: it needs %s"},
		{"result_attribute =", "no attribute is asked for"},
		{"result_attribute =\nleaf_result_attribute = mail\nspecial_result_attribute = member", ""},
		{"cache = yes", "cache is ignored"},
		{"tls_cipher_suite = HIGH", "tls_cipher_suite is ignored"},
		{"bind_dn = cn=x\nbind_pw = very-secret", ""},
		{"server_host = ldap://127.0.0.1 ldapi:///run/ldapi localhost\nbind_dn = cn=x\nbind_pw = very-secret", ""},
		{"server_host = ldap.example\nbind_dn = cn=x\nbind_pw = very-secret", "goes to ldap://ldap.example:389 in clear text"},
		{"server_host = ldap.example\nbind = no\nbind_dn = cn=x\nbind_pw = very-secret", ""},
		{"server_host = ldaps://ldap.example\nbind_dn = cn=x\nbind_pw = very-secret", "its certificate is not looked at"},
		{"server_host = ldap.example\nstart_tls = yes\ntls_require_cert = yes\nbind_dn = cn=x\nbind_pw = very-secret", ""},
	} {
		t.Run(test.lines, func(t *testing.T) {
			f, err := postfixcf.Parse("table.cf", strings.NewReader(without(whole, test.lines)+test.lines+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := open(remote.Source{File: f}); err != nil {
				t.Fatal(err)
			}
			remarks := strings.Join(f.Remarks(), "\n")
			if (remarks == "") != (test.want == "") || !strings.Contains(remarks, test.want) {
				t.Errorf("remarks:\n%s", remarks)
			}
			if strings.Contains(remarks, "very-secret") {
				t.Errorf("a password is shown:\n%s", remarks)
			}
		})
	}
}

// without leaves out the lines whose names the others give.
func without(text, others string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if name, _, _ := strings.Cut(line, " "); !strings.Contains("\n"+others, "\n"+name+" ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestServers(t *testing.T) {
	for word, want := range map[string]string{
		"a":                         "ldap://a:1389 tcp a:1389",
		"a:1":                       "ldap://a:1 tcp a:1",
		"[::1]":                     "ldap://[::1]:389 tcp [::1]:389",
		"[::1]:1":                   "ldap://[::1]:1 tcp [::1]:1",
		"ldap://a":                  "ldap://a:389 tcp a:389",
		"LDAPS://a":                 "ldaps://a:636 tcp a:636",
		"ldaps://a:1/dc=x":          "ldaps://a:1 tcp a:1",
		"ldap://":                   "ldap://localhost:389 tcp localhost:389",
		"ldap://[2001:db8::1]":      "ldap://[2001:db8::1]:389 tcp [2001:db8::1]:389",
		"ldapi://%2frun%2Fldapi":    "ldapi:///run/ldapi unix /run/ldapi",
		"ldapi://%2frun%2Fldapi/":   "ldapi:///run/ldapi unix /run/ldapi",
		"ldapi:///run/ldapi":        "ldapi:///run/ldapi unix /run/ldapi",
		"ldapi://":                  "ldapi:///var/run/slapd/ldapi unix /var/run/slapd/ldapi",
		"ldapi:///":                 "ldapi:///var/run/slapd/ldapi unix /var/run/slapd/ldapi",
		"ldap://a%2eexample:389/??": "ldap://a.example:389 tcp a.example:389",
	} {
		s, err := parseServer(word, 1389)
		if err != nil {
			t.Errorf("%s: %v", word, err)
		} else if got := s.name + " " + s.network + " " + s.address; got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

// TestInspect: what a person is told of a table whose server answers.
func TestInspect(t *testing.T) {
	slapd := testbed.StartSlapd(t, entries)
	url := "ldap://" + slapd.Address
	for _, test := range []struct{ name, lines, text, remark string }{
		{"plain", "", url + " answers as anonymous; base dc=test exists", ""},
		{"who", "bind_dn = " + testbed.LDAPAdmin + "\nbind_pw = " + testbed.LDAPPassword, url + " answers as cn=admin,dc=test; base dc=test exists", ""},
		{"no base", "search_base = ou=nowhere,dc=test", url + " answers as anonymous; base not found", "search_base ou=nowhere,dc=test:"},
		{"a base of the key", "search_base = ou=%d,dc=test", url + " answers as anonymous; the base depends on the key", ""},
		{"an attribute that nothing has", "result_attribute = title", url + " answers as anonymous; base dc=test exists", "has title: nothing will be found"},
		{"one of two", "result_attribute = title, mail", url + " answers as anonymous; base dc=test exists", ""},
		{"several servers", "server_host = 127.0.0.1:1 " + url, "2 servers, " + url + " answers as anonymous; base dc=test exists", "does not answer: ldap://127.0.0.1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := table(t, url, test.lines)
			text, remarks, err := d.Inspect(t.Context())
			if err != nil || text != test.text {
				t.Errorf("%q, %v; want %q", text, err, test.text)
			}
			all := strings.Join(remarks, "\n")
			if (all == "") != (test.remark == "") || !strings.Contains(all, test.remark) {
				t.Errorf("remarks: %s", all)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		d := table(t, url, "bind_dn = "+testbed.LDAPAdmin, "bind_pw = wrong-secret")
		if _, _, err := d.Inspect(t.Context()); err == nil || strings.Contains(err.Error(), "wrong-secret") || !strings.Contains(err.Error(), "bind as cn=admin,dc=test") {
			t.Errorf("error %v", err)
		}
	})
}

// TestCertificates: a server's certificate is looked at as libldap does, and ours is shown.
func TestCertificates(t *testing.T) {
	slapd := testbed.StartSlapd(t, entries, "access to * by dn.exact=cn=postfix,dc=test read by * none")
	cert, key := slapd.ClientCertificate("postfix")
	ca := "tls_require_cert = yes\ntls_ca_cert_file = " + slapd.Authority
	dir := t.TempDir()
	pem, err := os.ReadFile(slapd.Authority)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "any.0"), string(pem))
	write(t, filepath.Join(dir, "README"), "no certificate\n")
	external := "bind = sasl\nsasl_mechs = external\ntls_cert = " + cert + "\ntls_key = " + key + "\n"
	for _, test := range []struct{ name, server, lines, want string }{
		{"without ours", "ldaps://" + slapd.TLS, ca, failure},
		{"ours", "ldaps://" + slapd.TLS, external + ca, "chefin,boss"},
		{"ours by STARTTLS", "ldap://" + slapd.Address, "start_tls = yes\n" + external + ca, "chefin,boss"},
		{"a directory of authorities", "ldaps://" + slapd.TLS, external + "tls_require_cert = yes\ntls_ca_cert_dir = " + dir, "chefin,boss"},
		{"by name", "ldaps://localhost:" + testbed.Port(slapd.TLS), external + ca, "chefin,boss"},
		{"another address", "ldaps://127.0.0.2:" + testbed.Port(slapd.TLS), external + ca, failure},
		{"another authority", "ldaps://" + slapd.TLS, external + "tls_require_cert = yes", failure},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := find(t, table(t, test.server, test.lines), "boss@example.com"); test.lines != "" && got != test.want && (test.want != failure || got != notFound) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
