package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// owner is who gets the files that root makes in a directory: a command that root gives must not
// lock the daemon out, which runs as another user. nil leaves them to whoever makes them.
type owner struct{ uid, gid int }

// ownerOf returns who gets what is made in dir.
func ownerOf(dir string) (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	whose := info.Sys().(*syscall.Stat_t)
	return &owner{int(whose.Uid), int(whose.Gid)}, nil
}

// open opens a file in the directory as os.OpenFile does; one that it makes belongs to the owner.
// It follows no link there, for the owner could point root to any file.
func (o *owner) open(name string, flag int, mode os.FileMode) (*os.File, error) {
	flag |= syscall.O_NOFOLLOW
	if flag&os.O_CREATE != 0 {
		file, err := os.OpenFile(name, flag|os.O_EXCL, mode)
		if err == nil {
			return file, o.give(file)
		}
		if flag&os.O_EXCL != 0 || !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return os.OpenFile(name, flag&^os.O_CREATE, mode)
}

// give gives a new file away. One that cannot be given is not left behind.
func (o *owner) give(file *os.File) error {
	if o == nil {
		return nil
	}
	err := file.Chown(o.uid, o.gid)
	if err != nil {
		err = errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return err
}

// MakeDir makes the directory of a store that is to belong to whom another belongs, when root does
// it.
func MakeDir(dir, like string) error {
	o, err := ownerOf(like)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if o == nil {
		return nil
	}
	return os.Chown(dir, o.uid, o.gid)
}

// HasState reports whether there is a store in dir.
func HasState(dir string) (bool, error) {
	_, err := os.Stat(rowsName(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
