package passwords

import (
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
	changed func(entries int, err error)

	mu      sync.Mutex
	read    stamp // of what was read last, wrong or not
	entries map[string]hash
	dummies dummies
}

// Open reads a password file. changed, which may be nil, is told whenever it has been read again,
// and what is wrong if that is so.
func Open(path string, changed func(entries int, err error)) (*File, error) {
	if changed == nil {
		changed = func(int, error) {}
	}
	f := &File{path: path, changed: changed}
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
		return Entry{nil, f.dummies}
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
	entries, err := parse(f.path, text)
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
func parse(path, text string) (map[string]hash, error) {
	entries := map[string]hash{}
	lines := map[string]int{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		login, h, err := parseLine(line)
		if err == nil && lines[login] > 0 {
			err = fmt.Errorf("the login stands in line %d already (letters count the same in upper and lower case)", lines[login])
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		entries[login], lines[login] = h, n
	}
	return entries, nil
}

// parseLine reads LOGIN:{SCHEME}HASH[:UID:GID:GECOS:HOME:SHELL:EXTRA]. What only a mail store needs
// is left out; extra fields that may forbid a login are errors.
func parseLine(line string) (string, hash, error) {
	fields := strings.SplitN(line, ":", 8)
	if len(fields) < 2 {
		return "", nil, errors.New("there is no colon; write LOGIN:{SCHEME}HASH")
	}
	login, ok := Login(fields[0])
	if !ok {
		return "", nil, fmt.Errorf("a login has 1 to %d octets, none of them a blank, a control or a colon", maxLogin)
	}
	h, err := parseHash(fields[1])
	if err != nil {
		return "", nil, err
	}
	if len(fields) == 8 {
		for _, extra := range strings.Fields(fields[7]) {
			if !strings.HasPrefix(extra, "userdb_") {
				return "", nil, errors.New("extra fields such as nologin or allow_nets are not understood; take the line out, or ask Dovecot (--auth-upstream)")
			}
		}
	}
	return login, h, nil
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
