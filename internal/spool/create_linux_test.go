package spool

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// Whatever a file system answers where it has no files without names, a body is kept.
func TestFileSystemsWithoutNameless(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EOPNOTSUPP, unix.EISDIR, unix.EINVAL, unix.ENOSYS, unix.EINTR, unix.EPERM, unix.ENOENT} {
		t.Run(unix.ErrnoName(errno), func(t *testing.T) {
			file, err := openEither(t.TempDir(), func(string) (int, error) { return -1, errno })
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if got := writeAndRead(t, file); !bytes.Equal(got, []byte("0123456789")) {
				t.Errorf("%q", got)
			}
		})
	}
}
