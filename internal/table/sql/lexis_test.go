package sql

import (
	"strings"
	"testing"

	"mailweir/internal/table/expand"
)

func TestScan(t *testing.T) {
	my, ansi := mysqlLexis(true, true), mysqlLexis(true, false)
	plain := mysqlLexis(false, true)
	pg, lite := pgsqlLexis(), sqliteLexis()
	tests := []struct {
		name, text string
		lexis      lexis
		want       string // the quotes, or a part of the error behind "!"
	}{
		{"single quotes", "SELECT '%s', '%u@%d'", lite, "'''"},
		{"outside", "SELECT a FROM t WHERE n = %s", my, "!%s stands outside of quotes"},
		{"outside, a digit", "SELECT a FROM %1", pg, "!%1 stands outside of quotes"},
		{"after a quote", "SELECT 'a'%s'b'", pg, "!%s stands outside of quotes"},
		{"no place", "SELECT '%%s', 5 %% 3", pg, ""},
		{"doubled quote", "SELECT 'it''s %s'", pg, "'"},
		{"doubled quote at the end", "SELECT '%s'''", pg, "'"},
		{"open quote", "SELECT '%s", pg, "!is not closed"},
		{"open comment", "SELECT '%s' /*", pg, "!is not closed"},
		{"double quotes are a string", `SELECT "%s", "it's %u"`, my, `""`},
		{"double quotes are an identifier", `SELECT "%s"`, ansi, "!in quotes that are not those of a plain string"},
		{"double quotes of PostgreSQL", `SELECT "%s"`, pg, "!in quotes that are not those of a plain string"},
		{"double quotes of SQLite", `SELECT a FROM t WHERE k = "%s"`, lite, "!in quotes that are not those of a plain string"},
		{"identifier with a quote", `SELECT "it's" , '%s'`, pg, "'"},
		{"escaped quote", `SELECT 'it\'s %s'`, my, "'"},
		{"escaped quote, not escaped", `SELECT 'it\', '%s'`, plain, "'"},
		{"escaped backslash", `SELECT 'a\\', '%s'`, my, "'"},
		{"behind a backslash", `SELECT 'a\%s'`, my, "!behind a backslash"},
		{"behind a backslash that escapes nothing", `SELECT 'a\%s'`, pg, "'"},
		{"behind an escaped backslash", `SELECT 'a\\%s'`, my, "'"},
		{"escaped percent", `SELECT 'a\%%%s'`, my, "'"},
		{"backslash in an identifier", `SELECT "a\", '%s'`, ansi, "'"},
		{"backticks", "SELECT `it's`, '%s'", my, "'"},
		{"place in backticks", "SELECT `%d` FROM t", my, "!in quotes that are not those of a plain string"},
		{"backticks of PostgreSQL", "SELECT '`', '%s'", pg, "'"},
		{"brackets", "SELECT [it's], '%s'", lite, "'"},
		{"place in brackets", "SELECT [%d]", lite, "!in an identifier"},
		{"array", "SELECT a[1], '%s'", pg, "'"},
		{"comment", "SELECT '%s' -- it's", pg, "'"},
		{"comment and a line", "SELECT -- it's\n '%s'", pg, "'"},
		{"place in a comment", "SELECT 1 -- %s", pg, "!in a comment"},
		{"dashes without a blank", "SELECT 1 --'%s'", my, "'"},
		{"dashes without a blank are a comment", "SELECT 1 --'%s'", pg, "!in a comment"},
		{"hash", "SELECT '%s' # it's", my, "'"},
		{"hash of PostgreSQL", "SELECT 1 # 2, '%s'", pg, "'"},
		{"place behind a hash", "SELECT 1 # '%s'", my, "!in a comment"},
		{"block comment", "SELECT /* it's */ '%s'", my, "'"},
		{"nested comment", "SELECT /* /* it's */ it's */ '%s'", pg, "'"},
		{"comment that does not nest", "SELECT /* /* it's */ '%s'", my, "'"},
		{"place in a block comment", "SELECT /* '%s' */ 1", pg, "!in a comment"},
		{"code in a comment", "SELECT /*! STRAIGHT_JOIN */ '%s'", my, "!is not supported"},
		{"code in a comment of MariaDB", "SELECT /*M!100 x */ '%s'", my, "!is not supported"},
		{"escape string", `SELECT E'it\'s', '%s'`, pg, "'"},
		{"place in an escape string", `SELECT E'%s'`, pg, "!in quotes that are not those of a plain string"},
		{"escape string that goes on", "SELECT e'a' \n '%s'", pg, "!in quotes that are not those of a plain string"},
		{"name that ends with e", "SELECT type'%s'", pg, "'"},
		{"e of MySQL", `SELECT e'%s'`, my, "'"},
		{"dollar quotes", "SELECT $$it's$$, $x$it's $$ $x$, '%s'", pg, "'"},
		{"place in dollar quotes", "SELECT $$%s$$", pg, "!in a string of $$"},
		{"open dollar quotes", "SELECT $a$ '%s'", pg, "!is not closed"},
		{"parameter", "SELECT $1, a$b$, '%s'", pg, "'"},
		{"last semicolon", "SELECT '%s'; -- the end", my, "'"},
		{"semicolon in quotes", "SELECT ';', '%s'", my, "'"},
		{"more than one statement", "SELECT '%s'; DELETE FROM t", my, "'+"},
		{"more than one, a string", "SELECT '%s'; ''", my, "'+"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := test.lexis.scan(test.text)
			if want, wrong := strings.CutPrefix(test.want, "!"); wrong {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
				return
			}
			got := string(s.quotes)
			if s.rest {
				got += "+"
			}
			if err != nil || got != test.want {
				t.Errorf("quotes %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// FuzzScan reads templates in every dialect: whatever is in them, as many quotes come back as there
// are places, or an error.
func FuzzScan(f *testing.F) {
	f.Add("SELECT v FROM t WHERE k = '%s' AND \"it's\" <> $q$it's$q$ -- it's")
	f.Add(`SELECT E'\'' '%u@%d' /* /* */ */ ; [a] # x`)
	f.Add("SELECT `a`, '%%%s'")
	f.Fuzz(func(t *testing.T, text string) {
		places := strings.Count(strings.ReplaceAll(text, "%%", ""), "%")
		if _, err := new(expand.Set).Query(text); err != nil {
			return
		}
		for _, l := range []lexis{mysqlLexis(true, true), mysqlLexis(true, false), mysqlLexis(false, true), mysqlLexis(false, false), pgsqlLexis(), sqliteLexis()} {
			s, err := l.scan(text)
			if err == nil && len(s.quotes) != places {
				t.Fatalf("%d quotes of %d places in %q", len(s.quotes), places, text)
			}
			if s.end > len(text) {
				t.Fatalf("the statement ends at %d of %q", s.end, text)
			}
		}
	})
}
