package spool

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// open makes a file that never has a name: whoever may write to the directory, too, can neither
// open it nor keep it (open(2), O_TMPFILE). File systems that have no such files, such as NFS, get
// one whose name is gone at once.
func open(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		return os.NewFile(uintptr(fd), dir+"/(a body)"), nil
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.EINVAL):
		return openNamed(dir)
	}
	return nil, &os.PathError{Op: "open a file in", Path: dir, Err: err}
}
