package postfixcf_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mailweir/internal/table/postfixcf"
	"mailweir/internal/textfile"
)

func TestReadOther(t *testing.T) {
	dir := t.TempDir()
	pipe, large, small := filepath.Join(dir, "pipe"), filepath.Join(dir, "large"), filepath.Join(dir, "small")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(large, nil, 0o600), os.Truncate(large, 1<<30),
		os.WriteFile(small, []byte("text"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe} {
		if _, err := postfixcf.ReadOther(path); !errors.Is(err, textfile.ErrNotRegular) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := postfixcf.KeyPair(small, path); !errors.Is(err, textfile.ErrNotRegular) {
			t.Errorf("a key %s: %v", path, err)
		}
	}
	if _, err := postfixcf.ReadOther(large); err == nil {
		t.Error("1 GiB is read")
	}
	if got, err := postfixcf.ReadOther(small); err != nil || !bytes.Equal(got, []byte("text")) {
		t.Errorf("%q, %v", got, err)
	}
}
