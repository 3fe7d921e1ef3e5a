package milter

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// connectAs connects to a socket on a thread of another user and group.
func connectAs(t *testing.T, uid, gid int, path string) error {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test's goroutine
	same := ^uintptr(0)
	call := func(number uintptr, args ...uintptr) {
		if _, _, errno := syscall.RawSyscall(number, args[0], args[1], args[2]); errno != 0 {
			t.Fatal(errno)
		}
	}
	call(syscall.SYS_SETGROUPS, 0, 0, 0)
	call(syscall.SYS_SETRESGID, same, uintptr(gid), same)
	call(syscall.SYS_SETRESUID, same, uintptr(uid), same)
	defer call(syscall.SYS_SETRESGID, same, 0, same)
	defer call(syscall.SYS_SETRESUID, same, 0, same)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// openDir is a directory that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestSocketIsClosedFirst: until it has its group and mode nobody connects, whatever the umask is;
// afterwards those do who may.
func TestSocketIsClosedFirst(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root becomes other users")
	}
	const nobody, mail = 65534, 8
	path := filepath.Join(openDir(t), "s")
	before := syscall.Umask(0)
	defer syscall.Umask(before)
	l, err := listenClosed(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for name, step := range map[string]struct{ uid, gid int }{"user": {nobody, nobody}, "group": {nobody, mail}} {
		if err := connectAs(t, step.uid, step.gid, path); !errors.Is(err, syscall.EACCES) {
			t.Errorf("%s connects before the socket is ready: %v", name, err)
		}
	}
	if _, err := permit(path, mail, 0o660); err != nil {
		t.Fatal(err)
	}
	if err := connectAs(t, nobody, nobody, path); !errors.Is(err, syscall.EACCES) {
		t.Errorf("another group connects: %v", err)
	}
	if err := connectAs(t, nobody, mail, path); err != nil {
		t.Errorf("its group does not: %v", err)
	}
}

// TestPermitFollowsNoLink: what somebody else has put in the socket's place is not changed.
func TestPermitFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(path string) error{
		"symbolic link": func(path string) error { return os.Symlink(secret, path) },
		"hard link":     func(path string) error { return os.Link(secret, path) },
		"directory":     func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			if _, err := permit(path, 12, 0o666); err == nil || !strings.Contains(err.Error(), "has taken its place") {
				t.Errorf("error %v", err)
			}
			for _, file := range []string{secret, path} {
				info, err := os.Stat(file)
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode()&0o066 != 0 || info.Sys().(*syscall.Stat_t).Gid == 12 {
					t.Errorf("%s is changed: %v", file, info.Mode())
				}
			}
		})
	}
	if _, err := permit(filepath.Join(dir, "none"), -1, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestModeWithoutProc: in a chroot that has no /proc the socket gets its mode all the same.
func TestModeWithoutProc(t *testing.T) {
	for name, proc := range map[string]string{"with": "/proc", "without": filepath.Join(t.TempDir(), "none")} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := listenClosed(path)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			err = chmod(fd, 0o640, proc)
			if errors.Is(err, unix.EOPNOTSUPP) {
				t.Skip("SKIPPED: this kernel has no fchmodat2: ", err)
			}
			if info, stat := os.Lstat(path); err != nil || stat != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%v, %v, %v", info.Mode(), err, stat)
			}
		})
	}
}
