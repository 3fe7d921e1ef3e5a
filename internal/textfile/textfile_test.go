package textfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
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
		for _, read := range []func(string) ([]byte, error){Read, ReadText} {
			if _, err := read(name); !errors.Is(err, ErrNotRegular) {
				t.Errorf("%s: %v", name, err)
			}
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

func TestSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, maxText+1); err != nil { // it has a hole, and takes no room
		t.Fatal(err)
	}
	if _, err := Read(name); err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Error(err)
	}
}
