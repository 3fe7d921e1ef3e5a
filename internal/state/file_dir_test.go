package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// as calls a function on a thread of another user; what it starts elsewhere remains root's.
func as(t *testing.T, uid int, call func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	same := ^uintptr(0)
	become := func(uid uintptr) {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, uid, same); errno != 0 {
			t.Fatal(errno)
		}
	}
	become(uintptr(uid))
	defer become(0)
	call()
}

// TestFileDirectory: a directory that somebody else disposes of is refused, with what mends it.
func TestFileDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root becomes other users")
	}
	const somebody = 12345
	for _, tt := range []struct {
		name   string
		user   int // who opens it
		owner  int
		mode   os.FileMode
		err    string // what opening says, "" for nothing
		check  string // what Check says without opening
		remark string
	}{
		{name: "root's own", mode: 0o700},
		{name: "readable for everybody", mode: 0o755},
		{name: "the daemon's, opened by root", owner: nobody, mode: 0o700},
		{name: "the daemon's", user: nobody, owner: nobody, mode: 0o700},
		{name: "root's, opened by another", user: nobody, mode: 0o775, remark: "the group root may write to "},
		{name: "another's", user: nobody, owner: somebody, mode: 0o770, err: "belongs to uid 12345, and mailweir runs as nobody", remark: "may write"},
		{name: "another's, opened by root", owner: somebody, mode: 0o700},
		{name: "group-writable", mode: 0o770, remark: "the group root may write to "},
		{name: "set-group-id", mode: 0o775 | os.ModeSetgid, remark: "the group root may write to "},
		{name: "world-writable", mode: 0o777, err: "may be written to by everybody (mode 0777)", check: "everybody", remark: "may write"},
		{name: "world-writable alone", mode: 0o702, err: "may be written to by everybody (mode 0702)", check: "everybody"},
		{name: "sticky", mode: 0o777 | os.ModeSticky, err: "may be written to by everybody", check: "everybody", remark: "may write"},
		{name: "world-writable, the daemon's", user: nobody, owner: nobody, mode: 0o707, err: "chmod o-w", check: "everybody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "state")
			err := errors.Join(os.Chmod(filepath.Dir(top), 0o755), os.Chmod(top, 0o755), os.Mkdir(dir, 0o700),
				os.Chown(dir, tt.owner, 0), os.Chmod(dir, tt.mode))
			if err != nil {
				t.Fatal(err)
			}
			var opened error
			as(t, tt.user, func() {
				// Root's gid of the thread remains: it may write to what its group may.
				opened = checkDir(dir)
			})
			wrong := (*DirError)(nil)
			switch {
			case tt.err == "" && opened != nil:
				t.Errorf("refused: %v", opened)
			case tt.err != "" && (!errors.As(opened, &wrong) || !strings.Contains(opened.Error(), tt.err) || !strings.Contains(opened.Error(), dir)):
				t.Errorf("%v, want %q", opened, tt.err)
			}
			checked := Check("file:" + dir)
			if (checked == nil) != (tt.check == "") || checked != nil && !strings.Contains(checked.Error(), tt.check) {
				t.Errorf("Check: %v, want %q", checked, tt.check)
			}
			if remark := Remark("file:" + dir); (remark == "") != (tt.remark == "") || !strings.Contains(remark, tt.remark) {
				t.Errorf("Remark %q, want %q", remark, tt.remark)
			}
		})
	}
}

// TestFileLeavesARefusedDirectory: nothing is made in it, and a directory that is not there yet is
// made for us alone.
func TestFileLeavesARefusedDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	wrong := (*DirError)(nil)
	if f, err := OpenFile(dir, Options{}); !errors.As(err, &wrong) {
		t.Errorf("%v, %v", f, err)
	}
	if made, err := os.ReadDir(dir); len(made) != 0 || err != nil {
		t.Errorf("%v, %v", made, err)
	}
	fresh := filepath.Join(t.TempDir(), "a", "b")
	if err := openFile(t, fresh, Options{}).Close(); err != nil {
		t.Error(err)
	}
	for _, spec := range []string{"memory:", "redis://127.0.0.1:6379", "file:" + fresh, "file:" + filepath.Join(fresh, "none")} {
		if err := Check(spec); err != nil || Remark(spec) != "" {
			t.Errorf("%s: %v, %q", spec, err, Remark(spec))
		}
	}
}
