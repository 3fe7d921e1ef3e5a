package importing

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestMakeDirWhateverTheUmask(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "imported")
	before := syscall.Umask(0o077)
	err := makeDir(dir)
	syscall.Umask(before)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o755 {
		t.Errorf("mode %o, want 755: the service could not read what is imported", got)
	}
}
