package attach

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rogpeppe/go-internal/diff"
)

// Change is what becomes of a file.
type Change struct {
	// Path is the file itself: where the mail server names a symbolic link, what that leads to.
	Path string
	// Before and After are its contents; nil where there is no file.
	Before, After []byte
	// Made says that a program makes it of another file: its comments are not worth showing.
	Made bool
}

// readChange begins a change: nothing of it is new yet.
func readChange(path string) (Change, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return Change{}, fmt.Errorf("%s is a symbolic link that leads nowhere", path)
		}
		return Change{Path: path}, nil
	}
	if err != nil {
		return Change{}, err
	}
	data, err := readFile(real)
	return Change{Path: real, Before: data, After: data}, err
}

// readFile reads a regular file; nil, not an empty slice, means that there is none.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	data, err := os.ReadFile(path)
	if data == nil && err == nil {
		data = []byte{}
	}
	return data, err
}

func (c Change) nothing() bool {
	return bytes.Equal(c.Before, c.After) && (c.Before == nil) == (c.After == nil)
}

// diff shows the change as diff -u does.
func (c Change) diff() string {
	before, after := c.Path, c.Path
	if c.Before == nil {
		before = "/dev/null"
	}
	if c.After == nil {
		after = "/dev/null"
	}
	from, to := c.Before, c.After
	if c.Made {
		from, to = withoutRemarks(from), withoutRemarks(to)
	}
	text := diff.Diff(before, from, after, to)
	// Its first line repeats both names.
	if _, rest, found := bytes.Cut(text, []byte("\n")); found {
		text = rest
	}
	return string(text)
}

// withoutRemarks leaves out lines that are empty, or begin with #.
func withoutRemarks(text []byte) (kept []byte) {
	for line := range bytes.Lines(text) {
		if t := bytes.TrimSpace(line); len(t) > 0 && t[0] != '#' {
			kept = append(kept, line...)
		}
	}
	return kept
}

// sum names a content; "" for no file.
func sum(data []byte) string {
	if data == nil {
		return ""
	}
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// replace writes a file whole or not at all, as its name stands: with mode, owner and extended
// attributes (labels of SELinux) of the one that it replaces. Data nil removes it.
func replace(path string, data []byte) error {
	if data == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncDir(filepath.Dir(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".mailweir-*")
	if err != nil {
		return err
	}
	name := f.Name()
	_, err = f.Write(data)
	err = errors.Join(err, likeBefore(f, path))
	if err == nil {
		err = f.Sync()
	}
	// Postfix reads a file that is younger than two seconds again and again, in case that it is
	// still being written; this one is whole as soon as it has its name.
	whole := time.Now().Add(-3 * time.Second)
	err = errors.Join(err, f.Close(), os.Chtimes(name, whole, whole))
	if err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return syncDir(filepath.Dir(path))
}

// likeBefore gives a new file what the one of that path has; 0644 where there is none.
func likeBefore(f *os.File, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.Chmod(0o644)
	}
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil && os.Geteuid() == 0 {
			return err
		}
	}
	copyAttributes(f, path)
	return f.Chmod(info.Mode().Perm())
}

// copyAttributes copies extended attributes as far as the file system has them.
func copyAttributes(f *os.File, path string) {
	list := make([]byte, 4096)
	n, err := unix.Listxattr(path, list)
	if err != nil {
		return
	}
	for _, name := range bytes.Split(list[:n], []byte{0}) {
		value := make([]byte, 65536)
		if n, err := unix.Getxattr(path, string(name), value); err == nil && len(name) > 0 {
			_ = unix.Fsetxattr(int(f.Fd()), string(name), value[:n], 0)
		}
	}
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot; then the name is as safe as they make it.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// writeAll writes the differences of some changes.
func writeAll(out io.Writer, changes []Change) error {
	for _, c := range changes {
		if c.nothing() {
			continue
		}
		if _, err := io.WriteString(out, c.diff()); err != nil {
			return err
		}
	}
	return nil
}
