package textfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pipe, dir, os.DevNull} {
		if _, err := Open(name); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadText(name); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestText(t *testing.T) {
	name := filepath.Join(t.TempDir(), "text")
	for content, want := range map[string]error{"": nil, "a": nil, "ab\n": nil, "\xef\xbb": nil, "\xef\xbb\xbfa": ErrMark, "\xef\xbb\xbf": ErrMark} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		data, err := ReadText(name)
		if !errors.Is(err, want) || err == nil && string(data) != content {
			t.Errorf("%q: %q, %v", content, data, err)
		}
	}
}
