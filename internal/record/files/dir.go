package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"mailweir/internal/record"
)

const (
	suffix     = ".sqlite"
	dateFormat = "2006-01-02"
)

// ErrHeld says that another process keeps the record in this directory.
var ErrHeld = errors.New("another process keeps its record here: stop it first")

// dayFile is the file of one UTC day.
type dayFile struct {
	date time.Time
	path string
}

// dateOf is the day that a position is in.
func dateOf(p record.Position) time.Time { return p.Time().Truncate(24 * time.Hour) }

// bounds are the first and the last position of the day.
func (d dayFile) bounds() (first, last record.Position) {
	return record.PositionAt(d.date), record.PositionAt(d.date.AddDate(0, 0, 1)) - 1
}

// octets is how much the day takes on the disk, with what stands beside the file.
func (d dayFile) octets() (n int64) {
	for _, name := range d.names() {
		if info, err := os.Stat(name); err == nil {
			n += info.Size()
		}
	}
	return n
}

// names are the file and those that SQLite makes beside it.
func (d dayFile) names() []string { return []string{d.path, d.path + "-wal", d.path + "-shm"} }

func (s *Store) file(date time.Time) dayFile {
	return dayFile{date, filepath.Join(s.dir, date.Format(dateFormat)+suffix)}
}

// days are the days that there are, the newest first.
func (s *Store) days() ([]dayFile, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var days []dayFile
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		date, err := time.Parse(dateFormat, name)
		if ok && err == nil {
			days = append(days, s.file(date))
		}
	}
	slices.SortFunc(days, func(a, b dayFile) int { return cmp.Compare(b.path, a.path) })
	return days, nil
}

// hold makes the directory, for its owner only, and keeps other writers out of it.
func hold(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := checkMode(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "holder")
	if err := makeFile(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrHeld
		}
		return nil, err
	}
	return f, nil
}

// checkMode refuses a directory into which everybody may put files.
func checkMode(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("it is no directory")
	case info.Mode()&0o002 != 0:
		return fmt.Errorf("everybody may write to it (mode %#o): chmod o-w %s, or name a directory of its own", info.Mode().Perm(), dir)
	}
	return nil
}

// makeFile makes a file where there is none, for the owner of the directory only: a command that
// root gives must leave it to the daemon.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// unlink takes a day away.
func (d dayFile) unlink() error {
	var errs []error
	for _, name := range d.names() {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// setAside gives a day that cannot be read another name, under which it is not looked at again.
func (d dayFile) setAside(why string) (string, error) {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.%s-%d", d.path, why, n)
		if _, err := os.Lstat(name); err == nil {
			continue
		}
		for _, beside := range d.names() {
			to := name + strings.TrimPrefix(beside, d.path)
			if err := os.Rename(beside, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		return name, nil
	}
}

// scarce reports whether the disk has next to nothing left.
func scarce(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && s.Bavail*uint64(s.Bsize) < 1<<20
}
