package passwords

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNoEntry is the error of who deletes a login that does not exist.
var ErrNoEntry = errors.New("there is no such login in the file")

// Set gives a login a new password: it replaces its entry, or adds one. The file is made if there
// is none, for the owner of its directory. Others who write at the same time wait, and who reads
// sees the old file or the new one, whole. Owner and mode stay.
func Set(path, login string, password []byte) error {
	name, ok := Login(login)
	if !ok {
		return fmt.Errorf("a login has 1 to %d octets, none of them a blank, a control or a colon", maxLogin)
	}
	if err := CheckPassword(password); err != nil {
		return err
	}
	return rewrite(path, name, ofDovecot, func(string) (string, error) { return name + ":" + New(password) + "\n", nil })
}

// SetChecked is Set for a file with fields of its own behind the hash. They stay, unless others are
// given.
func SetChecked(path, login string, password []byte, fields []string, check Check) error {
	name, ok := Login(login)
	if !ok {
		return fmt.Errorf("a login has 1 to %d octets, none of them a blank, a control or a colon", maxLogin)
	}
	if err := CheckPassword(password); err != nil {
		return err
	}
	return rewrite(path, name, check, func(old string) (string, error) {
		if _, entry, err := parseLine(strings.TrimRight(old, "\r\n")); err == nil && len(fields) == 0 {
			fields = entry.fields
		}
		if err := check(name, fields); err != nil {
			return "", err
		}
		return strings.Join(append([]string{name, New(password)}, fields...), ":") + "\n", nil
	})
}

// Delete takes the entry of a login out.
func Delete(path, login string) error { return DeleteChecked(path, login, ofDovecot) }

// DeleteChecked is Delete for a file with fields of its own behind the hash.
func DeleteChecked(path, login string, check Check) error {
	name, ok := Login(login)
	if !ok {
		return ErrNoEntry
	}
	return rewrite(path, name, check, nil)
}

// maxPassword bounds a password in octets.
const maxPassword = 1024

// CheckPassword reports what no client could log in with.
func CheckPassword(password []byte) error {
	switch {
	case len(password) == 0:
		return errors.New("the password is empty")
	case len(password) > maxPassword:
		return fmt.Errorf("the password is longer than %d octets", maxPassword)
	}
	for _, c := range password {
		if c == 0 || c == '\r' || c == '\n' {
			return errors.New("the password has a line end or a NUL in it")
		}
	}
	return nil
}

// rewrite replaces the line of a login by what is made of the old one, which is "" where there is
// none, and leaves all others as they stand. Without make the line goes.
func rewrite(path, login string, check Check, make func(old string) (string, error)) error {
	dir, err := lock(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	text, err := present(path, check)
	if err != nil {
		return err
	}
	var b strings.Builder
	found, line := false, ""
	for old := range strings.Lines(text) {
		name, _, _ := strings.Cut(old, ":")
		if name, ok := Login(name); !ok || name != login {
			b.WriteString(old)
			continue
		}
		found = true
		if make == nil {
			continue
		}
		if line, err = make(old); err != nil {
			return err
		}
		b.WriteString(line)
	}
	if !found && make == nil {
		return fmt.Errorf("%s: %w", path, ErrNoEntry)
	}
	if whole := b.String(); whole != "" && !strings.HasSuffix(whole, "\n") {
		b.WriteByte('\n')
	}
	if !found {
		if line, err = make(""); err != nil {
			return err
		}
		b.WriteString(line)
	}
	return replace(dir, path, b.String())
}

// present is what the file holds, "" where there is none. What could not be read by the service is
// not written either: the mistake would only be found there.
func present(path string, check Check) (string, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if info.Mode().Type() == fs.ModeSymlink {
		return "", fmt.Errorf("%s is a link; name the file itself", path)
	}
	text, _, err := readPrivate(path)
	if err == nil {
		_, err = parse(path, text, check)
	}
	return text, err
}

// lock keeps others who write out as long as the directory is open.
func lock(name string) (*os.File, error) {
	dir, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX)
		switch {
		case err == nil:
			return dir, nil
		case !errors.Is(err, unix.EINTR):
			_ = dir.Close()
			return nil, &os.PathError{Op: "lock", Path: name, Err: err}
		}
	}
}

// replace puts a new file in the place of the old one, with owner and mode of that.
func replace(dir *os.File, path, text string) (err error) {
	mode, uid, gid, err := ownership(dir, path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir.Name(), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	if err == nil && (uid != os.Geteuid() || gid != os.Getegid()) {
		err = f.Chown(uid, gid)
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return dir.Sync()
}

// ownership is that of the old file. A new one is for the owner of its directory, so that root can
// make it for the service's user.
func ownership(dir *os.File, path string) (mode fs.FileMode, uid, gid int, err error) {
	var s unix.Stat_t
	switch err = unix.Lstat(path, &s); {
	case err == nil:
		return fs.FileMode(s.Mode & 0o777), int(s.Uid), int(s.Gid), nil
	case !errors.Is(err, fs.ErrNotExist):
		return 0, 0, 0, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if err = unix.Fstat(int(dir.Fd()), &s); err != nil {
		return 0, 0, 0, &os.PathError{Op: "stat", Path: dir.Name(), Err: err}
	}
	if os.Geteuid() != 0 {
		return 0o600, os.Geteuid(), os.Getegid(), nil
	}
	return 0o600, int(s.Uid), int(s.Gid), nil
}
