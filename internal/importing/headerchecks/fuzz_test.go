package headerchecks

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/table"
)

// FuzzRead reads any small table: each line is accounted for, what was written opens, and nothing
// is refused that the old table lets pass. The old table is read by internal/table here, which is
// held against postmap elsewhere.
func FuzzRead(f *testing.F) {
	for _, file := range []string{"header_checks", "header_checks.new", "mime_header_checks", "body_checks"} {
		text, err := os.ReadFile("testdata/company/etc/postfix/" + file)
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range parseRules(file, string(text), false) {
			f.Add(r.logical.text, strings.HasSuffix(file, ".new"), file == "body_checks")
		}
	}
	f.Add("if /^From:/\n!/x/ REJECT $1\nendif\n /y/ REJECT\n/^From:.*<a@b\\.c>/ REJECT # x\n/\\Q.\\E[[:alpha:]/ WARN\n", false, false)
	f.Add("/^From: (?!@a\\.b)jane doe/ REJECT\n|a|b|c REJECT\n/^Subject:.{1,1000}{1,1000}/ REJECT\n", false, false)
	f.Add("/^Subject: b/ DUNNO\n/^Subject:.*a/ REJECT\n/a$/ WARN\n", true, true)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, posix, body bool) {
		if len(text) > 500 {
			return
		}
		checks := filepath.Join(dir, "checks")
		write(t, checks, text)
		kind, main, option := "pcre:", map[string]string{}, "-h"
		if posix {
			kind = "regexp:"
		}
		for _, parameter := range []string{"header_checks", "mime_header_checks", "nested_header_checks"} {
			main[parameter] = kind + checks
		}
		if body {
			main, option = map[string]string{"body_checks": kind + checks}, "-b"
		}
		result, err := read(t.Context(), inputOf(dir, main))
		if err != nil {
			t.Fatal(err)
		}
		accounted(t, result, checks, text)
		if len(result.Flags) == 0 {
			return
		}
		fresh := open(t, result, t.TempDir())
		old, err := table.NewLoader(nil).Open(kind + checks)
		if err != nil {
			return
		}
		g := generator{rand.New(rand.NewPCG(1, uint64(len(text))))}
		for _, r := range parseRules(checks, text, posix) {
			for range 5 {
				line := strings.Join(strings.Fields(g.spoil(g.from(r))), " ")
				if option == "-h" && (!seenAlike(line) || strings.HasPrefix(strings.ToLower(line), "from:")) || line == "" || !isASCII(line) {
					continue
				}
				m, err := old.Lookup(t.Context(), line)
				action, _ := cutAction(m.Value)
				if got := fresh.answers(t, option, line); err == nil && got && action != "REJECT" && action != "WARN" {
					t.Errorf("%q: old %q, mailweir refuses it\n%s", line, m.Value, printed(result))
				}
			}
		}
	})
}
