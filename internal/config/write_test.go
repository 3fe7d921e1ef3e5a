package config

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, -1, 12345); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "conf.d", "60-modes.conf")
	look := func(text string, mode os.FileMode, uid int) {
		t.Helper()
		data, err := os.ReadFile(name)
		if err != nil || string(data) != text {
			t.Errorf("%q %v, want %q", data, err, text)
		}
		info, err := os.Stat(name)
		if err != nil || info.Mode() != mode {
			t.Errorf("mode %v %v, want %v", info.Mode(), err, mode)
		}
		if stat := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (stat.Gid != 12345 || int(stat.Uid) != uid) {
			t.Errorf("owner %d:%d, want %d:12345", stat.Uid, stat.Gid, uid)
		}
		entries, err := os.ReadDir(filepath.Dir(name))
		if err != nil || len(entries) != 1 {
			t.Errorf("left over: %v", entries)
		}
	}
	if err := WriteFile(name, "a = 1\n"); err != nil {
		t.Fatal(err)
	}
	look("a = 1\n", 0o640, os.Geteuid())
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(name, 12346, -1); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(name, "a = 2\n"); err != nil {
		t.Fatal(err)
	}
	look("a = 2\n", 0o600, 12346)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", name); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(name, "a = 3\n"); err == nil {
		t.Error("a link is replaced")
	}
}

// A file can be tried before it is written.
func TestTexts(t *testing.T) {
	dir := tree(t, map[string]string{"conf": "hops-max=1\n", "conf.d/60-modes.conf": "hops-max=2\n", "conf.d/50.conf": "text=a\n"})
	for _, tt := range []struct {
		name, file string
		max        int
		from       string
	}{
		{"in place of one", "conf.d/60-modes.conf", 7, "conf.d/60-modes.conf:2"},
		{"a new one", "conf.d/70.conf", 7, "conf.d/70.conf:2"},
		{"a new one before another", "conf.d/10.conf", 2, "conf.d/60-modes.conf:1"},
		{"the file", "conf", 2, "conf.d/60-modes.conf:1"},
		{"one elsewhere", "conf.x/70.conf", 2, "conf.d/60-modes.conf:1"},
		{"one that is not read", "conf.d/70", 2, "conf.d/60-modes.conf:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlags()
			r := Resolve(f.set, Origin{Usual: dir + "/conf", Texts: map[string]string{dir + "/" + tt.file: "\nhops-max = 7\n"}})
			if got := r.Of("hops-max", 0); len(r.Wrong) > 0 || *f.max != tt.max || got != dir+"/"+tt.from || *f.text != "a" {
				t.Errorf("hops-max %d from %s, %v; want %d from %s", *f.max, got, r.Wrong, tt.max, tt.from)
			}
		})
	}
	f := newFlags()
	if r := Resolve(f.set, Origin{Usual: dir + "/none/conf", Texts: map[string]string{dir + "/none/conf.d/1.conf": "hops-max=8\n"}}); len(r.Wrong) > 0 || *f.max != 8 {
		t.Errorf("in a directory that is not there: %d %v", *f.max, r.Wrong)
	}
}
