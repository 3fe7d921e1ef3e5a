package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile writes a file of flags so that whoever reads meanwhile, and the next start after a
// crash, has the old text or the new one whole. A file that is replaced keeps its mode and owner. A
// new one is 0640 and of its directory's group; the directory is made where it is missing, 0750 and
// of the group of the one above.
func WriteFile(name, text string) error { return WriteFileMode(name, text, 0o640) }

// WriteFileMode is [WriteFile] with the mode that a new file has.
func WriteFileMode(name, text string, mode fs.FileMode) error {
	dir := filepath.Dir(name)
	if err := makeDir(dir); err != nil {
		return err
	}
	uid, gid := -1, groupID(dir)
	switch info, err := os.Lstat(name); {
	case err == nil && !info.Mode().IsRegular():
		return &fs.PathError{Op: "write", Path: name, Err: errors.New("not a regular file")}
	case err == nil:
		mode = info.Mode().Perm()
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			uid, gid = int(stat.Uid), int(stat.Gid)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	// A hidden name is read by nobody.
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // where it has not been renamed
	err = errors.Join(write(f, text, mode, uid, gid), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return errors.Join(err, sync(dir))
}

func write(f *os.File, text string, mode fs.FileMode, uid, gid int) error {
	if err := f.Chown(uid, gid); err != nil && os.Geteuid() == 0 {
		return err // anybody else may be in no other group
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}

func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o750)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(dir, -1, groupID(filepath.Dir(dir)))
	}
	return err
}

func sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// groupID is the group of a file, -1 where it is not known.
func groupID(name string) int {
	info, err := os.Stat(name)
	if err != nil {
		return -1
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Gid)
	}
	return -1
}
