package passwords

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"mailweir/internal/textfile"
)

// File is a password file. It is read again when it has changed; one that has become wrong changes
// nothing. Its methods may be called from any goroutine.
type File struct {
	path    string
	check   Check
	changed func(entries int, err error)

	mu      sync.Mutex
	read    stamp // of what was read last, wrong or not
	entries map[string]line
	dummies dummies
}

// Check says what is wrong with what stands behind a login and its hash. Its error repeats none of
// it that may be part of a password.
type Check func(login string, fields []string) error

// line is what stands behind a login.
type line struct {
	hash   hash
	fields []string
	stamp  [sha256.Size]byte
}

// Open reads a password file. changed, which may be nil, is told whenever it has been read again,
// and what is wrong if that is so.
func Open(path string, changed func(entries int, err error)) (*File, error) {
	return OpenChecked(path, ofDovecot, changed)
}

// OpenChecked reads a file with fields of its own behind the hash.
func OpenChecked(path string, check Check, changed func(entries int, err error)) (*File, error) {
	if changed == nil {
		changed = func(int, error) {}
	}
	f := &File{path: path, check: check, changed: changed}
	return f, f.load()
}

// Find returns the entry of a login, after a look whether the file has changed.
func (f *File) Find(login string) Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now, err := stampOf(f.path); err != nil || now != f.read {
		f.reload(now, err)
	}
	name, ok := Login(login)
	if !ok {
		return Entry{line{}, f.dummies}
	}
	return Entry{f.entries[name], f.dummies}
}

// Reload reads the file again, whether or not it has changed.
func (f *File) Reload() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reload(stampOf(f.path))
}

// reload reads the file again. An error is told once.
func (f *File) reload(now stamp, err error) {
	if err != nil {
		if f.read != (stamp{}) {
			f.read = stamp{}
			f.changed(len(f.entries), err)
		}
		return
	}
	err = f.load()
	f.read = now
	f.changed(len(f.entries), err)
}

// load reads the file and keeps what is right.
func (f *File) load() error {
	text, read, err := readPrivate(f.path)
	if err != nil {
		return err
	}
	entries, err := parse(f.path, text, f.check)
	if err != nil {
		return err
	}
	dummies, err := newDummies(entries)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.entries, f.dummies, f.read = entries, dummies, read
	return nil
}

// Len is how many logins there are.
func (f *File) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.entries)
}

// stamp tells whether a file has changed.
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

func stampOf(path string) (stamp, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return stamp{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return stampFrom(&s), nil
}

func stampFrom(s *unix.Stat_t) stamp { return stamp{uint64(s.Dev), s.Ino, s.Size, s.Mtim, s.Ctim} }

// maxFile bounds the file in octets.
const maxFile = 16 << 20

// readPrivate reads a file that only its owner can read.
func readPrivate(path string) (string, stamp, error) {
	f, err := textfile.OpenText(path)
	if err != nil {
		return "", stamp{}, err
	}
	defer f.Close()
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return "", stamp{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if s.Mode&0o077 != 0 {
		return "", stamp{}, fmt.Errorf("%s: others than its owner may use the file (mode %04o): chmod 600 %[1]s", path, s.Mode&0o777)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &os.PathError{Op: "read", Path: path, Err: errors.New("larger than 16 MiB")}
	}
	return string(data), stampFrom(&s), err
}

// parse reads the lines of a file. Errors have file and line, and nothing of what stands there.
func parse(path, text string, check Check) (map[string]line, error) {
	entries := map[string]line{}
	lines := map[string]int{}
	n := 0
	for written := range strings.Lines(text) {
		n++
		written = strings.TrimRight(written, "\r\n")
		if strings.TrimSpace(written) == "" || written[0] == '#' {
			continue
		}
		login, entry, err := parseLine(written)
		if err == nil && lines[login] > 0 {
			err = fmt.Errorf("the login stands in line %d already (letters count the same in upper and lower case)", lines[login])
		}
		if err == nil {
			err = check(login, entry.fields)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		entries[login], lines[login] = entry, n
	}
	return entries, nil
}

// parseLine reads LOGIN:{SCHEME}HASH[:FIELD…].
func parseLine(written string) (string, line, error) {
	fields := strings.SplitN(written, ":", 8)
	if len(fields) < 2 {
		return "", line{}, errors.New("there is no colon; write LOGIN:{SCHEME}HASH")
	}
	login, ok := Login(fields[0])
	if !ok {
		return "", line{}, fmt.Errorf("a login has 1 to %d octets, none of them a blank, a control or a colon", maxLogin)
	}
	h, err := parseHash(fields[1])
	return login, line{h, fields[2:], sha256.Sum256([]byte(written))}, err
}

// ofDovecot takes UID:GID:GECOS:HOME:SHELL:EXTRA. What only a mail store needs is left out; extra
// fields that may forbid a login are errors.
func ofDovecot(_ string, fields []string) error {
	if len(fields) < 6 {
		return nil
	}
	for _, extra := range strings.Fields(fields[5]) {
		if !strings.HasPrefix(extra, "userdb_") {
			return errors.New("extra fields such as nologin or allow_nets are not understood; take the line out, or ask Dovecot (--auth-upstream)")
		}
	}
	return nil
}

// maxLogin bounds a login in octets.
const maxLogin = 255

// Login is a login as it counts: ASCII letters in lower case, as Dovecot has it
// (auth_username_format = %Lu). It reports false for what can be none.
func Login(text string) (string, bool) {
	if text == "" || len(text) > maxLogin || text[0] == '#' || strings.ToValidUTF8(text, "\x00") != text {
		return "", false
	}
	lower := []byte(text)
	for i, c := range lower {
		switch {
		case c <= ' ' || c == ':' || c == 0x7f:
			return "", false
		case c >= 'A' && c <= 'Z':
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower), true
}
