package spool

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"
)

// Both ways to make a file leave nothing in the directory, not even a name that was there.
func TestFiles(t *testing.T) {
	for name, create := range map[string]func(string) (*os.File, error){"without a name": open, "with one": openNamed} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, err := create(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil || info.Mode() != 0o600 || info.Sys().(*syscall.Stat_t).Nlink != 0 {
				t.Errorf("%v, %v", info, err)
			}
			if left, err := os.ReadDir(dir); len(left) != 0 || err != nil {
				t.Errorf("%v, %v", left, err)
			}
			got := writeAndRead(t, file)
			if !bytes.Equal(got, []byte("0123456789")) {
				t.Errorf("%q", got)
			}
		})
	}
}

func writeAndRead(t *testing.T, file *os.File) []byte {
	t.Helper()
	if _, err := file.WriteString("0123456789"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if _, err := file.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	return got
}

// No name, not for a moment: the directory is never written to.
func TestFileNeverHasAName(t *testing.T) {
	dir := t.TempDir()
	before := time.Unix(1_700_000_000, 0)
	if err := os.Chtimes(dir, before, before); err != nil {
		t.Fatal(err)
	}
	file, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if after, err := os.Stat(dir); err != nil || !after.ModTime().Equal(before) {
		t.Errorf("the directory was written to: %v, %v", after.ModTime(), err)
	}
}
