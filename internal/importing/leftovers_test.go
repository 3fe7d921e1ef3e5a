package importing

import (
	"os"
	"path/filepath"
	"testing"
)

// What a run that was killed has left behind goes with the next one, and nothing else.
func TestLeftovers(t *testing.T) {
	h := newHost(t)
	read := source("a", "file a-list=x", "flag list=/a-list")
	h.apply(read)
	gone := []string{"." + ledgerFile + ".12345", ".a-list.1", "../conf.d/.40-import.conf.77"}
	kept := []string{".mine", ".a-list.bak", ".other.12", "../conf.d/.70-local.conf.77"}
	for _, name := range append(kept, gone...) {
		if err := os.WriteFile(filepath.Join(h.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.apply(read) // nothing else is to be done
	for _, name := range kept {
		if _, err := os.Lstat(filepath.Join(h.Dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range gone {
		if _, err := os.Lstat(filepath.Join(h.Dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}
