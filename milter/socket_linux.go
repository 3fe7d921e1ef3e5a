package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// closeToAll takes every permission off a socket that has no name yet: Linux gives the name, when
// it comes, the mode of the socket itself. umask(2) would do so for the whole process.
func closeToAll(socket syscall.RawConn) error {
	var err error
	if outer := socket.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0) }); outer != nil {
		return outer
	}
	return err
}

// permit sets the group before the mode, so that no other group ever has the mode's permissions. It
// holds on to what the path names and follows no link, so whoever may write to the directory, too,
// cannot have another file changed. It returns the socket as it is then.
func permit(path string, gid int, mode fs.FileMode) (fs.FileInfo, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return nil, errors.New("another file has taken its place while it was opened")
	}
	if gid >= 0 {
		if err := unix.Fchownat(fd, "", -1, gid, unix.AT_EMPTY_PATH); err != nil {
			return nil, err
		}
	}
	return info, chmod(fd, mode, "/proc")
}

// chmod sets the mode of an O_PATH descriptor, which fchmod(2) does not take. A chroot may have no
// /proc; fchmodat2(2) needs none, but Linux 6.6.
func chmod(fd int, mode fs.FileMode, proc string) error {
	err := os.Chmod(proc+"/self/fd/"+strconv.Itoa(fd), mode)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := unix.Fchmodat(fd, "", uint32(mode.Perm()), unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("its mode cannot be set without /proc, mount that: %w", err)
	}
	return nil
}
