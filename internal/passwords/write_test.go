package passwords

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passwd")
	before := "# keep this\n" + entry("alice", "one") + "\n" + strings.TrimSuffix(entry("Bob", "two"), "\n")
	for _, c := range []struct {
		name, text, login string
		kept              []string // lines
	}{
		{"a new file", "", "alice", nil},
		{"a new entry", before, "carol", strings.Split(before, "\n")},
		{"another password", before, "ALICE", []string{"# keep this", "", strings.TrimSuffix(entry("Bob", "two"), "\n")}},
		{"of the last line", before, "bob", []string{"# keep this", strings.TrimSuffix(entry("alice", "one"), "\n"), ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_ = os.Remove(path)
			if c.text != "" {
				write(t, path, c.text)
			}
			if err := Set(path, c.login, []byte("new")); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(text), "\n") {
				t.Error("the last line has no end")
			}
			for _, line := range c.kept {
				if !strings.Contains(string(text), line+"\n") {
					t.Errorf("the line %q is gone", line)
				}
			}
			f, err := Open(path, nil)
			if err != nil || !right(f, c.login, "new") || right(f, c.login, "one") {
				t.Errorf("%v; the password is not the new one", err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if left, err := filepath.Glob(filepath.Dir(path) + "/.*"); err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	path := write(t, "passwd", entry("alice", "one")+entry("bob", "two"))
	if err := Delete(path, "Alice"); err != nil {
		t.Fatal(err)
	}
	if err := Delete(path, "alice"); !errors.Is(err, ErrNoEntry) {
		t.Error(err)
	}
	if err := Delete(path, "a b"); !errors.Is(err, ErrNoEntry) {
		t.Error(err)
	}
	f, err := Open(path, nil)
	if err != nil || f.Len() != 1 || right(f, "alice", "one") || !right(f, "bob", "two") {
		t.Errorf("%v, %d entries", err, f.Len())
	}
}

// What is refused leaves the file as it is.
func TestSetErrors(t *testing.T) {
	path := write(t, "passwd", entry("alice", "one"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, login, password, want string }{
		{"no password", path, "bob", "", "the password is empty"},
		{"a long password", path, "bob", strings.Repeat("x", 1025), "longer than 1024"},
		{"a NUL", path, "bob", "a\x00b", "a NUL in it"},
		{"a line end", path, "bob", "a\nb", "a line end"},
		{"a blank in the login", path, "bob x", "x", "a login has"},
		{"a colon in the login", path, "bob:x", "x", "a login has"},
		{"a comment", path, "#bob", "x", "a login has"},
		{"a link", link, "bob", "x", "is a link"},
		{"no directory", filepath.Join(path, "x"), "bob", "x", "not a directory"},
		{"a file with a mistake", write(t, "wrong", "alice\n"), "bob", "x", "wrong:1: there is no colon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Set(c.path, c.login, []byte(c.password)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != entry("alice", "one") {
		t.Errorf("%q, %v", text, err)
	}
}

// Owner and mode are those of before; a new file is for the owner of its directory.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 1234, 1235); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "passwd")
	want := func(uid, gid uint32, mode os.FileMode) {
		t.Helper()
		if err := Set(path, "alice", []byte("x")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if s := info.Sys().(*syscall.Stat_t); s.Uid != uid || s.Gid != gid || info.Mode().Perm() != mode {
			t.Errorf("%d:%d %o, want %d:%d %o", s.Uid, s.Gid, info.Mode().Perm(), uid, gid, mode)
		}
	}
	want(1234, 1235, 0o600)
	if err := errors.Join(os.Chown(path, 77, 78), os.Chmod(path, 0o400)); err != nil {
		t.Fatal(err)
	}
	want(77, 78, 0o400)
}

// Many who write at once lose nothing of each other, and who reads meanwhile sees a whole file.
func TestSetAtOnce(t *testing.T) {
	path := write(t, "passwd", entry("u0", "x"))
	f, err := Open(path, func(_ int, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	for i := range 8 {
		writing.Go(func() {
			if err := rewrite(path, fmt.Sprint("u", i+1), ofDovecot, func(string) (string, error) { return entry(fmt.Sprint("u", i+1), "x"), nil }); err != nil {
				t.Error(err)
			}
			if !right(f, fmt.Sprint("u", i+1), "x") {
				t.Errorf("u%d is not there", i+1)
			}
		})
	}
	writing.Wait()
	if f.Find("x"); f.Len() != 9 {
		t.Errorf("%d entries, want 9", f.Len())
	}
}
