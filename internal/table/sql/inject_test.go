package sql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// pieces are what hostile local parts are made of.
var pieces = []string{
	"'", "''", "\\", "\\'", "\"", "\\\"", "`", "%", "_", "%s", "%27", "\n", "\r", "\t", "\x1a", "\b", ";", "--", "-- ", "#", "/*", "*/", "/*!", "$$", "$a$",
	"E'", "0x27", "CHAR(39)", " OR 1=1", " UNION SELECT 'CANARY'", "; DELETE FROM canary; ", "'; DELETE FROM canary; --", "@", "a", "Z", ".", " ", "é", "漢", "\U0001f600",
	"\u00bf'", "\u2019", "\ufeff", "\u0131", "ｲ", "\\x27", "\\u0027", "&#39;", "x'27'", "\x01", "\x7f", "\u0080", "<", ">", "(", ")", "=", "|", "||", "{", "}", "[", "]", "?", ":a", "$1", "@@version",
}

// hostile makes a key of some of them.
func hostile(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(8) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// neverInjects asks for hostile keys: the server has to see each of them as the very string that it
// is, none finds what is not its own, and the canary lives.
func (b bed) neverInjects(t *testing.T, echo, query string) {
	t.Helper()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	same := b.open(t, b.file(t, "query = "+echo))
	other := b.open(t, b.file(t, "query = "+query))
	for range 2000 {
		key := hostile(r)
		value, _, err := find(t, same, key)
		if want := "<" + key + ">"; err != nil || value != want {
			t.Fatalf("seed %d: %q reaches the server as %q, %v", seed, key, value, err)
		}
		if value, found, err := find(t, other, key); found || err != nil {
			t.Fatalf("seed %d: %q finds %q, %v", seed, key, value, err)
		}
	}
	if value, _, err := find(t, other, "tweety"); value != "alive" || err != nil {
		t.Fatalf("seed %d: the canary says %q, %v", seed, value, err)
	}
}

const canary = "CREATE TABLE canary (k varchar(1000), v varchar(100)); INSERT INTO canary VALUES ('tweety', 'alive');"

func TestMariaDBInjection(t *testing.T) {
	t.Parallel()
	b, _ := mariaDB(t)
	b.must(t, "ALTER DATABASE mail COLLATE utf8mb4_bin;"+canary)
	const query = "SELECT v FROM canary WHERE k = '%s'"
	for _, mode := range []string{"", "STRICT_TRANS_TABLES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES"} {
		b.must(t, fmt.Sprintf("SET GLOBAL sql_mode = '%s'", mode))
		t.Run(mode, func(t *testing.T) {
			b.neverInjects(t, "SELECT CONCAT('<', '%s', '>')", query)
			if !strings.Contains(mode, "ANSI") {
				b.neverInjects(t, `SELECT CONCAT("<%s", '>')`, `SELECT v FROM canary WHERE k = "%s"`)
				return
			}
			// Postfix's escaping is not made for identifiers: no key reaches such a server.
			_, _, err := find(t, b.open(t, b.file(t, `query = SELECT v FROM canary WHERE k = "%s"`)), "tweety")
			if err == nil || !strings.Contains(err.Error(), "ANSI_QUOTES") {
				t.Errorf("double quotes: %v", err)
			}
		})
	}
	// A server that gives connections a charset in which quotes hide in characters is told another.
	b.must(t, "SET GLOBAL sql_mode = ''; SET GLOBAL character_set_client = gbk, GLOBAL character_set_connection = gbk, GLOBAL init_connect = 'SET NAMES gbk'")
	t.Run("gbk", func(t *testing.T) { b.neverInjects(t, "SELECT CONCAT('<', '%s', '>')", query) })
}

func TestPostgresInjection(t *testing.T) {
	t.Parallel()
	b, _ := postgres(t)
	b.must(t, canary)
	const echo, query = "SELECT '<%s>'", "SELECT v FROM canary WHERE k = '%s'"
	b.neverInjects(t, echo, query)
	// The account's own setting does not count.
	b.must(t, "ALTER ROLE mail SET standard_conforming_strings = off; ALTER ROLE mail SET client_encoding = 'SJIS'; ALTER ROLE mail SET backslash_quote = on")
	b.neverInjects(t, echo, query)
	// A function that changes it ends the connection before the next key.
	b.must(t, "CREATE FUNCTION loose(x text) RETURNS text LANGUAGE sql AS $$SELECT set_config('standard_conforming_strings', 'off', false)$$")
	d := b.open(t, b.file(t, "query = SELECT loose('%s')"))
	for range 3 {
		if value, _, err := find(t, d, `\`); value != "off" || err != nil {
			t.Fatalf("%q, %v", value, err)
		}
	}
}

func TestSQLiteInjection(t *testing.T) {
	t.Parallel()
	b, _ := sqliteFile(t)
	b.must(t, canary)
	b.neverInjects(t, "SELECT '<%s>'", "SELECT v FROM canary WHERE k = '%s'")
}

// What no server can be asked is not found, and asks nobody: the server of this test is not there.
func TestKeysThatAreNotAsked(t *testing.T) {
	b := bed{kind: PgSQL(), account: "hosts = /nonexistent\ndbname = mail\n"}
	d := b.open(t, b.file(t, "query = SELECT '%s'"))
	for _, key := range []string{"", "a\x00b", "\xff", "a\xc3@b.example", "\xed\xa0\x80"} {
		if value, found, err := find(t, d, key); found || err != nil {
			t.Errorf("%q: %q, %v, %v", key, value, found, err)
		}
	}
	if _, _, err := find(t, d, "a"); err == nil {
		t.Error("another key is not asked either")
	}
}
