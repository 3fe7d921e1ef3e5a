package sql

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// A file that is put in place of another is read, though connections to the first are kept.
func TestSQLiteReplaced(t *testing.T) {
	b, s := sqliteFile(t)
	b.must(t, canary)
	d := b.open(t, b.file(t, "query = SELECT v FROM canary WHERE k = '%s'"))
	together(t, d, 3)
	next, n := sqliteFile(t)
	next.must(t, strings.Replace(canary, "alive", "reborn", 1))
	if err := os.Rename(n.Path, s.Path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := answer(find(t, d, "tweety")); got != "= reborn" {
			t.Errorf("after the file was replaced: %s", got)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := answer(find(t, d, "tweety")); got != "error" {
		t.Errorf("without the file: %s", got)
	}
	if _, err := os.Stat(s.Path); err == nil {
		t.Error("the file was made")
	}
}

// What others write is seen at once, and who writes holds nobody up for long.
func TestSQLiteWriters(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		t.Run(mode, func(t *testing.T) {
			b, _ := sqliteFile(t)
			b.must(t, "PRAGMA journal_mode = "+mode+";"+canary)
			d := b.open(t, b.file(t, "query = SELECT v FROM canary WHERE k = '%s'"))
			together(t, d, 2)
			b.must(t, "UPDATE canary SET v = 'changed'")
			if got := answer(find(t, d, "tweety")); got != "= changed" {
				t.Errorf("after a change: %s", got)
			}
		})
	}
}

// The error of a write-ahead log that cannot be read says what to do.
func TestSQLiteLogInAForeignDirectory(t *testing.T) {
	testbed.Require(t, "root")
	b, _ := sqliteFile(t)
	b.must(t, "PRAGMA journal_mode = WAL;"+canary)
	cmd := exec.Command("setpriv", "--reuid=nobody", "--clear-groups", os.Args[0], "-test.run=^TestSQLiteFindsAsNobody$")
	cmd.Env = append(os.Environ(), "MAILWEIR_SQLITE_FILE="+b.file(t, "query = SELECT v FROM canary WHERE k = '%s'"))
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "PRAGMA journal_mode=DELETE does without") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSQLiteFindsAsNobody is run by the test above as another user.
func TestSQLiteFindsAsNobody(t *testing.T) {
	file := os.Getenv("MAILWEIR_SQLITE_FILE")
	if file == "" {
		t.Skip("not run by another test")
	}
	value, _, err := find(t, bed{kind: SQLite()}.open(t, file), "tweety")
	t.Fatalf("%q, %v", value, err)
}
