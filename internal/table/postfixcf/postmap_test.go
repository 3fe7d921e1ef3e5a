package postfixcf

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mailweir/test/testbed"
)

// unended is what SQLite says of a constant without an end, from its beginning.
var unended = regexp.MustCompile(`(?s)unrecognized token: "(.*)"\?`)

// TestAsPostfix has Postfix read files at random: its sqlite tables answer a query that is a
// constant, and so show what they have read.
func TestAsPostfix(t *testing.T) {
	testbed.Require(t, "postmap")
	dir := t.TempDir()
	database, name := filepath.Join(dir, "x.db"), filepath.Join(dir, "x.cf")
	for _, file := range []string{database, filepath.Join(dir, "main.cf")} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("postconf", "-c", dir, "-m").CombinedOutput(); err != nil || !strings.Contains(string(out), "sqlite") {
		testbed.Missing(t, "postmap has no sqlite tables (package postfix-sqlite)")
	}
	piece := rapid.SampledFrom([]string{"a", "$b", " ", "\t", "\n ", "\n\t", "\n#x\n ", "\n\n ", "\n  # y\n  ", "=", "#", "ü", "\r\n "})
	noise := rapid.SampledFrom([]string{"", "# x\n", "\n", "other = 1\n", "other =\n  2\n", "query = SELECT 'before'\n", "QUERY = x\n"})
	rapid.Check(t, func(t *rapid.T) {
		middle := strings.Join(rapid.SliceOfN(piece, 1, 8).Draw(t, "pieces"), "")
		if last := middle[strings.LastIndexByte(middle, '\n')+1:]; last != middle && strings.HasPrefix(strings.TrimSpace(last), "#") {
			t.Skip("the end of the constant is in a comment: Postfix sleeps a second before it fails")
		}
		text := noise.Draw(t, "before") + "dbpath = " + database + "\n" + noise.Draw(t, "between") +
			"query" + rapid.SampledFrom([]string{"=", " = ", "\t=  "}).Draw(t, "is") + "SELECT '<" + middle + ">' \n" +
			rapid.SampledFrom([]string{"", "# x\n", "\n\n", "other = 1"}).Draw(t, "after")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour) // Postfix waits for a file that is new
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("postmap", "-c", dir, "-q", "key", "sqlite:"+name)
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		failed := cmd.Run()
		f, err := Parse(name, strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		want := "SELECT '" + strings.TrimSuffix(out.String(), "\n") + "'"
		if failed != nil { // the end of the constant stands in a comment
			rest := unended.FindStringSubmatch(complaint.String())
			if rest == nil {
				t.Fatalf("%v: %s\n%s", failed, complaint.Bytes(), text)
			}
			want = "SELECT " + rest[1]
		}
		got := f.String("query", "")
		if failed != nil { // as the message shows it
			got = strings.NewReplacer("\t", "?", "\r", "?").Replace(got)
		}
		if got != want {
			t.Fatalf("%q, Postfix %q\n%q", got, want, text)
		}
		twice := strings.Contains(strings.Join(f.Remarks(), "\n"), "query is given twice")
		if warned := strings.Contains(complaint.String(), "overriding earlier entry: query"); twice != warned {
			t.Fatalf("twice: %v, Postfix %v: %s", twice, warned, complaint.Bytes())
		}
	})
}
