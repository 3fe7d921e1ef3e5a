package table_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/table"
	"mailweir/internal/table/tabletest"
)

// Each key is asked before the next, in memory and of a table that waits: with the first ones taken
// away, the answers follow in order. What is not asked finds nothing.
func TestRecipientSequence(t *testing.T) {
	for _, tc := range []struct {
		name, address, delimiters string
		want                      []string
	}{
		{"extension", "User+Ext@A.example", "+", []string{"user+ext@a.example", "user@a.example", "user+ext", "user", "@a.example"}},
		{"no delimiter", "user+ext@a.example", "", []string{"user+ext@a.example", "user+ext", "@a.example"}},
		{"never split", "postmaster-x@a.example", "+", []string{"postmaster-x@a.example", "postmaster-x", "@a.example"}},
		{"IDN", "user@bücher.example", "+", []string{"user@xn--bcher-kva.example", "user@bücher.example", "user", "@xn--bcher-kva.example", "@bücher.example"}},
		{"quoted", `"a b"@c.example`, "+", []string{"a b@c.example", `"a b"@c.example`, "a b", `"a b"`, "@c.example"}},
		{"an address in quotes", `"x@else.example"@c.example`, "+", []string{"x@else.example@c.example", `"x@else.example"@c.example`, "@c.example"}},
		{"no domain", "user", "+", []string{"user"}},
		{"null sender", "<>", "+", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			options := table.ListOptions{Use: table.Use{Values: table.Any}, Delimiters: tc.delimiters}
			for i := range len(tc.want) + 1 {
				lines := []string{".a.example x", "a.example x", "user@ x", "c.example x", "@else.example x", "x@else.example x", "other x"}
				var inMemory []string // a blank in a key stands in quotes
				var tables tabletest.Tables
				for _, key := range tc.want[i:] {
					tables.Table("a").Put(key, "found")
					if key[0] == '"' || !strings.Contains(key, " ") {
						inMemory = append(inMemory, key)
						lines = append(lines, key+" found")
					}
				}
				file := filepath.Join(t.TempDir(), "recipients")
				if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				for spec, want := range map[string][]string{file: inMemory, "test:a": tc.want[i:]} {
					m, err := openWaiting(t, &tables, options, spec).Recipient(t.Context(), address.Parse(tc.address))
					if err != nil || m.Found() != (len(want) > 0) || len(want) > 0 && m.Key != want[0] {
						t.Errorf("%s with %d keys taken away: %q, %v; want %q", spec, i, m.Key, err, want)
					}
				}
				if asked := tables.Table("a").Asked(); i == len(tc.want) && !slices.Equal(asked, tc.want) {
					t.Errorf("asked %q, want %q", asked, tc.want)
				}
			}
		})
	}
}
