package sql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entries are the same in all databases.
const entries = `
CREATE TABLE t (k varchar(200), v varchar(200));
INSERT INTO t VALUES
 ('bob@example.org', 'bob'), ('bob', 'local'), ('example.org', 'domain'), ('@example.org', 'catch-all'),
 ('multi@example.org', 'one@a.example'), ('multi@example.org', 'two@b.example'), ('multi@example.org', 'three'),
 ('null@example.org', NULL), ('empty@example.org', ''), ('some@example.org', NULL), ('some@example.org', 'x'), ('some@example.org', ''),
 ('at@example.org', '@a.example'), ('at@example.org', 'b@'), ('comma@example.org', 'a, b'),
 ('o''brien@example.org', 'quote'), ('back/slash@example.org', 'slash'), ('a%b@example.org', 'percent'), ('a_b@example.org', 'underscore'),
 ('dou"ble@example.org', 'double'), ('dollar$@example.org', 'dollar'), ('long@example.org', 'one@a.example,two@b.example'),
 ('<x>', 'marked'), ('semi;colon@example.org', 'semicolon'), ('da--sh@example.org', 'dash'), ('hash#@example.org', 'hash'), ('colon:x@example.org', 'colon'),
 ('canary', 'CANARY');
CREATE TABLE u (k varchar(200), a varchar(200), b varchar(200), n int, f numeric(6,3));
INSERT INTO u VALUES ('bob@example.org', 'first', 'second', 42, 1.5), ('bob@example.org', NULL, 'fourth', 0, -7), ('carol@example.org', '', '', NULL, NULL);
`

// keys are asked for with all settings.
var keys = []string{
	"bob@example.org", "bob", "example.org", "@example.org", "bob@", "@", "carol@example.org", "nobody@example.org", "bob@example.com",
	"multi@example.org", "null@example.org", "empty@example.org", "some@example.org", "at@example.org", "comma@example.org",
	"o'brien@example.org", "back\\slash@example.org", "back/slash@example.org", "a%b@example.org", "a_b@example.org", "axb@example.org",
	"dou\"ble@example.org", "dollar$@example.org", "long@example.org", "semi;colon@example.org", "da--sh@example.org", "hash#@example.org",
	"colon:x@example.org", "bob@sub.example.org", "a@b@example.org", "bob@example.org.", "bob@.example.org", "bob@a..example.org", "%", "_", "%@%",
	"x", "'", "''", "\\", "\\'", "' or '1'='1", "x' union select 'canary", "canary", "canary'--", " bob@example.org", "bob@example.org ", "1", "0x62",
}

// settings are files with the same meaning in all types.
var settings = []struct{ name, lines string }{
	{"whole key", "query = SELECT v FROM t WHERE k = '%s'"},
	{"parts", "query = SELECT v FROM t WHERE k = '%u@%d'"},
	{"capitals", "query = SELECT v FROM t WHERE k = '%U@%D' AND '%S' = '%s'"},
	{"local part", "query = SELECT v FROM t WHERE k = '%u'"},
	{"domain part", "query = SELECT v FROM t WHERE k = '%d'"},
	{"labels", "query = SELECT v FROM t WHERE k = '%u@%2.%1'"},
	{"three labels", "query = SELECT v FROM t WHERE k = '%u@%2.%1' AND '%3' <> ''"},
	{"catch-all", "query = SELECT v FROM t WHERE k = '@%d' AND '%u' <> ''"},
	{"echo", "query = SELECT '%s'"},
	{"echo of parts", "query = SELECT '<%u|%d>'"},
	{"like", "query = SELECT v FROM t WHERE k LIKE '<%s>'"},
	{"percent sign", "query = SELECT v FROM t WHERE k LIKE '%s%%'"},
	{"semicolon", "query = SELECT v FROM t WHERE k = '%s';"},
	{"comments", "query = SELECT v /* it's */ FROM t WHERE k = '%s' -- it's"},
	{"doubled quotes", "query = SELECT 'it''s %s, isn''t it'"},
	{"lines", "query = SELECT v\n  FROM t\n  WHERE k = '%s'"},
	{"order", "query = SELECT v FROM t WHERE k = '%s' ORDER BY v DESC"},
	{"limit", "query = SELECT v FROM t WHERE k = '%s' LIMIT 1"},
	{"union", "query = SELECT v FROM t WHERE k = '%s' UNION SELECT k FROM u WHERE k = '%s'"},
	{"nothing of the key", "query = SELECT v FROM t WHERE k = 'bob'"},
	{"nothing: condition false", "query = SELECT v FROM t WHERE k = '%s' AND 1 = 0"},
	{"numbers", "query = SELECT n FROM u WHERE k = '%s'"},
	{"format of the value", "query = SELECT v FROM t WHERE k = '%s'\nresult_format = %u at %d"},
	{"format of the user", "query = SELECT v FROM t WHERE k = '%s'\nresult_format = <%u>"},
	{"format of the key", "query = SELECT v FROM t WHERE k = '%s'\nresult_format = %S/%U/%D/%1/%%/%s"},
	{"format OK", "query = SELECT v FROM t WHERE k = '%s'\nresult_format = OK"},
	{"format of a transport", "query = SELECT v FROM t WHERE k = '%s'\nresult_format = smtp:[%d]:25"},
	{"nothing: format without a value", "query = SELECT v FROM t WHERE k = '%u'\nresult_format = %3"},
	{"one domain", "query = SELECT v FROM t WHERE k = '%s'\ndomain = example.org"},
	{"nothing: several domains", "query = SELECT v FROM t WHERE k = '%s'\ndomain = a.example, example.com !x.example"},
	{"old form", "table = t\nselect_field = v\nwhere_field = k"},
	{"old form with conditions", "table = t\nselect_field = v\nwhere_field = k\nadditional_conditions = AND v <> 'bob' ORDER BY v"},
	{"query before the old form", "table = none\nquery = SELECT v FROM t WHERE k = '%s'"},
	{"unknown name", "query = SELECT v FROM t WHERE k = '%s'\nqerry = SELECT 1"},
	{"limit that is not reached", "query = SELECT v FROM t WHERE k = '%s'\nexpansion_limit = 3"},
}

// equals holds what the table answers against what Postfix does.
func (b bed) equals(t *testing.T, name, lines string, keys []string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		file := b.file(t, lines)
		want := b.postmap(t, file, keys)
		d := b.open(t, file)
		for _, key := range keys {
			value, found := want[key]
			expected := answer(value, found, nil)
			v, ok, err := find(t, d, key)
			if got := answer(v, ok, err); got != expected {
				t.Errorf("%q: %s, %v; postmap: %s", key, got, err, expected)
			}
		}
		if len(want) == 0 && !strings.HasPrefix(name, "nothing: ") {
			t.Error("Postfix finds nothing at all")
		}
	})
}

func TestMariaDBEqualsPostmap(t *testing.T) {
	t.Parallel()
	b, _ := mariaDB(t)
	b.must(t, "ALTER DATABASE mail COLLATE utf8mb4_bin;"+entries+`INSERT INTO t VALUES ('back\\slash@example.org', 'backslash');
		CREATE PROCEDURE lookup(IN x varchar(255)) SELECT v FROM t WHERE k = x;
		CREATE TABLE d (k varchar(200), a double, f float, t datetime, b bit(8), bb blob, big bigint unsigned, y date, n decimal(10,2));
		INSERT INTO d VALUES ('bob@example.org', 1e20, 1.5, '2020-01-02 03:04:05', b'01000001', 'x', 18446744073709551615, '2020-01-02', 1.50),
		 ('bob@example.org', 0.1, 1e-7, NULL, NULL, NULL, 0, NULL, -1), ('bob@example.org', 123456789012345678, 16777216, NULL, NULL, NULL, 0, NULL, 0),
		 ('bob@example.org', -0.000000000000000012, 1e30, NULL, NULL, NULL, 0, NULL, 0), ('bob@example.org', 1e15, 1e14, NULL, NULL, NULL, 0, NULL, 0),
		 ('bob@example.org', 1234567890123456.5, 123456, NULL, NULL, NULL, 0, NULL, 0), ('bob@example.org', 1e-15, 1e15, NULL, NULL, NULL, 0, NULL, 0),
		 ('bob@example.org', 9.5e-16, 0.000012345, NULL, NULL, NULL, 0, NULL, 0), ('bob@example.org', 0, -0.0, NULL, NULL, NULL, 0, NULL, 0);`)
	for _, s := range settings {
		b.equals(t, s.name, s.lines, keys)
	}
	b.equals(t, "double quotes", `query = SELECT v FROM t WHERE k = "%s"`, keys)
	b.equals(t, "both quotes", `query = SELECT "<%u>", '<%d>'`, keys)
	b.equals(t, "hash", "query = SELECT v FROM t WHERE k = '%s' # it's", keys)
	b.equals(t, "backslashes", `query = SELECT v FROM t WHERE k = '%s' OR k LIKE 'it\'s\\%s'`, keys)
	b.equals(t, "columns", "query = SELECT a, b, n FROM u WHERE k = '%s'", keys)
	b.equals(t, "procedure", "query = CALL lookup('%s')", keys)
	b.equals(t, "types", "query = SELECT a, f, t, b, bb, big, y, n FROM d WHERE k = '%s'", keys)
	b.equals(t, "nothing: no result set", "query = DO '%s'\nrequire_result_set = no", keys[:8])
	b.equals(t, "old UTF-8", "charset = utf8\nquery = SELECT CONCAT('<', '%s', '>')", []string{"müller@example.org", "\U0001f600@x.example"})
	b.equals(t, "more than ASCII", "query = SELECT CONCAT('<', '%s', '>')", []string{"müller@example.org", "漢字@例え.jp", "\U0001f600@x.example", "bob@example.org"})
}

func TestPostgresEqualsPostmap(t *testing.T) {
	t.Parallel()
	b, p := postgres(t)
	b.must(t, entries+`INSERT INTO t VALUES ('back\slash@example.org', 'backslash');
		CREATE FUNCTION lookup(x text) RETURNS SETOF varchar LANGUAGE sql AS 'SELECT v FROM t WHERE k = x';
		CREATE TABLE d (k text, a double precision, t timestamp, b bytea, l boolean, y date, n numeric(10,2), arr text[], j jsonb);
		INSERT INTO d VALUES ('bob@example.org', 1e20, '2020-01-02 03:04:05', 'x', true, '2020-01-02', 1.5, '{a,"b c"}', '{"a": 1}'),
		 ('bob@example.org', 0.1, NULL, NULL, false, NULL, -1, NULL, NULL);`)
	for _, s := range settings {
		b.equals(t, s.name, s.lines, keys)
	}
	b.equals(t, "dollar quotes", "query = SELECT v FROM t WHERE k = '%s' AND $q$it's$q$ <> ''", keys)
	b.equals(t, "escape string", `query = SELECT v FROM t WHERE k = '%s' AND E'it\'s' <> ''`, keys)
	b.equals(t, "identifier", `query = SELECT v AS "it's" FROM t WHERE k = '%s'`, keys)
	b.equals(t, "cast", "query = SELECT v FROM t WHERE k = '%s'::text", keys)
	b.equals(t, "columns", "query = SELECT a, b, n FROM u WHERE k = '%s'", keys)
	b.equals(t, "function", "query = SELECT lookup('%s')", keys)
	b.equals(t, "old function", "select_function = lookup", keys)
	b.equals(t, "types", "query = SELECT * FROM d WHERE k = '%s'", keys)
	b.equals(t, "nothing: a command", "query = SET application_name = '%s'", keys[:8])
	b.account = "user = mail\npassword = secret\ndbname = mail\n"
	b.equals(t, "socket", "hosts = unix:"+p.Socket+"\nquery = SELECT v FROM t WHERE k = '%s'", keys)
	b.equals(t, "socket without unix:", "hosts = "+p.Socket+"\nquery = SELECT v FROM t WHERE k = '%s'", keys)
	b.account = ""
	uri := "dbname = ignored\nhosts = postgresql://mail:secret@" + p.Address + "/mail?sslmode="
	query := "\nquery = SELECT v FROM t WHERE k = '%s'"
	b.equals(t, "URI", uri+"disable"+query, keys)
	b.equals(t, "URI with TLS", uri+"verify-full&sslrootcert="+p.Authority+query, keys)
	b.equals(t, "settings in dbname", "hosts = "+p.Address+"\nuser = mail\npassword = secret\ndbname = dbname=mail sslmode=require"+query, keys)
}

func TestSQLiteEqualsPostmap(t *testing.T) {
	t.Parallel()
	b, db := sqliteFile(t)
	b.must(t, entries+`INSERT INTO t VALUES ('back\slash@example.org', 'backslash');
		CREATE TABLE d (k text, a);
		INSERT INTO d VALUES ('bob@example.org', 1.5), ('bob@example.org', 2.0), ('bob@example.org', 1e20), ('bob@example.org', -3), ('bob@example.org', x'414200'),
		 ('bob@example.org', 0.1), ('bob@example.org', 1e-7), ('bob@example.org', 1e15), ('bob@example.org', 123456789012345678.0);`)
	for _, s := range settings {
		b.equals(t, s.name, s.lines, keys)
	}
	b.equals(t, "columns", "query = SELECT a, b, n FROM u WHERE k = '%s'", keys)
	b.equals(t, "second statement", "query = SELECT v FROM t WHERE k = '%s'; SELECT 'CANARY'", keys)
	b.equals(t, "identifiers", "query = SELECT \"v\", `k`, [k] FROM t WHERE k = '%s'", keys)
	b.equals(t, "types", "query = SELECT a FROM d WHERE k = '%s'", keys)
	b.equals(t, "more than ASCII", "query = SELECT '<%s>'", []string{"müller@example.org", "漢字@例え.jp", "\U0001f600@x.example"})

	// The path may have what means something in a URI.
	odd := filepath.Join(filepath.Dir(db.Path), "mail ?#%41&;.db")
	if err := os.Rename(db.Path, odd); err != nil {
		t.Fatal(err)
	}
	b.account = "dbpath = " + odd + "\n"
	b.equals(t, "path", "query = SELECT v FROM t WHERE k = '%s'", keys)
}
