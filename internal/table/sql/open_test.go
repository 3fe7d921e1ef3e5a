package sql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/table/postfixcf"
	"mailweir/internal/table/remote"
)

const query_ = "query = SELECT v FROM t WHERE k = '%s'\n"

// Files with what is not supported are refused, with the line; what may be unexpected is a remark.
func TestOpen(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	tests := []struct {
		name, lines string
		kinds       string
		err         string   // a part of it
		remarks     []string // parts of them, in their order
	}{
		{"complete", "DATABASE\nresult_format = %s\ndomain = example.org\nexpansion_limit = 1\n" + query_, "mysql pgsql sqlite", "", nil},
		{"no query", "DATABASE\n", "mysql pgsql sqlite", "FILE: query: is missing", nil},
		{"empty query", "DATABASE\nquery =\n", "mysql pgsql sqlite", "FILE:2: query: is missing", nil},
		{"no database", query_, "mysql pgsql", "FILE: dbname: is missing", nil},
		{"no path", query_, "sqlite", "FILE: dbpath: is missing", nil},
		{"relative path", query_ + "dbpath = db\n", "sqlite", `FILE:2: dbpath: "db" is not a whole path`, nil},
		{"unknown letter", "DATABASE\nquery = SELECT '%x'\n", "mysql pgsql sqlite", `FILE:2: query: unknown "%x"`, nil},
		{"unknown letter of the format", "DATABASE\nresult_format = %x\n" + query_, "mysql pgsql sqlite", `FILE:2: result_format: unknown "%x"`, nil},
		{"place without quotes", "DATABASE\nquery = SELECT v FROM t WHERE k = %s\n", "mysql pgsql sqlite", "FILE:2: query: %s stands outside of quotes", nil},
		{"place without quotes, old form", "DATABASE\ntable = t\nselect_field = v\nwhere_field = k\nadditional_conditions = AND n = %d\n", "mysql pgsql sqlite", "FILE:2: table: %d stands outside of quotes", nil},
		{"old form, incomplete", "DATABASE\ntable = t\nselect_field = v\n", "mysql pgsql sqlite", "FILE: where_field: is missing", nil},
		{"two statements", "dbname = m\nquery = SELECT '%s'; DELETE FROM t\n", "mysql pgsql", "FILE:2: query: has more than one statement", nil},
		{"two statements, the second has a place", "dbpath = /db\nquery = SELECT '%s'; DELETE FROM t WHERE k = '%d'\n", "sqlite", "", []string{"FILE:2: what follows the first statement"}},
		{"number", "DATABASE\nexpansion_limit = many\n" + query_, "mysql pgsql sqlite", "FILE:2: expansion_limit", nil},
		{"domain without a file", "DATABASE\ndomain = " + missing + "\n" + query_, "mysql pgsql sqlite", "FILE:2: domain: ", nil},
		{"charset", "dbname = m\ncharset = gbk\n" + query_, "mysql", `FILE:2: charset: "gbk" is not supported`, nil},
		{"encoding", "dbname = m\nencoding = sjis\n" + query_, "pgsql", `FILE:2: encoding: "SJIS" is not supported`, nil},
		{"require_result_set", "dbname = m\nrequire_result_set = maybe\n" + query_, "mysql", "FILE:2: require_result_set", nil},
		{"unknown port", "dbname = m\nhosts = 127.0.0.1:nonsense\n" + query_, "mysql pgsql", `FILE:2: hosts: "127.0.0.1:nonsense" has no port that is known`, nil},
		{"relative socket", "dbname = m\nhosts = unix:run/s\n" + query_, "mysql", "FILE:2: hosts: ", nil},
		{"password in a host", "dbname = m\nhosts = u:s3cret@127.0.0.1\n" + query_, "mysql pgsql", "FILE:2: hosts: a user or password is no part of a server's name; write them as user = … and password = …", nil},
		{"URI of MySQL", "dbname = m\nhosts = mysql://u:s3cret@127.0.0.1/m\n" + query_, "mysql pgsql", "FILE:2: hosts: a user or password is no part of a server's name; write them as user = … and password = …", nil},
		{"slash in a password of a URI", "hosts = postgresql://u:3/s3cret@127.0.0.1/m\n" + query_, "pgsql", "FILE:1: hosts: the URI is none", nil},
		{"bad URI", "hosts = postgresql://u:s3cret@[::1/m\n" + query_, "pgsql", "FILE:1: hosts: the URI is none", nil},
		{"bad setting of a URI", "hosts = postgresql://u:s3cret@127.0.0.1/m?sslmode=s3cret\n" + query_, "pgsql", "FILE:1: hosts: 127.0.0.1: ", nil},
		{"option file", "dbname = m\noption_file = " + missing + "\n" + query_, "mysql", "FILE:2: option_file: ", nil},
		{"CA file", "dbname = m\nhosts = 127.0.0.1\ntls_CAfile = " + missing + "\n" + query_, "mysql", "FILE:3: tls_CAfile: ", nil},
		{"certificate without a key", "dbname = m\ntls_cert_file = " + missing + "\n" + query_, "mysql", "FILE:2: tls_cert_file: needs tls_key_file", nil},
		{"unknown name", "DATABASE\nhots = x\n" + query_, "mysql pgsql sqlite", "", []string{"FILE:2: nothing here is called \"hots\""}},
		{"clear text", "dbname = m\nhosts = db.example\n" + query_, "mysql pgsql", "", []string{"FILE:2: what is asked of db.example"}},
		{"clear text, but by a URI", "hosts = postgresql://u:s3cret@db.example/m?sslmode=disable\n" + query_, "pgsql", "", []string{"FILE:1: what is asked of db.example"}},
		{"TLS with whomever", "hosts = postgresql://db.example/m?sslmode=require\n" + query_, "pgsql", "", []string{"FILE:1: whether db.example is who it says"}},
		{"TLS", "dbname = m\nhosts = db.example\ntls_verify_cert = yes\n" + query_, "mysql", "", nil},
		{"loopback", "dbname = m\nhosts = 127.0.0.1 localhost [::1]:5433 ::1 unix:/run/s\n" + query_, "mysql pgsql", "", nil},
	}
	kinds := map[string]remote.Kind{"mysql": MySQL(), "pgsql": PgSQL(), "sqlite": SQLite()}
	for _, test := range tests {
		for _, name := range strings.Fields(test.kinds) {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "table.cf")
				database := map[string]string{"sqlite": "dbpath = /db"}[name]
				if database == "" {
					database = "dbname = m"
				}
				if err := os.WriteFile(file, []byte(strings.Replace(test.lines, "DATABASE", database, 1)), 0o600); err != nil {
					t.Fatal(err)
				}
				text := func(s string) string { return strings.ReplaceAll(s, "FILE", file) }
				f, err := postfixcf.Read(file)
				if err != nil {
					t.Fatal(err)
				}
				_, err = kinds[name].Open(remote.Source{Spec: name + ":" + file, Text: file, File: f})
				if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), text(test.err)) {
					t.Errorf("error %v, want %q", err, text(test.err))
				}
				if err != nil {
					if strings.Contains(strings.ReplaceAll(err.Error(), "sslmode", ""), "s3cret@") || strings.Contains(err.Error(), "u:s3cret") {
						t.Errorf("the error shows a password: %v", err)
					}
					return
				}
				remarks := f.Remarks()
				if len(remarks) != len(test.remarks) && !(name != "sqlite" && strings.HasPrefix(test.name, "two")) {
					t.Errorf("remarks %q, want %q", remarks, test.remarks)
				}
				for i, want := range test.remarks {
					if i < len(remarks) && !strings.Contains(remarks[i], text(want)) {
						t.Errorf("remark %q, want %q", remarks[i], text(want))
					}
				}
			})
		}
	}
}
