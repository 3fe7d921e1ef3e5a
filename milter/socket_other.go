//go:build !linux

package milter

import (
	"io/fs"
	"os"
	"syscall"
)

func closeToAll(syscall.RawConn) error { return nil }

// permit sets the group before the mode, so that no other group ever has the mode's permissions.
func permit(path string, gid int, mode fs.FileMode) (fs.FileInfo, error) {
	if gid >= 0 {
		if err := os.Lchown(path, -1, gid); err != nil {
			return nil, err
		}
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}
