package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is the user of no file, and that user's group.
const nobody = 65534

// TestFileRootLeavesToOwner: what root makes in the directory of another user belongs to that user.
func TestFileRootLeavesToOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root gives files away")
	}
	like := t.TempDir()
	if err := os.Chown(like, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "made")
	if err := MakeDir(made, like); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{like, made} {
		f := openFile(t, dir, Options{})
		put(t, f, "a|k", "x", 0)
		checkpoint(t, f)
		if _, err := f.Do(t.Context(), Put("a|entered", nil, 0).Entered()); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(dir)
		if err != nil || len(files) < 3 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, name := range append(files, nil) {
			path := dir
			if name != nil {
				path = filepath.Join(dir, name.Name())
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if whose := info.Sys().(*syscall.Stat_t); whose.Uid != nobody || whose.Gid != nobody {
				t.Errorf("%s belongs to %d:%d", path, whose.Uid, whose.Gid)
			}
		}
	}
}

// TestFileFollowsNoLink: whoever may write in the directory cannot have another file truncated or
// given away.
func TestFileFollowsNoLink(t *testing.T) {
	for _, name := range []string{"holder", "state.db", "state.db.new"} {
		t.Run(name, func(t *testing.T) {
			dir, other := t.TempDir(), filepath.Join(t.TempDir(), "other")
			if err := errors.Join(os.WriteFile(other, []byte("secret"), 0o600), os.Symlink(other, filepath.Join(dir, name))); err != nil {
				t.Fatal(err)
			}
			if f, err := OpenFile(dir, Options{}); err == nil {
				_ = f.Close()
			}
			if raw, err := os.ReadFile(other); err != nil || string(raw) != "secret" {
				t.Errorf("it holds %q, %v", raw, err)
			}
		})
	}
}

// TestFileLookingWritesNothing: a command that only looks leaves no journal behind.
func TestFileLookingWritesNothing(t *testing.T) {
	dir := t.TempDir()
	if there, err := HasState(dir); there || err != nil {
		t.Fatalf("HasState %v, %v", there, err)
	}
	if err := full(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	if there, err := HasState(dir); !there || err != nil {
		t.Fatalf("HasState %v, %v", there, err)
	}
	before, err := os.Stat(rowsName(dir))
	if err != nil {
		t.Fatal(err)
	}
	f := openFile(t, dir, Options{})
	if _, err := f.List(t.Context(), Prefix("a"), "", 10); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(rowsName(dir)); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the file is written: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "journal.*")); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "state.db.new")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
